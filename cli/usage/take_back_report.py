"""What taking an import back came to: its rows by outcome, and the months that it changed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell
from cli.usage.corrected_months import MonthChanges, ways_to_the_bill
from invoicing.usage.correction import CorrectionOutcome

GONE = frozenset((CorrectionOutcome.CORRECTED, CorrectionOutcome.UNCHANGED))
# No more lines are held in memory, and shown.
MOST_LINES = 100_000

type JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LineLeft:
    """A line whose usage was not taken back now, and why."""

    line: int
    outcome: CorrectionOutcome
    reason: str


@dataclass(slots=True)
class TakeBackReport:
    """Rows by outcome. A row for days counts once for each of its days."""

    correction_id: str
    dry_run: bool
    counts: Counter[CorrectionOutcome] = field(default_factory=Counter)
    left: Counter[LineLeft] = field(default_factory=Counter)
    # Rows whose lines `left` does not name.
    unlisted: int = 0
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
            for line in lines:
                self._list(LineLeft(line, outcome, reason), 1)
            self.unlisted += rows - len(lines)

    def reject(self, line: int, reason: str, days: int = 1) -> None:
        """Notes days of a line that cannot have been counted."""
        self.counts[CorrectionOutcome.REJECTED] += days
        self._list(LineLeft(line, CorrectionOutcome.REJECTED, reason), days)

    def _list(self, line: LineLeft, rows: int) -> None:
        if line in self.left or len(self.left) < MOST_LINES:
            self.left[line] += rows
        else:
            self.unlisted += rows


def take_back_json(report: TakeBackReport, months: Sequence[JsonObject]) -> dict[str, Any]:
    """Returns the report as JSON, with the months that it changed."""
    return {
        "id": report.correction_id,
        "dry_run": report.dry_run,
        "broken_off": report.broken_off,
        "counts": {outcome.value: report.counts[outcome] for outcome in CorrectionOutcome},
        "rows": [
            asdict(line) | {"events": rows}
            for line, rows in sorted(report.left.items(), key=lambda item: item[0].line)
        ],
        "events_not_listed": report.unlisted,
        "months": list(months),
    }


def lines_table(body: JsonObject) -> Table:
    """Every line that was not taken back now, and why."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Line", "Events", "Outcome", "Reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Reason")
    for row in body["rows"]:
        names = str(row["line"]), str(row["events"]), row["outcome"]
        table.add_row(*names, cell(row["reason"]))
    return table


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
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in body["counts"].items())
    said = f"{'Dry run, nothing changed: ' if body['dry_run'] else ''}{counts}"
    not_listed = body["events_not_listed"]
    yield f"{said}; {not_listed:,} of them not listed" if not_listed else said
    if body["dry_run"]:
        return
    yield from ways_to_the_bill(body["months"])
    if body["counts"]["corrected"]:
        yield (
            "Its ids stay used. To count the right file: "
            "monthend usage import FILE.csv --source NAME, with a new NAME"
        )
