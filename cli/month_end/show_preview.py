"""How a preview of a month's end looks to a person: who would change, and which lines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.tables import change_line, money
from cli.terminal.text import cells, counted

# Nothing happens to these tenants, and there may be thousands. They are only counted, unless they
# are named or have usage without a price.
QUIET = frozenset(("skipped", "nothing_to_invoice"))
MOST_ROWS = 100

type Preview = Mapping[str, Any]


def worth_showing(previews: Sequence[Preview], *, named: bool) -> Sequence[Preview]:
    """The previews of named tenants; of all, only changes, failures and unpriced usage."""
    if named:
        return previews
    return [
        preview for preview in previews if preview["outcome"] not in QUIET or preview["unpriced"]
    ]


def preview_table(previews: Sequence[Preview], title: str) -> Table:
    """A row per tenant with what would happen to it."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Tenant", "Outcome"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Before", "After"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("What changes", overflow="fold")
    for preview in previews[:MOST_ROWS]:
        totals = (_total(preview["before"]), _total(preview["after"]))
        table.add_row(preview["tenant_id"], preview["outcome"], *totals, _changes(preview))
    if len(previews) > MOST_ROWS:
        table.add_row("...", "", "", "", f"{len(previews) - MOST_ROWS:,} more; --json has all")
    return table


def _total(standing: Preview | None) -> str:
    return "-" if standing is None else money(standing["total_cents"])


def _changes(preview: Preview) -> str:
    reasons = [preview["reason"]] if preview["reason"] else []
    # On a first invoice every line is new, so its total says enough.
    changes = preview["changes"] if preview["before"] else []
    return cells(*reasons, *map(change_line, changes), *map(_unpriced, preview["unpriced"]))


def _unpriced(usage: Preview) -> str:
    """`billed nothing: 3 gpu_hours of pilot`; late usage with its month."""
    late = f", late of {usage['period']}" if "period" in usage else ""
    what = f"{usage['quantity']} {usage['resource_kind']} of {usage['deployment_id']}"
    return f"billed nothing: {what}{late}"


def preview_summary(previews: Sequence[Preview]) -> str:
    """`25 tenants: 1 replaced, 22 skipped, 2 nothing_to_invoice; nothing was written.`"""
    counts = Counter(preview["outcome"] for preview in previews)
    outcomes = ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)) or "nobody"
    return f"{counted(len(previews), 'tenant')}: {outcomes}; nothing was written."
