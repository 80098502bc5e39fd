"""The invariants in docs/reliability.md that must hold after every write, over the raw items.

What is metered (I9, I17, I18) is checked in `metered.py`, what is billed of it in `ledger.py`,
numbers (I6) in `numbers.py`, what a reader sees in `reader.py`, and that nothing is lost (I8)
where messages are deleted (`workers.py`) and in `liveness.py`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from tests.simulation.aws.expressions import Item
from tests.simulation.aws.tables import ItemChange, Table
from tests.simulation.books.stored_invoices import (
    CLOSED,
    CURRENT,
    PAGES,
    REPLACED,
    SAID,
    RawInvoice,
    read_invoice,
)
from tests.simulation.checks.ledger import Ledger
from tests.simulation.checks.metered import MeteredUsage
from tests.simulation.checks.numbers import NumberBook
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.stage.stage import Process

INVOICES, USAGE, HISTORY = "invoices", "usage", "#history"
# Who billed late usage of a month last, or that its usage was corrected.
NOTE = re.compile(r"\d{4}-\d\d(~corrected)?")
MOVES = (("draft", "issued"), ("issued", "paid"), ("draft", "void"), ("issued", "void"))


@dataclass(slots=True)
class Invariants:
    """Checks every write. `standing` holds the current invoices, `known` all there ever were."""

    table: Table
    metered: MeteredUsage
    ledger: Ledger
    zone: ZoneInfo
    numbers: NumberBook
    standing: dict[tuple[str, str], RawInvoice] = field(default_factory=dict)
    known: dict[str, RawInvoice] = field(default_factory=dict)
    new: list[RawInvoice] = field(default_factory=list)
    # By attempt: the process that wrote the invoice, and the states that it has been in.
    writers: dict[str, Process | None] = field(default_factory=dict)
    states: dict[str, set[str]] = field(default_factory=dict)

    def after_write(
        self, changes: Iterable[ItemChange], step: int, now: datetime, writer: Process | None
    ) -> None:
        """Raises InvariantViolated for the first invariant that these writes break."""
        changes = list(changes)
        self.new.clear()
        for change in changes:
            if change.table == INVOICES:
                self._invoice_change(change, now)
        usage_changes = [change for change in changes if change.table == USAGE]
        if usage_changes:
            self.metered.after_write(usage_changes, step)
        for invoice in self.new:
            self.writers[invoice.attempt] = writer
            invoices = [
                standing
                for standing in self.standing.values()
                if standing.tenant_id == invoice.tenant_id
            ]
            began_at = writer.began_at if writer else step
            self.ledger.invoice_written(invoice, invoices, began_at)

    def _invoice_change(self, change: ItemChange, now: datetime) -> None:
        owner, key = change.key
        if owner.endswith(PAGES):
            self._page_change(change)
        elif REPLACED.fullmatch(key):
            if change.before is not None and change.after != change.before:
                raise InvariantViolated("I5", f"replaced invoice {owner} {key} was changed")
        elif CURRENT.fullmatch(key):
            self._current_change(change, now)
        elif not (owner.endswith(HISTORY) or NOTE.fullmatch(key)):
            raise InvariantViolated("I1", f"an item that nobody knows was written: {change.key}")

    def _page_change(self, change: ItemChange) -> None:
        if change.before is None or change.after == change.before:
            return
        for attempt in self.known:
            if attempt in change.key[1]:
                text = f"page {change.key[1]} of a written invoice was changed or deleted"
                raise InvariantViolated("I4", text)

    def _current_change(self, change: ItemChange, now: datetime) -> None:
        name = " ".join(change.key)
        if change.after is None:
            raise InvariantViolated("I1", f"invoice {name} was deleted")
        if change.before is None:
            if change.after["revision"] != {"N": "1"}:
                raise InvariantViolated("I1", f"invoice {name} begins with a later revision")
            self._written(change.after, now)
        elif change.before["attempt"] == change.after["attempt"]:
            self._same_invoice(name, change.before, change.after)
        else:
            self._replaced(name, change.key, change.before, change.after)
            self._written(change.after, now)

    def _same_invoice(self, name: str, before: Item, after: Item) -> None:
        changed = [key for key in SAID if before.get(key) != after.get(key)]
        if changed:
            text = f"{before['status']['S']} invoice {name} has other {', '.join(changed)}"
            raise InvariantViolated("I5", text)
        move = before["status"]["S"], after["status"]["S"]
        if move[0] != move[1] and move not in MOVES:
            raise InvariantViolated("I5", f"invoice {name} went from {move[0]} to {move[1]}")
        invoice = read_invoice(self.table, after)
        if move == ("draft", "issued"):
            self.numbers.issued_now(invoice)
        self._keep(invoice)

    def _keep(self, invoice: RawInvoice) -> None:
        self.standing[invoice.tenant_id, invoice.label] = invoice
        self.known[invoice.attempt] = invoice
        self.states.setdefault(invoice.attempt, set()).add(invoice.status)

    def _replaced(self, name: str, key: tuple[str, str], before: Item, after: Item) -> None:
        status, revision = before["status"]["S"], int(before["revision"]["N"])
        replaced = self.table.get((key[0], f"{key[1]}#r{revision}"))
        if int(after["revision"]["N"]) != revision + 1 or replaced is None:
            text = f"two documents of {name}: one of revision {revision} was overwritten"
            raise InvariantViolated("I1", text)
        if status in CLOSED:
            raise InvariantViolated("I5", f"{status} invoice {name} was replaced")
        if any(replaced.get(attribute) != before.get(attribute) for attribute in SAID):
            raise InvariantViolated(
                "I5", f"replaced invoice {name} was kept otherwise than it was"
            )

    def _written(self, item: Item, now: datetime) -> None:
        invoice = read_invoice(self.table, item)
        name = f"{invoice.tenant_id} {invoice.label}"
        end = date.fromisoformat(invoice.item["period_end"])
        if now < datetime.combine(end, time.min, tzinfo=self.zone):
            raise InvariantViolated("I10", f"{name} was invoiced at {now}, before its end")
        self.numbers.written(invoice)
        if invoice.status == "issued":
            self.numbers.issued_now(invoice)
        self._keep(invoice)
        self.new.append(invoice)

    def version(self, tenant_id: str, label: str, revision: int) -> RawInvoice | None:
        """Returns a revision with its last known state, or None."""
        for invoice in self.known.values():
            identity = (invoice.tenant_id, invoice.label, invoice.revision)
            if identity == (tenant_id, label, revision):
                return invoice
        return None
