"""An invoice's history as the API shows it: who made each revision, who changed its state."""

from collections.abc import Iterable, Sequence
from typing import Any

from invoicing.invoices.invoice import Invoice
from invoicing.invoices.lifecycle_table import DONE, HistoryItem
from invoicing.invoices.line_changes import changes_json, line_changes


def history_json(
    invoice_id: str, revisions: Sequence[Invoice], done: Iterable[HistoryItem]
) -> dict[str, Any]:
    """Returns everything that happened, in order of time (UTC), with each revision's changes.

    A revision has the time of the run that wrote it: a retry hours later is still the same run.
    """
    entries = [_made(revisions, index) for index in range(len(revisions))]
    entries += [_changed(entry) for entry in done]
    return {"id": invoice_id, "entries": sorted(entries, key=_moment)}


def _moment(entry: dict[str, Any]) -> tuple[str, int]:
    return entry["at"] or "", entry["revision"] or 0


def _made(revisions: Sequence[Invoice], index: int) -> dict[str, Any]:
    invoice = revisions[index]
    before = revisions[index - 1].lines if index else None
    return {
        "at": invoice.run_at.isoformat() if invoice.run_at else None,
        "by": f"run {invoice.run_id}",
        "action": "create" if before is None else "replace",
        "outcome": DONE,
        "revision": invoice.header.revision,
        "reason": None,
        "detail": None,
        "total_cents": invoice.header.total_cents,
        "changes": [] if before is None else changes_json(line_changes(before, invoice.lines)),
    }


def _changed(entry: HistoryItem) -> dict[str, Any]:
    return {
        "at": entry.at,
        "by": entry.actor_name,
        "action": entry.action,
        "outcome": entry.outcome,
        "revision": None if entry.revision is None else int(entry.revision),
        "reason": entry.reason,
        "detail": entry.detail,
        "total_cents": None,
        "changes": [],
    }
