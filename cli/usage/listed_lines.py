"""The lines of a file that a report names, each with what became of it and why."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell

# A file may have millions of faulty lines; no more of them are held in memory, and shown.
MOST_LINES = 100_000


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line that somebody should look at, and why."""

    line: int
    outcome: StrEnum
    reason: str


@dataclass(slots=True)
class ListedLines:
    """Lines, each with the number of its events. `unlisted` counts what is not named by a line."""

    events: Counter[ListedLine] = field(default_factory=Counter)
    unlisted: int = 0

    def add(self, outcome: StrEnum, reason: str, lines: Sequence[int], rows: int) -> None:
        """Lists so many rows, of which these are the first lines."""
        for line in lines:
            self.add_events(ListedLine(line, outcome, reason), 1)
        self.unlisted += rows - len(lines)

    def add_events(self, line: ListedLine, events: int) -> None:
        """Lists events of one line."""
        if line in self.events or len(self.events) < MOST_LINES:
            self.events[line] += events
        else:
            self.unlisted += events

    @property
    def in_order(self) -> list[tuple[ListedLine, int]]:
        """The lines by number, each with the number of its events."""
        return sorted(self.events.items(), key=lambda item: item[0].line)

    def json(self) -> dict[str, Any]:
        """The lines as a report shows them, and how many events it does not list."""
        return {
            "rows": [asdict(line) | {"events": events} for line, events in self.in_order],
            "events_not_listed": self.unlisted,
        }


def lines_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Every listed line, with what became of it and why."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Line", "Events", "Outcome", "Reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "Reason")
    for row in rows:
        names = str(row["line"]), str(row["events"]), str(row["outcome"])
        table.add_row(*names, cell(row["reason"]))
    return table


def counts_text(said: str, counts: Mapping[str, int], unlisted: int) -> str:
    """`1,087 accepted, 0 duplicate`, after what is `said`, and how many are not listed."""
    text = said + ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items())
    return f"{text}; {unlisted:,} of them not listed" if unlisted else text
