"""What an import did, for a person and for a program."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cli.usage.listed_lines import ListedLine, ListedLines, counts_text
from invoicing.foundation.billing_calendar import label_after, period_of
from invoicing.invoices.billing_history_table import LATE_MONTHS
from invoicing.usage.metering import COUNTED
from invoicing.usage.usage_event import UsageOutcome
from invoicing.usage.usage_events_table import Judged

NOT_COUNTED = frozenset((UsageOutcome.CONFLICT, UsageOutcome.REJECTED))
MOST_MONTHS = 12


@dataclass(slots=True)
class ImportReport:
    """Rows and days by outcome, the lines to look at, and the months that were counted.

    A row for days counts once for each of its days, whether or not it was counted in one sum with
    others: the counts do not depend on the order of a file.
    """

    dry_run: bool = False
    counts: Counter[UsageOutcome] = field(default_factory=Counter)
    # Lines whose events were not counted, or not as they stand there.
    listed: ListedLines = field(default_factory=ListedLines)
    # Labels such as 2026-04. A duplicate's month is included: the import that counted it may have
    # been broken off before it reported the month.
    months: set[str] = field(default_factory=set)
    # Whether something may have been counted, and why the import ended before its end.
    begun: bool = False
    broken_off: str | None = None

    def add(self, judged: Judged, lines: Sequence[int], rows: int = 1, month: str = "") -> None:
        """Notes the outcome of so many rows, of which these are the first lines."""
        self.counts[judged.outcome] += rows
        if judged.outcome in COUNTED:
            self.months.add(month)
        if judged.outcome in NOT_COUNTED or judged.reason:
            self.listed.add(judged.outcome, judged.reason, lines, rows)

    def reject(self, line: int, reason: str, days: int = 1) -> None:
        """Notes that days of a line are rejected."""
        self.counts[UsageOutcome.REJECTED] += days
        self.listed.add_events(ListedLine(line, UsageOutcome.REJECTED, reason), days)

    @property
    def outcomes(self) -> dict[str, int]:
        """How many events had each outcome."""
        return {outcome.value: self.counts[outcome] for outcome in UsageOutcome}


def import_json(report: ImportReport) -> dict[str, Any]:
    """The report of an import as JSON."""
    return {
        "dry_run": report.dry_run,
        "broken_off": report.broken_off,
        "counts": report.outcomes,
        **report.listed.json(),
    }


def import_summary(report: ImportReport) -> str:
    """`1,087 accepted, 0 duplicate, 0 conflict, 0 rejected`."""
    said = "Dry run, nothing written: " if report.dry_run else ""
    return counts_text(said, report.outcomes, report.listed.unlisted)


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
