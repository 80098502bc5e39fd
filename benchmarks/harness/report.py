"""Shows the rows as a table for people and writes them as JSON for programs."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from benchmarks.harness.results import Row, Target, Verdict
from benchmarks.harness.targets import REFERENCE

COLOURS = {
    Verdict.STRETCH: "green",
    Verdict.MET: "green",
    Verdict.MISSED: "bold red",
    Verdict.INFO: "dim",
}
# A ratio's third decimal is noise; a count has no decimals.
FORMATS = {"x": ".2f", "MB": ".1f", "calls": "g", "units": "g", "bytes": "g"}


def show(console: Console, rows: Sequence[Row], notes: Iterable[str]) -> None:
    """Prints the rows by group, the notes, and the targets that were missed."""
    table = Table(title="Benchmarks", title_justify="left", box=None, pad_edge=False)
    table.add_column("Measure", ratio=1)
    for name in ("min", "median", "max"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("target", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for group, members in groupby(rows, key=lambda row: row.group):
        table.add_row(f"\n[bold]{escape(group)}[/]")
        for row in members:
            table.add_row(*_cells(row))
    console.print(table)
    console.print()
    for note in (*filter(None, notes), REFERENCE):
        console.print(f"[dim]{escape(note)}[/]")
    for row in missed(rows):
        assert row.target is not None
        console.print(f"[bold red]MISSED[/] {escape(row.name)}: {escape(row.target.source)}")


def _cells(row: Row) -> list[RenderableType]:
    spread, style = row.spread, FORMATS[row.unit]
    values = [spread.least, spread.middle, spread.most]
    if spread.least == spread.most:
        texts = ["", f"{spread.middle:{style}}", ""]
    else:
        texts = [f"{value:{style}}" for value in values]
    verdict = f"[{COLOURS[row.verdict]}]{row.verdict}[/]"
    return [_name(row), *texts, _target(row.target), verdict]


def _name(row: Row) -> RenderableType:
    name, detail = Text(row.name), Text(row.detail, "dim")
    return Group(Padding(name, (0, 0, 0, 2)), Padding(detail, (0, 0, 0, 4)))


def _target(target: Target | None) -> str:
    if target is None:
        return ""
    stretch = f" ({target.stretch:g})" if target.stretch is not None else ""
    return f"<= {target.limit:g}{stretch}"


def missed(rows: Iterable[Row]) -> list[Row]:
    """Returns the rows that missed their target; one of them fails the run."""
    return [row for row in rows if row.verdict is Verdict.MISSED]


def write(path: Path, rows: Iterable[Row], notes: Iterable[str], quick: bool) -> None:
    """Writes the rows and the notes, and on which machine they were measured."""
    results: dict[str, Any] = {
        "quick": quick,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
        "notes": [note for note in notes if note],
        "rows": [row.as_json() for row in rows],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
