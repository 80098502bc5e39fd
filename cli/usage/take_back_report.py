"""What taking an import back came to: its rows by outcome, and the months that it changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell
from cli.usage.corrected_months import MonthChanges, ways_to_the_bill
from cli.usage.listed_lines import ListedLine, ListedLines, counts_text
from invoicing.usage.correction import CorrectionOutcome

GONE = frozenset((CorrectionOutcome.CORRECTED, CorrectionOutcome.UNCHANGED))

type JsonObject = Mapping[str, Any]


@dataclass(slots=True)
class TakeBackReport:
    """Rows by outcome. A row for days counts once for each of its days."""

    correction_id: str
    dry_run: bool
    counts: Counter[CorrectionOutcome] = field(default_factory=Counter)
    # Lines whose usage was not taken back now.
    left: ListedLines = field(default_factory=ListedLines)
    changes: MonthChanges = field(default_factory=MonthChanges)
    # Whether something may have been taken back, and why it ended before its end.
    begun: bool = False
    broken_off: str | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing stands any more of what the file says."""
        return self.broken_off is None and (+self.counts).keys() <= GONE

    def add(
        self, outcome: CorrectionOutcome, reason: str, lines: Sequence[int], rows: int
    ) -> None:
        """Notes the outcome of so many rows, of which these are the first lines."""
        self.counts[outcome] += rows
        if outcome is not CorrectionOutcome.CORRECTED:
            self.left.add(outcome, reason, lines, rows)

    def reject(self, line: int, reason: str, days: int = 1) -> None:
        """Notes days of a line that cannot have been counted."""
        self.counts[CorrectionOutcome.REJECTED] += days
        self.left.add_events(ListedLine(line, CorrectionOutcome.REJECTED, reason), days)


def take_back_json(report: TakeBackReport, months: Sequence[JsonObject]) -> dict[str, Any]:
    """Returns the report as JSON, with the months that it changed."""
    return {
        "id": report.correction_id,
        "dry_run": report.dry_run,
        "broken_off": report.broken_off,
        "counts": {outcome.value: report.counts[outcome] for outcome in CorrectionOutcome},
        **report.left.json(),
        "months": list(months),
    }


def months_table(body: JsonObject) -> Table:
    """What was taken off each month, and what the month has by now."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Deployment", "Month", "Resource kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Change", "Month now"):
        table.add_column(heading, justify="right", no_wrap=True)
    for month in body["months"]:
        for kind, change in month["change"].items():
            names = cell(month["deployment_id"]), month["period"], cell(kind)
            table.add_row(*names, change, month["total"][kind])
    return table


def take_back_lines(body: JsonObject) -> Iterator[str]:
    """Yields the counts, how it reaches a bill, and how the right usage is counted."""
    said = "Dry run, nothing changed: " if body["dry_run"] else ""
    yield counts_text(said, body["counts"], body["events_not_listed"])
    if body["dry_run"]:
        return
    yield from ways_to_the_bill(body["months"])
    if body["counts"]["corrected"]:
        yield (
            "Its ids stay used. To count the right file: "
            "monthend usage import FILE.csv --source NAME, with a new NAME"
        )
