"""How a preview of a month's end looks to a person: who would change, and which lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.show import change_line, money
from cli.terminal.text import cells, counted

# Nothing happens to them, and there may be thousands: unless they are named, or use what is billed
# nothing, they are counted only.
QUIET = frozenset(("skipped", "nothing_to_invoice"))
MOST_ROWS = 100

type Preview = Mapping[str, Any]


def worth_showing(previews: Sequence[Preview], *, named: bool) -> Sequence[Preview]:
    """Who was asked for by name; of all, who would change or fail, or uses what has no price."""
    if named:
        return previews
    return [each for each in previews if each["outcome"] not in QUIET or each["unpriced"]]


def preview_table(previews: Sequence[Preview], title: str) -> Table:
    """What would happen to each of these."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Tenant", "Outcome"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Before", "After"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("What changes", overflow="fold")
    for each in previews[:MOST_ROWS]:
        totals = (_total(each["before"]), _total(each["after"]))
        table.add_row(each["tenant_id"], each["outcome"], *totals, _changes(each))
    if len(previews) > MOST_ROWS:
        table.add_row("...", "", "", "", f"{len(previews) - MOST_ROWS:,} more; --json has all")
    return table


def _total(standing: Preview | None) -> str:
    return "-" if standing is None else money(standing["total_cents"])


def _changes(preview: Preview) -> str:
    told = [preview["reason"]] if preview["reason"] else []
    # Of a first invoice all lines are new, and its total says it.
    changes = preview["changes"] if preview["before"] else []
    nothing = [
        f"billed nothing: {each['quantity']} {each['resource_kind']} of {each['deployment_id']}"
        for each in preview["unpriced"]
    ]
    return cells(*told, *map(change_line, changes), *nothing)


def preview_summary(previews: Sequence[Preview]) -> str:
    """`25 tenants: 1 replaced, 22 skipped, 2 nothing_to_invoice; nothing was written.`"""
    counts = Counter(each["outcome"] for each in previews)
    told = ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "nobody"
    return f"{counted(len(previews), 'tenant')}: {told}; nothing was written."
