"""How a month of usage looks to a person: day by day and kind by kind, with its corrections."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.output import show
from cli.terminal.tables import print_table, when
from cli.terminal.text import cell, cells

MINUTES = 16

type JsonObject = Mapping[str, Any]


def show_usage(as_json: bool, body: JsonObject, months: Sequence[JsonObject]) -> None:
    """Prints `body` as JSON, or each of its months as tables, with those without usage named."""
    if as_json:
        show(True, body, Table)
        return
    for month in months:
        for table in (days_table(month), corrections_table(month)):
            if table.row_count:
                print_table(table)
    without = [cell(month["deployment_id"]) for month in months if not month["days"]]
    if without:
        print(f"Nothing counted in {_month(months[0])}: {', '.join(without)}")


def days_table(month: JsonObject) -> Table:
    """What was counted on each day of the billing zone, and in the whole month.

    Quantities are exact and without separators, as `--expect` takes them.
    """
    imported = any(day["imports"] for day in month["days"])
    title = f"{cell(month['deployment_id'])}, {_month(month)}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Day", "Resource kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Quantity", justify="right", no_wrap=True)
    if imported:
        table.add_column("Imported from", overflow="fold")
    for day in month["days"]:
        names = [cells(*day["imports"])] if imported else []
        for row in _rows(day["day"], day["usage"]):
            table.add_row(*row, *names)
            names = []
    if month["days"]:
        table.add_section()
    for row in _rows("Month", month["total"]):
        table.add_row(*row)
    return table


def _rows(label: str, quantities: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for kind, quantity in quantities.items():
        yield label, cell(kind), quantity
        label = ""


def _month(month: JsonObject) -> str:
    return f"{date.fromisoformat(f'{month["period"]}-01'):%B %Y}"


def corrections_table(month: JsonObject) -> Table:
    """Who corrected what, when and why; a row for each kind of a day."""
    title = f"Corrections of {cell(month['deployment_id'])}, {_month(month)}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Day", "Resource kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Before", "After"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("When (UTC)", no_wrap=True)
    for heading in ("By", "Why, and its id"):
        table.add_column(heading, overflow="fold")
    for correction in month["corrections"]:
        for kind, change in correction["changes"].items():
            table.add_row(
                correction["day"],
                cell(kind),
                change["before"],
                change["after"],
                when(correction["at"]),
                cell(correction["by"]),
                cells(correction["reason"], correction["id"]),
            )
    return table
