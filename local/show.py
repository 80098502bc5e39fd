"""How the demo tells its steps; invoices and tables look as `monthend` shows them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Steps:
    """Says what is being done, and remembers how long each step took."""

    def __init__(self, output: Console) -> None:
        self.output = output
        self._taken: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step with a spinner while it lasts and one line when it is done."""
        began = time.monotonic()
        with self.output.status(f"{name} ..."):
            yield
        self._done(name, time.monotonic() - began)

    @contextmanager
    def bare_step(self, name: str) -> Iterator[None]:
        """A step that draws its own progress."""
        began = time.monotonic()
        yield
        self._done(name, time.monotonic() - began)

    def _done(self, name: str, seconds: float) -> None:
        self._taken.append((name, seconds))
        self.output.print(f"[green]done[/] {name} [dim]({seconds:.1f} s)[/]")

    def say(self, text: str) -> None:
        """A sentence: wrapped at words for a person, one line for a pipe."""
        self.output.print(text, soft_wrap=not self.output.is_terminal)

    def heading(self, text: str) -> None:
        """A line that begins a new part of the story."""
        self.output.print(f"\n[bold]{text}[/]")

    def table(self) -> Table:
        """Every step with its seconds, and their sum."""
        table = Table(
            title="Where the time went", title_justify="left", show_footer=True, box=SIMPLE_HEAD
        )
        total = sum(seconds for _, seconds in self._taken)
        table.add_column("Step", "Total")
        table.add_column("Seconds", f"{total:.1f}", justify="right")
        for name, seconds in self._taken:
            table.add_row(name, f"{seconds:.1f}")
        return table
