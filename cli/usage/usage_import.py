"""`monthend usage import`: records events by the same code as the API, exactly once.

The import remembers nothing. One that was broken off is run again from its start: what had been
counted is then a duplicate.
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

# How many rows are held in memory, so that events of a deployment and day come together.
ROWS_SORTED = 20_000
TRIES = 4
PAUSE_SECONDS = 2.0
NOT_COUNTED = frozenset((UsageOutcome.CONFLICT, UsageOutcome.REJECTED))
MOST_MONTHS = 12


class Recorder(Protocol):
    """`invoicing.usage.metering.Metering`, or a test's own recorder."""

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]: ...


@dataclass(frozen=True, slots=True)
class UncountedLine:
    """A line whose events were not counted, and why."""

    line: int
    outcome: UsageOutcome
    reason: str


@dataclass(slots=True)
class ImportReport:
    """Events by outcome, the lines that were not counted, and the months that were."""

    counts: Counter[UsageOutcome] = field(default_factory=Counter)
    problems: Counter[UncountedLine] = field(default_factory=Counter)
    # Labels such as 2026-04. A duplicate's month is included: the import that counted it may have
    # been broken off before it reported the month.
    months: set[str] = field(default_factory=set)

    def add(self, line: int, outcome: UsageOutcome, reason: str) -> None:
        """Notes the outcome of one event of a line."""
        self.counts[outcome] += 1
        if outcome in NOT_COUNTED:
            self.problems[UncountedLine(line, outcome, reason)] += 1

    @property
    def in_order(self) -> list[tuple[UncountedLine, int]]:
        """The problems by line, each with the number of its events."""
        return sorted(self.problems.items(), key=lambda problem: problem[0].line)


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
    # The event was counted, so its time is valid, in lower or in upper case.
    occurred = datetime.fromisoformat(row.event["occurred_at"].upper())
    return f"{occurred.astimezone(zone):%Y-%m}"


def _cheapest(row: UsageRow) -> tuple[str, str]:
    """The order of events: those of a deployment and day come together and share transactions.

    The day comes before the deployment: neighbours are written in parallel, and those of one
    deployment would wait for each other at the total of its month.
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
    """The report of an import as JSON."""
    return {
        "counts": {outcome.value: report.counts[outcome] for outcome in UsageOutcome},
        "rows": [asdict(problem) | {"events": events} for problem, events in report.in_order],
    }


def import_summary(report: ImportReport) -> str:
    """`1,087 accepted, 0 duplicate, 0 conflict, 0 rejected`."""
    return ", ".join(f"{report.counts[outcome]:,} {outcome}" for outcome in UsageOutcome)


def too_late_warning(report: ImportReport, now: datetime, zone: ZoneInfo) -> str | None:
    """A warning of months too old for a coming month-end to look at for late usage, or None."""
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
