"""How a preview of a month's end looks to a person: who would change, and which lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.show import money
from cli.show_lifecycle import change_line
from cli.text import cells

# Nothing happens to them, and there may be thousands: they are counted only.
QUIET = frozenset(("skipped", "nothing_to_invoice"))
MOST_ROWS = 100

type Preview = Mapping[str, Any]


def preview_table(previews: Sequence[Preview], title: str) -> Table:
    """Everybody to whom something would happen, or who would fail."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Tenant", "Outcome"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Before", "After"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("What changes", overflow="fold")
    loud = [each for each in previews if each["outcome"] not in QUIET]
    for each in loud[:MOST_ROWS]:
        totals = (_total(each["before"]), _total(each["after"]))
        table.add_row(each["tenant_id"], each["outcome"], *totals, _changes(each))
    if len(loud) > MOST_ROWS:
        table.add_row("...", "", "", "", f"{len(loud) - MOST_ROWS:,} more; --json has all")
    return table


def _total(standing: Preview | None) -> str:
    return "-" if standing is None else money(standing["total_cents"])


def _changes(preview: Preview) -> str:
    told = [preview["reason"]] if preview["reason"] else []
    # Of a first invoice all lines are new, and its total says it.
    changes = preview["changes"] if preview["before"] else []
    return cells(*told, *map(change_line, changes))


def preview_summary(previews: Sequence[Preview]) -> str:
    """`25 tenants: 1 replaced, 22 skipped, 2 nothing_to_invoice; nothing was written.`"""
    counts = Counter(each["outcome"] for each in previews)
    told = ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "nobody"
    return f"{len(previews):,} tenants: {told}; nothing was written."
