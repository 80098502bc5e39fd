"""Read and write units of recorded DynamoDB calls, counted from the items they carry."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from benchmarks.dynamodb.item_size import Item, item_bytes
from benchmarks.dynamodb.recorded import Call
from local.template import table_definition

WRITE_UNIT, READ_UNIT = 1024, 4096
TRANSACTION_FACTOR = 2


class Unsizeable(Exception):
    """A call whose items are in neither its request nor its answer, so nothing can be counted."""


@cache
def projections(table: str) -> dict[str, tuple[frozenset[str], frozenset[str] | None]]:
    """Returns each index's keys and the attributes it copies (None: all), by the index's name."""
    definition = table_definition(table)
    primary = _names(definition["KeySchema"])
    indexes: dict[str, tuple[frozenset[str], frozenset[str] | None]] = {}
    for index in definition.get("GlobalSecondaryIndexes", ()):
        keys, projection = _names(index["KeySchema"]), index["Projection"]
        copied = primary | keys | frozenset(projection.get("NonKeyAttributes", ()))
        everything = projection["ProjectionType"] == "ALL"
        indexes[index["IndexName"]] = (keys, None if everything else copied)
    return indexes


def _names(key_schema: list[dict[str, str]]) -> frozenset[str]:
    return frozenset(key["AttributeName"] for key in key_schema)


def index_entries(table: str, item: Item) -> dict[str, Item]:
    """Returns the entry of an item in each index of the table; none where it lacks the keys.

    pynamodb leaves null attributes out of an item, so they are not counted.
    """
    return {
        name: item if copied is None else {key: item[key] for key in copied & item.keys()}
        for name, (keys, copied) in projections(table).items()
        if keys <= item.keys()
    }


def write_parts(call: Call) -> dict[str, int]:
    """Returns the bytes of each item and index entry that a call writes, by table or index."""
    parts: dict[str, int] = {}
    for number, (table, item) in enumerate(_puts(call)):
        suffix = f" #{number + 1}" if number else ""
        parts[f"{table}{suffix}"] = item_bytes(item)
        for index, entry in index_entries(table, item).items():
            parts[f"{table}/{index}{suffix}"] = item_bytes(entry)
    return parts


def write_units(call: Call) -> int:
    """Returns a call's write units: 1 for each started KB of an item or of an index entry.

    Each is rounded up by itself. A transaction costs twice as much. Raises Unsizeable for
    updates and deletes.
    """
    units = sum(started(size, WRITE_UNIT) for size in write_parts(call).values())
    return units * (TRANSACTION_FACTOR if call.operation == "TransactWriteItems" else 1)


def _puts(call: Call) -> list[tuple[str, Item]]:
    request = call.request
    match call.operation:
        case "PutItem":
            return [(request["TableName"], request["Item"])]
        case "TransactWriteItems" if all("Put" in action for action in request["TransactItems"]):
            puts = [action["Put"] for action in request["TransactItems"]]
            return [(put["TableName"], put["Item"]) for put in puts]
        case "GetItem" | "BatchGetItem" | "Query":
            return []
        case _:
            raise Unsizeable(f"{call.operation}: what it leaves behind is not in the request")


def read_units(call: Call) -> float:
    """Returns a call's read units: 1 for each started 4 KB. A write has none.

    A query's items are added up before rounding; other items are rounded up one by one. A key
    without an item costs 1. A read that need not be consistent costs half.
    """
    request, answer = call.request, call.answer
    match call.operation:
        case "Query":
            return _read([sum(map(item_bytes, answer["Items"]))], request)
        case "GetItem":
            return _read([item_bytes(answer.get("Item", {}))], request)
        case "BatchGetItem":
            return sum(
                _read(_batch_sizes(answer["Responses"].get(table, []), wanted), wanted)
                for table, wanted in request["RequestItems"].items()
            )
        case _:
            return 0


def _batch_sizes(items: list[Item], wanted: Mapping[str, Any]) -> list[int]:
    missing = len(wanted["Keys"]) - len(items)
    return [*map(item_bytes, items), *[0] * missing]


def _read(sizes: Iterable[int], request: Mapping[str, Any]) -> float:
    units = sum(max(1, started(size, READ_UNIT)) for size in sizes)
    return units if request.get("ConsistentRead") else units / 2


def started(size: int, unit: int) -> int:
    """Returns how many units a size takes; the last one counts even if only partly full."""
    return -(-size // unit)
