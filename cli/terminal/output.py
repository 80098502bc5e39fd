"""Where a command's words go: results to standard output, everything else to standard error."""

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
from cli.terminal.show import console, print_table


def show(as_json: bool, document: Any, table: Callable[[], Table], summary: str = "") -> None:
    """The result, as JSON or as a table with a summary below it; no table without rows."""
    if as_json:
        print(json.dumps(document, indent=2, default=str))
        return
    shown = table()
    if shown.row_count:
        print_table(shown)
    if summary:
        print(summary)


def show_what_can_be_shown() -> None:
    """From here on, what the terminal's encoding lacks is a question mark, and not an error."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def give_up_writing(told: str, error: OSError) -> ExitCode:
    """The end of a command whose output goes nowhere; a reader who has left is told nothing."""
    # Python would write the rest at its end, and complain once more in its own words.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        return ExitCode.REFUSED
    complain(told)
    return ExitCode.NOT_REACHABLE


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
