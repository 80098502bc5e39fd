"""How an invoice's state and history look to a person."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.terminal.tables import change_line, day, money
from cli.terminal.text import cells
from invoicing.invoices.lifecycle_table import HistoryItem

SECONDS = 19


def state_line(header: Mapping[str, Any]) -> str:
    """`pilot.2026-04: issued, revision 1, 2604-1000, 70.64 AUD, due 15 May 2026`."""
    total = f"{money(header['total_cents'])} {header['currency']}"
    due = f", due {day(header['due_on'])}" if header["due_on"] else ""
    state = f"{header['status']}, revision {header['revision']}"
    return f"{header['id']}: {state}, {header['number']}, {total}{due}"


def standing_table(header: Mapping[str, Any]) -> Table:
    """The invoice as it stands, for a person who named another state of it."""
    table = Table(title=f"What stands: {header['id']}", title_justify="left", box=SIMPLE_HEAD)
    for heading in ("Number", "Status", "Revision", "Total", "Issued", "Due"):
        table.add_column(heading, no_wrap=heading not in ("Issued", "Due"))
    amount = f"{money(header['total_cents'])} {header['currency']}"
    dates = (day(header["issued_at"]), day(header["due_on"]))
    table.add_row(header["number"], header["status"], str(header["revision"]), amount, *dates)
    return table


def with_identities(history: Mapping[str, Any], items: Iterable[HistoryItem]) -> dict[str, Any]:
    """The history, with the identity of each actor beside the name.

    A run has none. For an assumed role the name is its session's, which its user chooses.
    """
    ids = {
        (item.at, item.action, item.outcome, item.revision, item.actor_name): item.actor_id
        for item in items
    }
    key_fields = ("at", "action", "outcome", "revision", "by")
    entries = [
        entry | {"actor_id": ids.get(tuple(map(entry.get, key_fields)))}
        for entry in history["entries"]
    ]
    return {**history, "entries": entries}


def history_table(history: Mapping[str, Any]) -> Table:
    """Who did what and when (UTC); for a new revision, also every line that changed."""
    table = Table(title=f"History of {history['id']}", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("When (UTC)", no_wrap=True)
    for heading in ("By", "What", "Revision", "Total", "Why"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("Revision", "Total"))
    for entry in history["entries"]:
        action = entry["action"] + ("" if entry["outcome"] == "done" else f" ({entry['outcome']})")
        revision = "" if entry["revision"] is None else str(entry["revision"])
        total = "" if entry["total_cents"] is None else money(entry["total_cents"])
        when = (entry["at"] or "-").replace("T", " ")[:SECONDS]
        by = cells(*(text for text in (entry["by"], entry["actor_id"]) if text))
        table.add_row(when, by, action, revision, total, _why(entry))
    return table


def _why(entry: Mapping[str, Any]) -> str:
    texts = [text for text in (entry["reason"], entry["detail"]) if text]
    return cells(*texts, *map(change_line, entry["changes"]))
