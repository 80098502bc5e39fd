"""Runs an import from its file to its report, and says what became of one that is broken off."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Error as DatabaseError

from cli.stack.stack import Stack
from cli.terminal.errors import CommandError, aws_fault
from cli.terminal.interrupts import stopping_gently
from cli.terminal.output import complain, progress
from cli.usage.checked_file import CheckedFile, checked
from cli.usage.day_events import SOURCE, DayEvents
from cli.usage.dry_run import DryRun
from cli.usage.earlier_imports import EarlierImports
from cli.usage.import_report import ImportReport
from cli.usage.input_file import InputFile
from cli.usage.usage_import import Recorder, UsageImport
from invoicing.usage.metering import Metering
from invoicing.usage.recorded_events_table import RecordedEventsTable
from invoicing.usage.usage_events_table import UsageEventsTable

# Beyond so many ids of earlier imports a person is told what takes so long.
MANY_LOOKUPS = 1_000_000


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What a person asked for; `stated` if they said when the events were received."""

    received: datetime
    stated: bool
    source: str | None = None
    dry_run: bool = False


def run_import(stack: Stack, file: InputFile, order: ImportOrder) -> ImportReport:
    """Imports a file; the report says if it was broken off after its first events.

    Raises BadInput for a file that cannot be used, and whatever else happened before its first
    event was counted.
    """
    report = ImportReport(order.dry_run)
    events = DayEvents(stack.zone, order.received, order.source or SOURCE)
    with ExitStack() as held:
        with progress("bytes read", lambda: file.size) as advance:
            whole = held.enter_context(checked(file, events, report, advance))
        whole.refuse_source(order.source)
        left = whole.events - report.counts.total()
        advance = held.enter_context(progress("events", lambda: left))
        pause = held.enter_context(stopping_gently())
        recorder = held.enter_context(_recorder(stack, file, order))
        try:
            _count(stack, whole, UsageImport(recorder, events, report, advance, pause))
        except (Exception, KeyboardInterrupt) as error:
            reason = broken_off_by(error)
            if reason is None or order.dry_run or not report.begun:
                raise
            report.broken_off = reason
    return report


@contextmanager
def _recorder(stack: Stack, file: InputFile, order: ImportOrder) -> Iterator[Recorder]:
    table_name = stack.settings.usage_table
    if order.dry_run:
        recorded = RecordedEventsTable(table_name)
        with closing(DryRun(stack.accounts, recorded, stack.zone)) as dry_run:
            yield dry_run
        return
    table = UsageEventsTable(table_name, forgets=not order.stated, imported_from=file.name)
    yield Metering(stack.accounts, table, stack.zone)


def _count(stack: Stack, whole: CheckedFile, counting: UsageImport) -> None:
    if whole.days is None:
        counting.count_events(whole.rows())
        return
    earlier = EarlierImports.of_file(stack, whole, whole.days, counting.events)
    if earlier is not None:
        earlier.looked_up = _Lookups(counting).looked_up
    counting.count_days(whole.days, stack.accounts.owners, earlier)


@dataclass(slots=True)
class _Lookups:
    """Tells a person once if an import looks for very many ids of earlier ones."""

    counting: UsageImport
    ids: int = 0

    def looked_up(self, ids: int) -> None:
        self.counting.pause()
        before, self.ids = self.ids, self.ids + ids
        if before < MANY_LOOKUPS <= self.ids:
            complain(
                f"More than {MANY_LOOKUPS:,} ids of earlier imports of this file are looked for; "
                "a file that adds to what is counted needs none with --source (docs/cli.md)"
            )


def broken_off_by(error: BaseException) -> str | None:
    """What broke an import off; None for an error of our own."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped"
    if isinstance(error, (CommandError, DatabaseError)):
        return str(error)
    return aws_fault(error)
