"""How a correction looks to a person: before and after, and how it reaches a bill."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.tables import when
from cli.terminal.text import cell
from cli.usage.corrected_months import ways_to_the_bill

type JsonObject = Mapping[str, Any]


def correction_table(body: JsonObject) -> Table:
    """What stood of each kind, what stands now, and what the month has by now."""
    table = Table(box=SIMPLE_HEAD)
    for heading in ("Deployment", "Day", "Resource kind"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Before", "After", "Month now"):
        table.add_column(heading, justify="right", no_wrap=True)
    totals = {
        (month["deployment_id"], month["period"]): month["total"] for month in body["months"]
    }
    for day in body["days"]:
        total = totals[day["deployment_id"], day["day"][:7]]
        for kind, change in day["changes"].items():
            names = cell(day["deployment_id"]), day["day"], cell(kind)
            table.add_row(*names, change["before"], change["after"], total[kind])
    return table


def correction_summary(body: JsonObject) -> str:
    """By whom it was made if it is a repeat, and how it reaches a bill."""
    return "\n".join(_lines(body))


def _lines(body: JsonObject) -> Iterator[str]:
    if body["repeated"]:
        made = f"made by {body['by']} on {when(body['at'])} UTC"
        yield f"Correction {body['id']} was {made}: nothing was changed again."
    yield from ways_to_the_bill(body["months"])
