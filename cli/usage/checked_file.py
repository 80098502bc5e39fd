"""Reads a file of usage whole before its first event is counted: a broken one is refused whole.

Rows of events are only looked at, and read again when they are counted. Rows for days are kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from sqlite3 import Error as DatabaseError
from typing import Protocol

from cli.terminal.errors import BadInput
from cli.usage.day_events import DayEvents
from cli.usage.days_store import DaysStore, StoredDays
from cli.usage.input_file import InputFile
from cli.usage.usage_file import DAYS, DaysRow, FaultyRow, Rows, UsageRow, read_usage
from invoicing.usage.usage_event import UsageResult

ROWS_AT_ONCE = 10_000


class Rejecting(Protocol):
    """The report of what is done with the file."""

    def reject(self, line: int, reason: str, days: int = 1) -> None: ...


@dataclass(slots=True)
class CheckedFile:
    """A file that can be read to its end; `days` holds its rows if they are rows for days.

    `events` is how many it has, one for each day of a row; `lines` is the line of its last row.
    """

    file: InputFile
    days: DaysStore | None
    events: int = 0
    lines: int = 0

    def add(
        self,
        rows: Sequence[UsageRow | DaysRow | FaultyRow],
        events: DayEvents,
        report: Rejecting,
    ) -> None:
        """Takes note of rows, and keeps those for days."""
        self.lines = rows[-1].line
        self.events += sum(row.days if isinstance(row, DaysRow) else 1 for row in rows)
        if self.days is None:
            return
        try:
            self.days.add(kept for row in rows for kept in _kept(row, events, report))
        except DatabaseError as error:
            raise BadInput(f"{self.file.shown}: the temporary file: {error}") from error

    def refuse_source(self, source: str | None) -> None:
        """Raises BadInput if a source is given for events that have their own."""
        if source is not None and self.days is None:
            raise BadInput(f"--source: the events of {self.file.shown} have sources of their own")

    def rows(self) -> Rows:
        """Reads the rows from the start."""
        return read_usage(self.file.stream, self.file.shown)[1]


@contextmanager
def checked(
    file: InputFile,
    events: DayEvents,
    report: Rejecting,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[CheckedFile]:
    """Reads the whole file, telling `advance` the bytes; rejects days that cannot be counted.

    Raises BadInput for a file that is broken anywhere, and for one that does not fit on the disk.
    """
    form, rows = read_usage(file.stream, file.shown)
    with closing(DaysStore()) as days:
        whole = CheckedFile(file, days if form is DAYS else None)
        done = 0
        for some in batched(rows, ROWS_AT_ONCE, strict=False):
            whole.add(some, events, report)
            before, done = done, file.stream.tell()
            advance(done - before)
        yield whole


def _kept(
    row: UsageRow | DaysRow | FaultyRow, events: DayEvents, report: Rejecting
) -> Iterator[StoredDays]:
    """Yields the days of a row that may be counted; rejects all others."""
    if isinstance(row, FaultyRow):
        report.reject(row.line, row.reason)
    if not isinstance(row, DaysRow):
        return
    oldest, newest = events.accepted
    fault = events.fault(row.deployment_id, row.resource_kind, row.quantity)
    if fault:
        report.reject(row.line, fault, row.days)
    else:
        _reject_others(row, events, report)
    first, last = max(row.first_day, oldest), min(row.last_day, newest)
    # A quantity that cannot be read spoils the sums that it belongs to; no other field says what
    # it belongs to if it cannot be read itself.
    if first <= last and not (fault and events.fault(row.deployment_id, row.resource_kind, "0")):
        yield StoredDays(
            row.deployment_id,
            row.resource_kind,
            row.line,
            first.isoformat(),
            last.isoformat(),
            None if fault else row.quantity,
        )


def _reject_others(row: DaysRow, events: DayEvents, report: Rejecting) -> None:
    """Rejects the days of a row that are too old, or ahead of their time."""
    oldest, newest = events.accepted
    for days, beyond in (
        ((oldest - row.first_day).days, oldest - timedelta(days=1)),
        ((row.last_day - newest).days, newest + timedelta(days=1)),
    ):
        if days > 0:
            event = events.read(row.deployment_id, row.resource_kind, beyond, row.quantity)
            assert isinstance(event, UsageResult)
            report.reject(row.line, event.reason, min(days, row.days))
