"""Usage from CSV: one event per row, or one row per run of days. Each row is judged on its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import BinaryIO

from cli.terminal.arguments import with_plain_offset
from cli.terminal.csv_text import CsvForm, csv_rows, fitted, form_of, header

EVENTS = CsvForm(("id", "source", "deployment_id", "resource_kind", "quantity", "occurred_at"))
DAYS = CsvForm(("deployment_id", "resource_kind", "first_day", "last_day", "quantity_per_day"))
MOST_DAYS = 366
# No field of usage needs so many characters; longer ones are not kept in memory.
LONGEST_FIELD = 1000
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One event as `Metering.record` takes it, and its line in the file."""

    line: int
    event: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DaysRow:
    """As much of a resource kind on each day of a run; the quantity is not judged here."""

    line: int
    deployment_id: str
    resource_kind: str
    first_day: date
    last_day: date
    quantity: str

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last_day - self.first_day).days + 1

    def each_day(self) -> Iterator[date]:
        """All of its days."""
        return (self.first_day + timedelta(days=n) for n in range(self.days))


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A line that gives no event, and why."""

    line: int
    reason: str


type Rows = Iterator[UsageRow | DaysRow | FaultyRow]
type _Fields = Mapping[str, str]


def read_usage(stream: BinaryIO, name: str) -> tuple[CsvForm, Rows]:
    """Reads a file's form, and its rows as they are written.

    Raises BadInput for a file that holds no usage, and, on the way, for one that is broken.
    """
    rows = csv_rows(stream, name)
    named = header(rows, name)
    form = form_of(named, (EVENTS, DAYS), name)
    names = named.fields
    make = _days if form is DAYS else _event

    def usage_rows() -> Rows:
        for line, all_fields in rows:
            fields = fitted(all_fields, len(names))
            if max(map(len, fields)) > LONGEST_FIELD:
                yield FaultyRow(line, f"a field has more than {LONGEST_FIELD:,} characters")
            elif len(fields) == len(names):
                yield make(line, dict(zip(names, fields, strict=True)))
            else:
                yield FaultyRow(line, f"{len(fields)} fields instead of {len(names)}")

    return form, usage_rows()


def _event(line: int, row: _Fields) -> UsageRow:
    return UsageRow(line, {**row, "occurred_at": with_plain_offset(row["occurred_at"])})


def _days(line: int, row: _Fields) -> DaysRow | FaultyRow:
    first, last = (_day(row[name]) for name in ("first_day", "last_day"))
    if first is None or last is None:
        return FaultyRow(line, "first_day, last_day: must be days such as 2026-04-01")
    days_row = DaysRow(
        line, row["deployment_id"], row["resource_kind"], first, last, row["quantity_per_day"]
    )
    if not 1 <= days_row.days <= MOST_DAYS:
        return FaultyRow(line, f"last_day: must be 0 to {MOST_DAYS - 1} days after first_day")
    return days_row


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
