"""How quotes and invoices look to a person: tables, and plain text in a pipe."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.terminal.text import cell

PIPE_WIDTH = 100
ISO_DATE, ISO_MINUTES = 10, 16
# The fewest characters that the column of a name or a reason has, on the narrowest terminal.
NARROWEST = 8
# The width that a column takes beside its text (two blanks and a line), and the table's edges.
BESIDE, EDGES = 3, 1


def console(*, stderr: bool = False) -> Console:
    """A console for a person at a terminal; for a pipe or a dumb terminal, a plain one."""
    stream = sys.stderr if stderr else sys.stdout
    if stream.isatty() and os.environ.get("TERM") != "dumb":
        return Console(highlight=False, stderr=stderr)
    return Console(
        highlight=False, stderr=stderr, force_terminal=False, no_color=True, width=PIPE_WIDTH
    )


def print_table(table: Table) -> None:
    """Prints a table with all of its figures, however narrow the terminal.

    Names and reasons give way first. What may not wrap (money, numbers, ids) is never cut, even if
    the lines become longer than the terminal is wide.
    """
    output = console()
    for column in table.columns:
        texts = (column.header, column.footer, *column.cells)
        lines = [line for text in texts for line in Text.from_markup(str(text)).split()]
        widest = max(line.cell_len for line in lines)
        column.min_width = widest if column.no_wrap else min(widest, NARROWEST)
    needed = sum(BESIDE + (column.min_width or 0) for column in table.columns) + EDGES
    # With less width than it needs, the table would leave out whole columns.
    output.width = max(output.width, needed)
    output.print(table)


def money(cents: int) -> str:
    """Cents as people write them: 7064 is `70.64`, 123456 is `1,234.56`."""
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{part:02}"


def day(text: str | None) -> str:
    """An ISO date or time as `1 May 2026`; a dash for None."""
    if text is None:
        return "-"
    moment = date.fromisoformat(text[:ISO_DATE])
    return f"{moment.day} {moment:%B %Y}"


def when(text: str) -> str:
    """A UTC time in ISO format as `2026-05-01 03:00`."""
    return text.replace("T", " ")[:ISO_MINUTES]


def invoices_table(
    headers: Sequence[Mapping[str, Any]], title: str, names: Mapping[str, str] | None = None
) -> Table:
    """One row per invoice, and the sum of each money column; tenants by name if known."""
    sums = {
        name: sum(header[f"{name}_cents"] for header in headers)
        for name in ("subtotal", "tax", "total")
    }
    table = Table(title=title, title_justify="left", show_footer=True, box=SIMPLE_HEAD)
    table.add_column("Number", no_wrap=True)
    table.add_column("Customer", "All", overflow="fold")
    table.add_column("Status", no_wrap=True)
    for name, heading in (("subtotal", "Subtotal"), ("tax", "GST"), ("total", "Total")):
        table.add_column(heading, money(sums[name]), justify="right", no_wrap=True)
    for header in sorted(headers, key=lambda header: str(header["number"])):
        amounts = [money(header[f"{name}_cents"]) for name in sums]
        tenant_id = header["tenant_id"]
        name = (names or {}).get(tenant_id, tenant_id)
        table.add_row(header["number"], cell(name), f"{header['status']}", *amounts)
    return table


def invoice_table(invoice: Mapping[str, Any], name: str) -> Table:
    """One invoice in full, with its customer's name and its dates."""
    return lines_table(invoice, f"Invoice {invoice['number']} for {cell(name)}\n{_dates(invoice)}")


def lines_table(priced: Mapping[str, Any], title: str) -> Table:
    """The lines and sums of an invoice or a quote."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Description", overflow="fold")
    for heading in ("Quantity", "Unit", "Unit price", priced["currency"]):
        table.add_column(heading, justify="right", no_wrap=heading != "Unit")
    for line in priced["lines"]:
        if line["kind"] != "tax":
            table.add_row(*_columns(line))
    table.add_section()
    table.add_row("Subtotal", "", "", "", money(priced["subtotal_cents"]))
    for line in priced["lines"]:
        if line["kind"] == "tax":
            table.add_row(line["description"], "", "", "", money(line["amount_cents"]))
    table.add_section()
    table.add_row("[bold]Total", "", "", "", f"[bold]{money(priced['total_cents'])}")
    return table


def _columns(line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        cell(line["description"]),
        line["quantity"],
        cell(line["unit"]),
        line["unit_price"],
        money(line["amount_cents"]),
    )


def _dates(invoice: Mapping[str, Any]) -> str:
    period = date.fromisoformat(invoice["period_start"])
    revision = f", revision {invoice['revision']}" if invoice["revision"] > 1 else ""
    dates = f"{period:%B %Y}{revision}, {invoice['status']}"
    if invoice["issued_at"] is None:
        return dates
    issued = "" if invoice["status"] == "issued" else ", issued"
    return f"{dates}{issued} {day(invoice['issued_at'])}, due {day(invoice['due_on'])}"


def change_line(change: Mapping[str, Any]) -> str:
    """`+4.20 Overage: hours (2160 used) -> Overage: hours (2580 used)`."""
    before, after = ((change[side] or {}).get("description") for side in ("before", "after"))
    cents = change["cents"]
    amount = f"{'+' if cents >= 0 else ''}{money(cents)}"
    if before is None or after is None:
        return f"{amount} {f'new: {after}' if before is None else f'gone: {before}'}"
    return f"{amount} {before}" + ("" if before == after else f" -> {after}")
