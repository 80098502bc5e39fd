"""The invoices table: one current invoice per (tenant, period), by its primary key alone.

The put is conditional and there is no other lock. If DynamoDB refuses it, the invoice is read
back: it is either somebody else's (InvoiceAlreadyExists) or our own, whose reply was lost (done).

Lines beyond about 100 KB go to further page items. They are written first, under an attempt id
that only the invoice item names: that item, written last, is the commit record. Pages live in a
separate partition (`<tenant>#pages`) so that listing a tenant never reads them.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from pynamodb.exceptions import PutError, TransactWriteError
from pynamodb.transactions import TransactWrite

from invoicing.foundation.dynamodb import bound, connection, refused
from invoicing.invoices.billed_usage import NEVER_BILLED_LATE, LastBilledBy
from invoicing.invoices.invoice import REPLACEABLE, Header, Invoice, InvoiceStatus
from invoicing.invoices.invoice_item import (
    InvoiceItem,
    header_of,
    invoice_attributes,
    invoice_of,
    invoice_pages,
    letters_used_until,
    pages_of,
    refuse_too_large,
)
from invoicing.invoices.keys import (
    current_key,
    last_billed_key,
    page_key,
    pages_of_revision,
    pages_partition,
    period_shard,
    replaced_key,
)
from quote_engine import Period

READ_TRIES = 3


class InvoiceNotFound(Exception):
    """There is no such invoice, or no such revision of it."""


class InvoiceAlreadyExists(Exception):
    """The period has an invoice that somebody else wrote; carries its header."""

    def __init__(self, header: Header) -> None:
        super().__init__(f"invoice {header.id} exists already ({header.status})")
        self.header = header


class InvoiceChanged(Exception):
    """The invoice is no longer the one that was to be replaced; nothing was written."""


class InvoicePagesMissing(Exception):
    """An invoice names line pages that are missing; it is never shown in part."""


@dataclass(frozen=True, slots=True)
class StoredInvoice:
    """An invoice and the item it was read from, which a replacement keeps byte for byte."""

    invoice: Invoice
    item: InvoiceItem

    @property
    def voided_at(self) -> datetime | None:
        """When it was made void (UTC); None if it was not."""
        return datetime.fromisoformat(self.item.voided_at) if self.item.voided_at else None


def _late_labels(old: Invoice, new: Invoice) -> list[str]:
    """The months whose late usage changes hands when one invoice replaces another, in order."""
    labels = old.billed.late.keys() | new.billed.late.keys()
    # A void invoice billed nothing: its whole month is billed again, while another invoice may be
    # about to bill that month's late usage on top of the void one.
    voided = old.header.status is InvoiceStatus.VOID
    return sorted(labels | {new.header.period.label} if voided else labels)


class InvoicesTable:
    """Invoices by (tenant, period), their replaced revisions and their pages."""

    def __init__(self, table_name: str) -> None:
        self._items = bound(InvoiceItem, table_name)

    def get(self, tenant_id: str, period: Period, revision: int | None = None) -> Invoice:
        """Reads the current invoice or a revision of it; consistent. Raises InvoiceNotFound."""
        current = self.stored(tenant_id, period)
        if revision is None or revision == current.invoice.header.revision:
            return current.invoice
        return self._read(tenant_id, replaced_key(current_key(period), revision)).invoice

    def stored(self, tenant_id: str, period: Period) -> StoredInvoice:
        """Reads the current invoice as `replace` needs it; consistent. Raises InvoiceNotFound."""
        return self._read(tenant_id, current_key(period))

    def letters_used(self, standing: StoredInvoice) -> int:
        """Returns how many letters issued documents of the month use up; consistent."""
        return letters_used_until(self._items, standing.item)

    def _read(self, tenant_id: str, sort_key: str) -> StoredInvoice:
        for _ in range(READ_TRIES):
            item = self._item(tenant_id, sort_key)
            pages = pages_of(self._items, tenant_id, item)
            if len(pages) == int(item.pages):
                return StoredInvoice(invoice_of(item, pages), item)
        raise InvoicePagesMissing(f"invoice of {tenant_id}, {sort_key}: {len(pages)} of its pages")

    def _item(self, tenant_id: str, sort_key: str) -> InvoiceItem:
        try:
            return self._items.get(tenant_id, sort_key, consistent_read=True)
        except self._items.DoesNotExist as error:
            raise InvoiceNotFound(f"no invoice of {tenant_id}, {sort_key}") from error

    def create(self, invoice: Invoice, last_billed_by: LastBilledBy = NEVER_BILLED_LATE) -> None:
        """Writes the period's first invoice.

        `last_billed_by` must have been read before the late usage that the invoice bills. Raises
        InvoiceAlreadyExists if the period has an invoice that this call did not write, and
        InvoiceChanged if another invoice has billed the same late usage meanwhile.
        """
        attempt = uuid4().hex
        item = self._with_pages_written(invoice, attempt)
        try:
            self._put_new(item, invoice.billed.late, last_billed_by)
        except (PutError, TransactWriteError) as error:
            if not refused(error):
                raise
            self._recognise(item, error)
        self._sweep(item)

    def _put_new(
        self, item: InvoiceItem, late: Iterable[str], last_billed_by: LastBilledBy
    ) -> None:
        new = InvoiceItem.tenant_id.does_not_exist()
        if not late:
            item.save(condition=new)
            return
        with self._transaction(item) as writes:
            writes.save(item, condition=new)
            self._record_late_billing(writes, item, late, last_billed_by)

    def _recognise(self, item: InvoiceItem, error: Exception) -> None:
        """Returns if the refused write is there after all, because its first reply was lost."""
        try:
            current = self._item(item.tenant_id, item.period_start)
        except InvoiceNotFound:
            self._delete_pages(item, lambda key: item.attempt in key)
            name = f"{item.tenant_id}, {item.period_start}"
            text = f"late usage of invoice {name} was billed by another invoice meanwhile"
            raise InvoiceChanged(text) from error
        if current.attempt != item.attempt:
            self._sweep_after_a_rival(item, current)
            raise InvoiceAlreadyExists(header_of(current)) from error

    def replace(
        self,
        replaced: StoredInvoice,
        invoice: Invoice,
        last_billed_by: LastBilledBy = NEVER_BILLED_LATE,
    ) -> None:
        """Replaces a draft or void invoice with its next revision; the old one stays readable.

        In one transaction the old item moves to `<period>#rN` and the new one takes its key.
        Raises InvoiceChanged if the current invoice is no longer `replaced`, or if another invoice
        has billed the same late usage meanwhile.
        """
        attempt = uuid4().hex
        item = self._with_pages_written(invoice, attempt)
        try:
            self._swap(replaced, item, _late_labels(replaced.invoice, invoice), last_billed_by)
        except TransactWriteError as error:
            if not refused(error):
                raise
            current = self._item(item.tenant_id, item.period_start)
            if current.attempt != attempt:
                self._sweep_after_a_rival(item, current)
                raise InvoiceChanged(f"invoice {invoice.header.id} changed meanwhile") from error
        self._sweep(item)

    def _swap(
        self,
        replaced: StoredInvoice,
        new: InvoiceItem,
        late: Iterable[str],
        last_billed_by: LastBilledBy,
    ) -> None:
        old = replaced.item
        if InvoiceStatus(old.status) not in REPLACEABLE:
            raise InvoiceChanged(f"{old.status} invoices cannot be replaced")
        # The same state too, not just a replaceable one: the copy kept must be what was there.
        unchanged = (InvoiceItem.attempt == old.attempt) & (InvoiceItem.status == old.status)
        with self._transaction(new) as swap:
            swap.save(self._superseded(old), condition=InvoiceItem.tenant_id.does_not_exist())
            swap.save(new, condition=unchanged)
            self._record_late_billing(swap, new, late, last_billed_by)

    def _transaction(self, item: InvoiceItem) -> TransactWrite:
        return TransactWrite(connection=connection(), client_request_token=item.attempt)

    def _record_late_billing(
        self,
        writes: TransactWrite,
        item: InvoiceItem,
        late: Iterable[str],
        last_billed_by: LastBilledBy,
    ) -> None:
        """Names this write as the last to bill late usage of these months, if none came between.

        Otherwise invoices of two periods, made at once, would both bill the same late usage.
        """
        for label in late:
            last_read = last_billed_by.get(label)
            never_billed = InvoiceItem.tenant_id.does_not_exist()
            unchanged = never_billed if last_read is None else InvoiceItem.attempt == last_read
            this_write = self._items(item.tenant_id, last_billed_key(label), attempt=item.attempt)
            writes.save(this_write, condition=unchanged)

    def _superseded(self, old: InvoiceItem) -> InvoiceItem:
        moved = {"tenant_id", "period_start", "period_shard"}
        attributes = {
            name: value for name, value in old.attribute_values.items() if name not in moved
        }
        key = replaced_key(old.period_start, int(old.revision))
        return self._items(old.tenant_id, key, **attributes)

    def rehearse(self, invoice: Invoice) -> None:
        """Does everything except the write itself; raises ItemTooLarge."""
        self._items_of(invoice, "")

    def _with_pages_written(self, invoice: Invoice, attempt: str) -> InvoiceItem:
        """Writes the further pages, if any, and returns the invoice item, ready to be put."""
        item, *pages = self._items_of(invoice, attempt)
        for page in pages:
            page.save()
        return item

    def _items_of(self, invoice: Invoice, attempt: str) -> list[InvoiceItem]:
        """Builds the invoice item and its further pages, in order; raises ItemTooLarge."""
        header = invoice.header
        start = current_key(header.period)
        pages = invoice_pages(invoice)
        item = self._items(
            header.tenant_id,
            start,
            period_shard=period_shard(header.tenant_id, header.period.label),
            **invoice_attributes(invoice, attempt, pages),
        )
        items = [item]
        for number, page in enumerate(pages[1:], start=2):
            content = asdict(page)
            refuse_too_large(f"invoice {header.id}, page {number}", content)
            key = page_key(start, header.revision, attempt, number)
            items.append(self._items(pages_partition(header.tenant_id), key, **content))
        return items

    def _sweep(self, item: InvoiceItem) -> None:
        """Deletes the pages that dead attempts at this same revision left behind.

        No attempt at this revision can still commit, because this one has: a slow worker's pages
        are garbage already. Pages of later revisions stay; their writers may still be at work.
        """
        self._delete_pages(item, lambda key: item.attempt not in key)

    def _sweep_after_a_rival(self, item: InvoiceItem, current: InvoiceItem) -> None:
        """Deletes the pages of an attempt that lost, and of dead attempts at the same revision.

        A worker that died after its rival committed leaves pages that nobody else would find.
        """
        if current.revision == item.revision:
            self._delete_pages(item, lambda key: current.attempt not in key)
        else:
            self._delete_pages(item, lambda key: item.attempt in key)

    def _delete_pages(self, item: InvoiceItem, dead: Callable[[str], bool]) -> None:
        if int(item.pages) == 1:
            return
        prefix = pages_of_revision(item.period_start, int(item.revision))
        pages = self._items.query(
            pages_partition(item.tenant_id),
            InvoiceItem.period_start.startswith(prefix),
            consistent_read=True,
            attributes_to_get=["tenant_id", "period_start"],
        )
        for page in pages:
            if dead(page.period_start):
                page.delete()
