"""How the demo looks: tables and lines for a person, plain text in a pipe."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 100
ISO_DATE = 10


def console() -> Console:
    """A console that knows whether a person or a pipe is at the other end."""
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return Console(highlight=False)
    return Console(highlight=False, force_terminal=False, no_color=True, width=PIPE_WIDTH)


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


def money(cents: int) -> str:
    """Cents as people write them: 7064 is `70.64`, 123456 is `1,234.56`."""
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{part:02}"


def day(text: str | None) -> str:
    """An ISO date or time as `1 May 2026`; a dash if there is none."""
    if text is None:
        return "-"
    moment = date.fromisoformat(text[:ISO_DATE])
    return f"{moment.day} {moment:%B %Y}"


def invoices_table(headers: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    """One row per invoice, and the sum of each column of money."""
    sums = {
        name: sum(header[f"{name}_cents"] for header in headers)
        for name in ("subtotal", "tax", "total")
    }
    table = Table(
        title=f"{len(headers)} invoices of April 2026",
        title_justify="left",
        show_footer=True,
        box=SIMPLE_HEAD,
    )
    table.add_column("Number")
    table.add_column("Customer", "All")
    table.add_column("Status")
    for name, title in (("subtotal", "Subtotal"), ("tax", "GST"), ("total", "Total")):
        table.add_column(title, money(sums[name]), justify="right")
    for header in sorted(headers, key=lambda each: str(each["number"])):
        amounts = [money(header[f"{name}_cents"]) for name in sums]
        table.add_row(
            header["number"], names[header["tenant_id"]], f"{header['status']}", *amounts
        )
    return table


def invoice_table(invoice: Mapping[str, Any], name: str) -> Table:
    """One invoice in full, as its reader would want it."""
    table = Table(
        title=f"Invoice {invoice['number']} for {name}\n{_dates(invoice)}",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    table.add_column("Description")
    for title in ("Quantity", "Unit", "Unit price", invoice["currency"]):
        table.add_column(title, justify="right")
    for line in invoice["lines"]:
        if line["kind"] != "tax":
            table.add_row(*_columns(line))
    table.add_section()
    table.add_row("Subtotal", "", "", "", money(invoice["subtotal_cents"]))
    for line in invoice["lines"]:
        if line["kind"] == "tax":
            table.add_row(line["description"], "", "", "", money(line["amount_cents"]))
    table.add_section()
    table.add_row("[bold]Total", "", "", "", f"[bold]{money(invoice['total_cents'])}")
    return table


def _columns(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        line["description"],
        line["quantity"],
        line["unit"],
        line["unit_price"],
        money(line["amount_cents"]),
    )


def _dates(invoice: Mapping[str, Any]) -> str:
    period = date.fromisoformat(invoice["period_start"])
    dates = f"{period:%B %Y}, {invoice['status']}"
    if invoice["issued_at"] is None:
        return dates
    return f"{dates} {day(invoice['issued_at'])}, due {day(invoice['due_on'])}"
