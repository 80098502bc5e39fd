"""Where a command writes: results to standard output, everything else to standard error."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from cli.terminal.errors import ExitCode, one_line
from cli.terminal.tables import console, print_table


def show(as_json: bool, body: Any, table: Callable[[], Table], summary: str = "") -> None:
    """Prints the result as JSON, or as a table and a summary; a table without rows is left out."""
    if as_json:
        print(json.dumps(body, indent=2, default=str))
        return
    shown = table()
    if shown.row_count:
        print_table(shown)
    if summary:
        print(summary)


def show_what_can_be_shown() -> None:
    """From here on, what the terminal's encoding lacks is printed as `?` and raises no error."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def give_up_writing(complaint: str, error: OSError) -> ExitCode:
    """Ends a command whose output cannot be written; complains unless the reader has left."""
    # At its end, Python would write the rest and complain again in its own words.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        return ExitCode.REFUSED
    complain(complaint)
    return ExitCode.NOT_REACHABLE


def complain(text: str) -> None:
    """Prints one line on standard error."""
    print(one_line(text), file=sys.stderr)


@contextmanager
def progress(about: str, total: Callable[[], int]) -> Iterator[Callable[[int], None]]:
    """Shows a bar on standard error if a person watches; otherwise `total` is not even called."""
    output = console(stderr=True)
    if not output.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=output, transient=True) as bar:
        task = bar.add_task(about, total=total())
        yield lambda done: bar.advance(task, done)
