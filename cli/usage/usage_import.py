"""`monthend usage import`: events through the same code as the API's, exactly once.

Nothing is remembered on this side. An import that was broken off is run again from its start:
what had been counted is then a duplicate.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import batched
from time import sleep
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell
from cli.usage.usage_file import FaultyRow, UsageRow
from invoicing.foundation.billing_calendar import label_after, period_of
from invoicing.invoices.billing_history_table import LATE_MONTHS
from invoicing.usage.metering import COUNTED, EVENTS_A_CALL
from invoicing.usage.usage_event import UsageOutcome, UsageResult
from invoicing.usage.usage_events_table import UsageNotRecorded

# As many rows are held in memory, so that events of a deployment and day come together.
ROWS_SORTED = 20_000
TRIES = 4
PAUSE_SECONDS = 2.0
NOT_COUNTED = frozenset((UsageOutcome.CONFLICT, UsageOutcome.REJECTED))
MOST_MONTHS = 12


class Recorder(Protocol):
    """`invoicing.metering.Metering`, or a test's own."""

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]: ...


@dataclass(frozen=True, slots=True)
class UncountedLine:
    """A line whose events were not counted, and why."""

    line: int
    outcome: UsageOutcome
    reason: str


@dataclass(slots=True)
class ImportReport:
    """Events by what became of them, the lines that were not counted, the months that were."""

    counts: Counter[UsageOutcome] = field(default_factory=Counter)
    problems: Counter[UncountedLine] = field(default_factory=Counter)
    # Labels such as 2026-04. A duplicate's month is one too: the import that counted it may have
    # been broken off before it told of it.
    months: set[str] = field(default_factory=set)

    def add(self, line: int, outcome: UsageOutcome, reason: str) -> None:
        """Notes what became of one event of a line."""
        self.counts[outcome] += 1
        if outcome in NOT_COUNTED:
            self.problems[UncountedLine(line, outcome, reason)] += 1

    @property
    def in_order(self) -> list[tuple[UncountedLine, int]]:
        """The problems by line, each with the number of its events."""
        return sorted(self.problems.items(), key=lambda found: found[0].line)


def import_usage(
    recorder: Recorder,
    rows: Iterable[UsageRow | FaultyRow],
    received: datetime,
    zone: ZoneInfo,
    advance: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Records all rows and reports on each; months are those of the billing zone.

    Raises UsageNotRecorded when DynamoDB stays busy.
    """
    report = ImportReport()
    for window in batched(rows, ROWS_SORTED, strict=False):
        faulty = [row for row in window if isinstance(row, FaultyRow)]
        for row in faulty:
            report.add(row.line, UsageOutcome.REJECTED, row.reason)
        advance(len(faulty))
        events = sorted((row for row in window if isinstance(row, UsageRow)), key=_cheapest)
        for batch in batched(events, EVENTS_A_CALL, strict=False):
            results = _record(recorder, [row.event for row in batch], received)
            for event, result in zip(batch, results, strict=True):
                report.add(event.line, result.outcome, result.reason)
                if result.outcome in COUNTED:
                    report.months.add(_month(event, zone))
            advance(len(batch))
    return report


def _month(row: UsageRow, zone: ZoneInfo) -> str:
    # Of an event that was counted: its time has been read already, in small letters or in large.
    occurred = datetime.fromisoformat(row.event["occurred_at"].upper())
    return f"{occurred.astimezone(zone):%Y-%m}"


def _cheapest(row: UsageRow) -> tuple[str, str]:
    """Events of a deployment and day share transactions, so they come together.

    Days before deployments: neighbours are written side by side, and those of one deployment
    would wait for each other at the total of its month.
    """
    return row.event["occurred_at"][:10], row.event["deployment_id"]


def _record(
    recorder: Recorder, events: Sequence[Mapping[str, str]], received: datetime
) -> list[UsageResult]:
    for attempt in range(1, TRIES):
        try:
            return recorder.record(events, received)
        except UsageNotRecorded:
            sleep(PAUSE_SECONDS * attempt)
    return recorder.record(events, received)


def import_json(report: ImportReport) -> dict[str, Any]:
    """The report of an import as JSON shows it."""
    return {
        "counts": {outcome.value: report.counts[outcome] for outcome in UsageOutcome},
        "rows": [asdict(problem) | {"events": events} for problem, events in report.in_order],
    }


def import_summary(report: ImportReport) -> str:
    """`1,087 accepted, 0 duplicate, 0 conflict, 0 rejected`."""
    return ", ".join(f"{report.counts[outcome]:,} {outcome}" for outcome in UsageOutcome)


def too_late_warning(report: ImportReport, now: datetime, zone: ZoneInfo) -> str | None:
    """What to say of months that no coming month-end looks at for late usage, if there are any."""
    first = label_after(period_of(now, zone), -LATE_MONTHS)
    old = sorted(label for label in report.months if label < first)
    if not old:
        return None
    named = ", ".join(old[:MOST_MONTHS])
    more = f" and {len(old) - MOST_MONTHS:,} more" if len(old) > MOST_MONTHS else ""
    return (
        f"Warning: usage of {named}{more}, more than {LATE_MONTHS} months back: of a month that "
        "is issued already, no later invoice bills it."
    )


def import_table(report: ImportReport) -> Table:
    """Every line that was not counted, and why."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Line", "Events", "Outcome", "Reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Reason")
    for problem, events in report.in_order:
        table.add_row(str(problem.line), str(events), problem.outcome.value, cell(problem.reason))
    return table
