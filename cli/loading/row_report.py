"""The result of each row of a load, for a person and for a program."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.text import cell


class RowResult(StrEnum):
    """The result of a row; in a dry run, `stored` means that it would be stored."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One plan, add-on, tenant or subscription of a load."""

    kind: str
    id: str
    place: str
    result: RowResult
    reason: str = ""


def load_json(rows: Sequence[ReportRow], dry_run: bool) -> dict[str, Any]:
    """The report of a load as JSON."""
    return {
        "dry_run": dry_run,
        "counts": _counts(rows),
        "rows": [asdict(row) for row in rows],
    }


def load_summary(rows: Sequence[ReportRow], dry_run: bool) -> str:
    """`64 stored, 0 unchanged, 0 refused`."""
    counts = ", ".join(f"{count:,} {result}" for result, count in _counts(rows).items())
    return f"{'Dry run, nothing written: ' if dry_run else ''}{counts}"


def load_table(rows: Sequence[ReportRow]) -> Table:
    """The report of a load as a table: every row with its result, place and reason."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Result", "Row", "Id", "Place", "Reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Result")
    for row in rows:
        style = "red" if row.result is RowResult.REFUSED else None
        values = (row.result.value, row.kind, row.id, row.place, row.reason)
        table.add_row(*map(cell, values), style=style)
    return table


def any_refused(rows: Sequence[ReportRow]) -> bool:
    """Whether any row was refused."""
    return any(row.result is RowResult.REFUSED for row in rows)


def _counts(rows: Sequence[ReportRow]) -> dict[str, int]:
    counts = Counter(row.result for row in rows)
    return {result.value: counts[result] for result in RowResult}
