"""Shows the steps of the demo; its invoices and tables look as `monthend` shows them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Steps:
    """Shows what is being done, and remembers how long each step took."""

    def __init__(self, output: Console) -> None:
        self.output = output
        self._durations: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Runs the block as a step: a spinner while it lasts, one line when it is done."""
        began = time.monotonic()
        with self.output.status(f"{name} ..."):
            yield
        self._done(name, time.monotonic() - began)

    @contextmanager
    def bare_step(self, name: str) -> Iterator[None]:
        """Runs the block as a step that draws its own progress."""
        began = time.monotonic()
        yield
        self._done(name, time.monotonic() - began)

    def _done(self, name: str, seconds: float) -> None:
        self._durations.append((name, seconds))
        self.output.print(f"[green]done[/] {name} [dim]({seconds:.1f} s)[/]")

    def say(self, text: str) -> None:
        """Prints a sentence: wrapped at words for a person, on one line for a pipe."""
        self.output.print(text, soft_wrap=not self.output.is_terminal)

    def heading(self, text: str) -> None:
        """Prints the heading of a new part."""
        self.output.print(f"\n[bold]{text}[/]")

    def table(self) -> Table:
        """Returns a table of the steps with their seconds, and of the sum."""
        table = Table(
            title="Where the time went", title_justify="left", show_footer=True, box=SIMPLE_HEAD
        )
        total = sum(seconds for _, seconds in self._durations)
        table.add_column("Step", "Total")
        table.add_column("Seconds", f"{total:.1f}", justify="right")
        for name, seconds in self._durations:
            table.add_row(name, f"{seconds:.1f}")
        return table
