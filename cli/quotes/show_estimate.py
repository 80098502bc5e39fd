"""How an estimate looks to a person: the bill to date beside the projection."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.tables import money
from cli.terminal.text import cell

type Line = Mapping[str, Any]
type Key = tuple[str, ...]

# Where a description goes on with figures, which differ in the projection.
FIGURES = re.compile(r" \(| of |, less |, limited ")
WITH_FIGURES = frozenset(("overage", "discount", "minimum"))
NONE = "-"


def estimate_note(estimate: Mapping[str, Any]) -> str:
    """The note that says what the figures are and what they are not."""
    if estimate["period_over"]:
        return "An estimate, not an invoice. The month is over: usage may still come in."
    return (
        "An estimate, not an invoice. Projected: as if each remaining day used the average so far."
    )


def estimate_table(estimate: Mapping[str, Any], name: str) -> Table:
    """Every line to date and projected, with the sums."""
    so_far, ahead = estimate["to_date"], estimate["projection"]
    table = Table(title=_title(estimate, name), title_justify="left", box=SIMPLE_HEAD)
    several = len({line["deployment_id"] for line in ahead["lines"] if _is_charge(line)}) > 1
    if several:
        table.add_column("Deployment", overflow="fold")
    table.add_column("Description", overflow="fold")
    currency = so_far["currency"]
    for heading in ("Quantity", "Projected", "Unit", currency, f"Projected\n{currency}"):
        table.add_column(heading, justify="right", no_wrap=heading != "Unit")
    for row in _rows(so_far["lines"], ahead["lines"]):
        table.add_row(*(row if several else row[1:]))
    for label, field in (("Subtotal", "subtotal"), ("GST", "tax"), ("[bold]Total", "total")):
        if field != "tax":
            table.add_section()
        style = "[bold]" if field == "total" else ""
        sums = [f"{style}{money(side[f'{field}_cents'])}" for side in (so_far, ahead)]
        table.add_row(*([""] if several else []), label, "", "", "", *sums)
    return table


def _title(estimate: Mapping[str, Any], name: str) -> str:
    period = date.fromisoformat(f"{estimate['period']}-01")
    as_of = datetime.fromisoformat(estimate["as_of"])
    when = f"{as_of.day} {as_of:%B %Y %H:%M} UTC"
    return f"Estimate for {cell(name)}\n{period:%B %Y} as of {when}, no invoice"


def _rows(so_far: Sequence[Line], ahead: Sequence[Line]) -> list[tuple[str, ...]]:
    """A row for each line of either side, deployment by deployment."""
    mine, projected = _by_key(so_far), _by_key(ahead)
    keys = list(dict.fromkeys((*projected, *mine)))
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key[0], place)
    return [
        _row(mine.get(key), projected.get(key)) for key in sorted(keys, key=lambda k: first[k[0]])
    ]


def _by_key(lines: Sequence[Line]) -> dict[Key, Line]:
    """The lines by what they charge for, without the figures, which differ between the sides."""
    seen: Counter[Key] = Counter()
    by_key: dict[Key, Line] = {}
    for line in filter(_is_charge, lines):
        key = (
            line["deployment_id"] or "",
            line["kind"],
            line["resource_kind"] or "",
            _charged_for(line),
        )
        seen[key] += 1
        by_key[(*key, str(seen[key]))] = line
    return by_key


def _row(mine: Line | None, projected: Line | None) -> tuple[str, ...]:
    sides = (mine, projected)
    line = next(side for side in sides if side)
    quantities = [cell(side["quantity"]) if side else NONE for side in sides]
    amounts = [money(side["amount_cents"]) if side else NONE for side in sides]
    deployment = cell(line["deployment_id"] or "")
    return deployment, cell(_charged_for(line)), *quantities, cell(line["unit"]), *amounts


def _is_charge(line: Line) -> bool:
    return str(line["kind"]) != "tax"


def _charged_for(line: Line) -> str:
    description = str(line["description"])
    return FIGURES.split(description)[0] if line["kind"] in WITH_FIGURES else description
