"""Usage from CSV: one event per row, or one row per run of days. Each row is judged on its own."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from cli.terminal.errors import BadInput

EVENT_COLUMNS = ("id", "source", "deployment_id", "resource_kind", "quantity", "occurred_at")
DAYS_COLUMNS = ("deployment_id", "resource_kind", "first_day", "last_day", "quantity_per_day")
# The source of rows for days; it is fixed because a file imported again must say the same.
SOURCE = "monthend-import"
NOON = time(12)
MOST_DAYS = 366
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# An event's id takes up to 128 characters of printable ASCII.
FILE_NAME = re.compile(r"[!-~]{1,96}")


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One event as `Metering.record` takes it, and its line in the file."""

    line: int
    event: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A line that gives no event, and why."""

    line: int
    reason: str


type Rows = Iterator[UsageRow | FaultyRow]
type Maker = Callable[[int, Mapping[str, str]], Rows]


def read_usage(file: Path, zone: ZoneInfo) -> Rows:
    """Reads a file's events as they are written; quantities and times are not judged here.

    A row for a run of days becomes one event per day, at noon in the billing zone, with the id
    `<file name>:<line>:<day>`. Raises BadInput for a file that holds no usage.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.reader(text, strict=True)
            names = next(reader, [])
            make = _maker(file, names, zone)
            for fields in reader:
                if len(fields) == len(names):
                    yield from make(reader.line_num, dict(zip(names, fields, strict=True)))
                elif fields:
                    reason = f"{len(fields)} fields instead of {len(names)}"
                    yield FaultyRow(reader.line_num, reason)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 text") from error
    except csv.Error as error:
        raise BadInput(f"{file}:{reader.line_num}: not CSV: {error}") from error


def _maker(file: Path, names: Sequence[str], zone: ZoneInfo) -> Maker:
    if sorted(names) == sorted(EVENT_COLUMNS):
        return _event
    if sorted(names) != sorted(DAYS_COLUMNS):
        wanted = f"{','.join(EVENT_COLUMNS)}; or {','.join(DAYS_COLUMNS)}"
        raise BadInput(f"{file}:1: the columns must be {wanted}")
    if not FILE_NAME.fullmatch(file.name):
        raise BadInput(f"{file}: events are named after the file: printable ASCII, no spaces")
    return partial(_days, file.name, zone)


def _event(line: int, row: Mapping[str, str]) -> Rows:
    yield UsageRow(line, row)


def _days(file_name: str, zone: ZoneInfo, line: int, row: Mapping[str, str]) -> Rows:
    days = [_day(row[name]) for name in ("first_day", "last_day")]
    first, last = days
    if first is None or last is None:
        yield FaultyRow(line, "first_day, last_day: must be days such as 2026-04-01")
        return
    count = (last - first).days + 1
    if not 1 <= count <= MOST_DAYS:
        yield FaultyRow(line, f"last_day: must be 0 to {MOST_DAYS - 1} days after first_day")
        return
    for day in (first + timedelta(days=n) for n in range(count)):
        yield UsageRow(
            line,
            {
                "id": f"{file_name}:{line}:{day}",
                "source": SOURCE,
                "deployment_id": row["deployment_id"],
                "resource_kind": row["resource_kind"],
                "quantity": row["quantity_per_day"],
                "occurred_at": datetime.combine(day, NOON, zone).isoformat(),
            },
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
