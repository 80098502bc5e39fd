"""Where a command's words go: results to standard output, everything else to standard error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.errors import one_line
from cli.show import console


def show(as_json: bool, document: Any, table: Callable[[], Table], summary: str = "") -> None:
    """The result, as JSON or as a table with a summary below it; no table without rows."""
    if as_json:
        print(json.dumps(document, indent=2, default=str))
        return
    shown = table()
    if shown.row_count:
        console().print(shown)
    if summary:
        print(summary)


def complain(text: str) -> None:
    """One line on standard error."""
    print(one_line(text), file=sys.stderr)


@contextmanager
def progress(about: str, total: Callable[[], int]) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while a person watches; otherwise no total is even asked for."""
    output = console(stderr=True)
    if not output.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=output, transient=True) as bar:
        task = bar.add_task(about, total=total())
        yield lambda done: bar.advance(task, done)
