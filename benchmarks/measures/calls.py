"""How many DynamoDB calls and capacity units an ordinary invoice takes: counted, not timed."""

from benchmarks.dynamodb.capacity import WRITE_UNIT, read_units, started, write_parts, write_units
from benchmarks.dynamodb.recorded import Call, Recording
from benchmarks.harness.results import Row, Spread, Target
from benchmarks.harness.targets import CALLS, WRITE_UNITS

GROUP = "DynamoDB, a 5-line invoice (counted)"


def call_rows(recording: Recording) -> list[Row]:
    """Returns the calls, judged warm and cold, and the units of an invoice.

    A cold rollup also reads the catalogue's versions; a function does so once in its life.
    """
    warm, cold = recording.warm.calls, recording.cold.calls
    cold_name = "calls, cold: the catalogue is read too"
    return [
        _count("calls, warm", len(warm), "calls", _operations(warm), CALLS),
        _count(cold_name, len(cold), "calls", _operations(cold), CALLS),
        _count("write units", sum(map(write_units, warm)), "units", _written(warm), WRITE_UNITS),
        _count("read units, warm", sum(map(read_units, warm)), "units", _read(warm)),
        _count("read units, cold", sum(map(read_units, cold)), "units", _read(cold)),
    ]


def _count(name: str, value: float, unit: str, detail: str, target: Target | None = None) -> Row:
    return Row(GROUP, name, Spread.counted(value), unit, detail, target)


def _operations(calls: tuple[Call, ...]) -> str:
    return ", ".join(call.operation for call in calls)


def _written(calls: tuple[Call, ...]) -> str:
    parts = [part for call in calls for part in write_parts(call).items()]
    return ", ".join(f"{name} {size:,} B ({started(size, WRITE_UNIT)})" for name, size in parts)


def _read(calls: tuple[Call, ...]) -> str:
    units = [(call.operation, read_units(call)) for call in calls]
    return ", ".join(f"{operation} {count:g}" for operation, count in units if count)
