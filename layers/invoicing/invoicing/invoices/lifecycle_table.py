"""Changes the state of invoices, and records who did what, when and why.

The change and its entry are one transaction. An entry's key is the period, the revision and the
action (`2026-04-01#r0001#issue` in the partition `<tenant>#history`), so that a change of state
can happen, and be recorded, only once. A refused change is recorded too, under its own moment.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action as Update
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from invoicing.foundation.billing_calendar import month_before
from invoicing.foundation.dynamodb import bound, connection, refused
from invoicing.invoices.invoice import Header, Invoice, InvoiceStatus
from invoicing.invoices.invoice_item import (
    InvoiceItem,
    flags_of,
    header_of,
    invoice_of,
    pages_of,
    unpriced_of,
)
from invoicing.invoices.invoices_table import InvoiceNotFound
from invoicing.invoices.keys import (
    current_key,
    done_key,
    history_of_month,
    history_partition,
    refused_key,
)
from invoicing.invoices.lifecycle import (
    TRANSITIONS,
    Action,
    ChangeRefused,
    Held,
    InvoiceChange,
    refuse_unless_reviewed,
    refuse_wrong_state,
)
from invoicing.invoices.review import findings, naming
from quote_engine import Period

TRIES = 5
REFUSED = "refused"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Changed:
    """An invoice's header after a change, and whether the change was made just now."""

    header: Header
    now: bool


class HistoryItem(Model):
    """One change that was made to an invoice, or refused."""

    class Meta:
        table_name = ""

    tenant_id = UnicodeAttribute(hash_key=True)
    period_start = UnicodeAttribute(range_key=True)
    action = UnicodeAttribute()
    outcome = UnicodeAttribute()
    revision = NumberAttribute(null=True)
    actor_id = UnicodeAttribute()
    actor_name = UnicodeAttribute()
    at = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    detail = UnicodeAttribute(null=True)


def _updates(after: Header, at: datetime) -> list[Update]:
    updates: list[Update] = [InvoiceItem.status.set(after.status.value)]
    if after.status is InvoiceStatus.VOID:
        updates.append(InvoiceItem.voided_at.set(at.isoformat()))
    if after.issued_at is not None and after.due_on is not None:
        updates.append(InvoiceItem.issued_at.set(after.issued_at.isoformat()))
        updates.append(InvoiceItem.due_on.set(after.due_on.isoformat()))
    return updates


class LifecycleTable:
    """Issues, pays and voids invoices; a change applies only to the state that was read."""

    def __init__(self, table_name: str) -> None:
        self._items = bound(InvoiceItem, table_name)
        self._history = bound(HistoryItem, table_name)

    def change(self, tenant_id: str, period: Period, change: InvoiceChange) -> Header:
        """Returns the header after the change; a repeat by the same person changes nothing.

        Raises InvoiceNotFound, and ChangeRefused if the invoice is in another state, was replaced
        since it was reviewed, or is held back by the review. A refusal is recorded in its history.
        """
        return self.changed(tenant_id, period, change).header

    def changed(self, tenant_id: str, period: Period, change: InvoiceChange) -> Changed:
        """Like `change`, but also returns whether it was made now or is a repeat."""
        for _ in range(TRIES):
            item = self._item(tenant_id, period)
            header = header_of(item)
            try:
                if self._repeats(header, change):
                    return Changed(header, now=False)
                self._refuse_held(item, header, change)
            except ChangeRefused as error:
                self._note(header, change, str(error))
                raise
            try:
                return Changed(self._write(item, header, change), now=True)
            except TransactWriteError as error:
                # Somebody else's change, or a forced run, came first: judge what stands now.
                if not refused(error) and "TransactionConflict" not in str(error):
                    raise
        refusal = ChangeRefused("the invoice is changed by others all the time", header)
        self._note(header, change, str(refusal))
        raise refusal

    def _item(
        self, tenant_id: str, period: Period, attributes: list[str] | None = None
    ) -> InvoiceItem:
        key = current_key(period)
        try:
            return self._items.get(
                tenant_id, key, consistent_read=True, attributes_to_get=attributes
            )
        except self._items.DoesNotExist as error:
            raise InvoiceNotFound(f"no invoice of {tenant_id}, {key}") from error

    def _repeats(self, header: Header, change: InvoiceChange) -> bool:
        """Whether the same person made this very change; raises ChangeRefused if it cannot be."""
        refuse_unless_reviewed(header, change.request)
        if header.status is not TRANSITIONS[change.action].after:
            refuse_wrong_state(header, change.action)
            return False
        key = done_key(header.period, header.revision, change.action)
        try:
            entry = self._history.get(
                history_partition(header.tenant_id), key, consistent_read=True
            )
        except self._history.DoesNotExist:
            raise ChangeRefused(f"{header.status} already, by the month-end run", header) from None
        if entry.actor_id != change.actor.id:
            by = f"by {entry.actor_name} at {entry.at}"
            raise ChangeRefused(f"{header.status} already, {by}", header)
        return True

    def _refuse_held(self, item: InvoiceItem, header: Header, change: InvoiceChange) -> None:
        """Raises Held for a draft that the review holds back, without a reason to issue it.

        It judges the very item that will be issued, and last month's invoice by a consistent read:
        an index would only list them.
        """
        if change.action is not Action.ISSUE or change.request.reason is not None:
            return
        before = self._total_before(header)
        # Of an invoice of several pages the names may be on another than this.
        unpriced = unpriced_of([item.unpriced]) if int(item.pages) == 1 else ()
        applicable = naming(findings(header.total_cents, flags_of(item), before), unpriced)
        if holding := [finding for finding in applicable if finding.holds]:
            raise Held(header, holding)

    def _total_before(self, header: Header) -> int | None:
        """Returns last month's total in cents; None without an invoice and for a void one."""
        month = month_before(header.period)
        if month is None:
            return None
        try:
            item = self._item(header.tenant_id, month, attributes=["status", "total_cents"])
        except InvoiceNotFound:
            return None
        return None if item.status == InvoiceStatus.VOID else int(item.total_cents)

    def _write(self, item: InvoiceItem, header: Header, change: InvoiceChange) -> Header:
        same = (InvoiceItem.attempt == item.attempt) & (InvoiceItem.status == item.status)
        with TransactWrite(connection=connection(), client_request_token=uuid4().hex) as writes:
            updates = _updates(change.applied(header), change.at)
            writes.update(item, actions=updates, condition=same)
            writes.save(
                self._entry(header, change, DONE, None),
                condition=HistoryItem.tenant_id.does_not_exist(),
            )
        return change.applied(header)

    def _note(self, header: Header, change: InvoiceChange, why: str) -> None:
        self._entry(header, change, REFUSED, why).save()

    def _entry(
        self, header: Header, change: InvoiceChange, outcome: str, detail: str | None
    ) -> HistoryItem:
        at = change.at.isoformat()
        key = done_key(header.period, header.revision, change.action)
        if outcome != DONE:
            key = refused_key(header.period, at, uuid4().hex)
        return self._history(
            history_partition(header.tenant_id),
            key,
            action=change.action.value,
            outcome=outcome,
            revision=header.revision if outcome == DONE else change.request.revision,
            actor_id=change.actor.id,
            actor_name=change.actor.name,
            at=at,
            reason=change.request.reason,
            detail=detail,
        )

    def history(self, tenant_id: str, period: Period) -> list[HistoryItem]:
        """Reads the period's changes, made and refused, in order of time; consistent."""
        entries = self._history.query(
            history_partition(tenant_id),
            HistoryItem.period_start.startswith(history_of_month(period)),
            consistent_read=True,
        )
        # At the same instant, what was done comes before what was refused because of it.
        return sorted(entries, key=lambda entry: (str(entry.at), entry.outcome != DONE))

    def revisions(self, tenant_id: str, period: Period) -> list[Invoice]:
        """Reads all revisions of the period's invoice, the first one first; consistent."""
        items = self._items.query(
            tenant_id,
            InvoiceItem.period_start.startswith(current_key(period)),
            consistent_read=True,
        )
        invoices = [invoice_of(item, pages_of(self._items, tenant_id, item)) for item in items]
        return sorted(invoices, key=lambda invoice: invoice.header.revision)
