"""What became of each row of a load, for a person and for a program."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell


class Result(StrEnum):
    """`stored` is what would be stored, in a dry run."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One plan, add-on, tenant or subscription of a load."""

    kind: str
    id: str
    place: str
    result: Result
    reason: str = ""


def load_document(rows: Sequence[Row], dry_run: bool) -> dict[str, Any]:
    """The report of a load as JSON shows it."""
    return {
        "dry_run": dry_run,
        "counts": _counts(rows),
        "rows": [asdict(row) for row in rows],
    }


def load_summary(rows: Sequence[Row], dry_run: bool) -> str:
    """`64 stored, 0 unchanged, 0 refused`."""
    counts = ", ".join(f"{count:,} {result}" for result, count in _counts(rows).items())
    return f"{'Dry run, nothing written: ' if dry_run else ''}{counts}"


def load_table(rows: Sequence[Row]) -> Table:
    """The report of a load: every row with its place, and what was against it."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Result", "Row", "Id", "Place", "Reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Result")
    for row in rows:
        style = "red" if row.result is Result.REFUSED else None
        told = (row.result.value, row.kind, row.id, row.place, row.reason)
        table.add_row(*map(cell, told), style=style)
    return table


def any_refused(rows: Sequence[Row]) -> bool:
    """Whether the command has something to answer for."""
    return any(row.result is Result.REFUSED for row in rows)


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    counts = Counter(row.result for row in rows)
    return {result.value: counts[result] for result in Result}
