"""The capacity units that one tenant's rollup takes, counted from recorded calls."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.dynamodb.capacity import (
    READ_UNIT,
    TRANSACTION_FACTOR,
    WRITE_UNIT,
    read_units,
    started,
    write_parts,
)
from benchmarks.dynamodb.recorded import Call, RecordedRollup


@dataclass(frozen=True, slots=True)
class Units:
    """Capacity units by table, and by index (`InvoicesTable/period`)."""

    reads: Mapping[str, float]
    writes: Mapping[str, float]


def units(rollup: RecordedRollup) -> Units:
    """Returns all units of one rollup without retries."""
    reads: defaultdict[str, float] = defaultdict(float)
    writes: Counter[str] = Counter()
    written: dict[str, int] = {}
    for call in rollup.calls:
        factor = TRANSACTION_FACTOR if call.operation == "TransactWriteItems" else 1
        for label, size in write_parts(call).items():
            # A second item of one table is called `InvoicesTable #2`.
            name = label.partition(" ")[0]
            writes[name] += factor * started(size, WRITE_UNIT)
            written[name] = max(size, written.get(name, 0))
    for call in rollup.calls:
        for table, part in _reads_by_table(call):
            reads[table] += _read_units(part, written.get(table, 0))
    return Units(dict(reads), dict(writes))


def _reads_by_table(call: Call) -> Iterator[tuple[str, Call]]:
    if call.operation in ("Query", "GetItem"):
        yield call.request["TableName"], call
    elif call.operation == "BatchGetItem":
        for table, wanted in call.request["RequestItems"].items():
            answer = {"Responses": {table: call.answer["Responses"].get(table, [])}}
            yield table, Call(call.operation, {"RequestItems": {table: wanted}}, answer)


def _read_units(call: Call, item_bytes: int) -> float:
    """A projection saves no units: each invoice counts whole, with the size of the written one."""
    if call.operation == "Query" and "ProjectionExpression" in call.request:
        return max(1, started(len(call.answer["Items"]) * item_bytes, READ_UNIT))
    return read_units(call)
