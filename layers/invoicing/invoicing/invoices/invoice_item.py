"""The private item class of the invoices table, and its mapping to and from Invoice."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from invoicing.accounts.account import TaxTreatment
from invoicing.foundation.dynamodb import ITEM_BYTES, ItemTooLarge
from invoicing.invoices.billed_usage import Billed, billed_entries, read_billed
from invoicing.invoices.invoice import (
    Header,
    Invoice,
    InvoiceStatus,
    header_json,
    treatment_said,
    unpriced_json,
)
from invoicing.invoices.invoice_number import letters_up_to
from invoicing.invoices.keys import (
    first_day_in,
    pages_of_attempt,
    pages_partition,
    replaced_revisions,
)
from invoicing.invoices.review import Flags, flags_text, own_flags, read_flags
from quote_engine import Line, UnpricedUsage, line_json

# Half the money reads need only the header; a larger item would make them cost more.
PAGE_BYTES = 100 * 1024
# Bytes of an item's limit that stay free for its keys and for what an issue adds later.
KEPT_FREE = 1024

# A header's attributes except its key, as they are stored and as the index copies them.
HEADER_ATTRIBUTES = (
    "number",
    "period_end",
    "status",
    "revision",
    "currency",
    "subtotal_cents",
    "tax_cents",
    "total_cents",
    "issued_at",
    "due_on",
    "fingerprint",
)
# What the index copies besides the keys: the header, and what a review of the month needs.
INDEXED_ATTRIBUTES = (*HEADER_ATTRIBUTES, "flags")


class PeriodIndex(GlobalSecondaryIndex["InvoiceItem"]):  # type: ignore[no-untyped-call]
    """Lists a period's current invoices for admins: headers only, never read for money."""

    class Meta:
        index_name = "period"
        projection = IncludeProjection(list(INDEXED_ATTRIBUTES))

    period_shard = UnicodeAttribute(hash_key=True)
    tenant_id = UnicodeAttribute(range_key=True)


class InvoiceItem(Model):
    """A current invoice, a replaced one, a further page, or a note on a month.

    A note is who last billed its late usage, or the mark that its usage was corrected. The
    module `keys` has the key of each.
    """

    class Meta:
        table_name = ""

    tenant_id = UnicodeAttribute(hash_key=True)
    period_start = UnicodeAttribute(range_key=True)
    # Only on current invoices: replaced revisions and pages stay out of every list.
    period_shard = UnicodeAttribute(null=True)
    number = UnicodeAttribute(null=True)
    period_end = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    # How many letters issued documents had used up when a later revision was written. Items of a
    # time when every revision used one up, and first revisions, lack it.
    letters_used = NumberAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    subtotal_cents = NumberAttribute(null=True)
    tax_cents = NumberAttribute(null=True)
    total_cents = NumberAttribute(null=True)
    # The treatment of the month that is billed. The oldest invoices have only their tax line.
    tax = UnicodeAttribute(null=True)
    issued_at = UnicodeAttribute(null=True)
    due_on = UnicodeAttribute(null=True)
    # When it was made void; a run that started before then gives it no new revision.
    voided_at = UnicodeAttribute(null=True)
    fingerprint = UnicodeAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    run_at = UnicodeAttribute(null=True)
    # The attempt that wrote this: a worker recognises its own write after a lost reply.
    attempt = UnicodeAttribute(null=True)
    pages = NumberAttribute(null=True)
    lines = UnicodeAttribute(null=True)
    # The record of what these lines bill; never shown.
    billed = UnicodeAttribute(null=True)
    unpriced = UnicodeAttribute(null=True)
    # Only on the few that somebody should look at before they are issued: see review.py.
    flags = UnicodeAttribute(null=True)
    period = PeriodIndex()


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pages_of(items: type[InvoiceItem], tenant_id: str, item: InvoiceItem) -> list[InvoiceItem]:
    """Reads the item's pages in order, itself first; fewer than it says if some are gone."""
    if int(item.pages) == 1:
        return [item]
    prefix = pages_of_attempt(item.period_start, int(item.revision), item.attempt)
    further = items.query(
        pages_partition(tenant_id),
        InvoiceItem.period_start.startswith(prefix),
        consistent_read=True,
    )
    return [item, *further]


def letters_used_until(items: type[InvoiceItem], item: InvoiceItem) -> int:
    """Returns how many letters issued documents of the month use up, this current one included.

    Letters only rise, so an issued one bears the highest. For a draft without `letters_used` the
    replaced revisions are read; they never change any more.
    """
    if item.issued_at:
        return letters_up_to(item.number)
    if item.letters_used is not None:
        return int(item.letters_used)
    if int(item.revision) == 1:
        return 0
    issued = items.query(
        item.tenant_id,
        InvoiceItem.period_start.startswith(replaced_revisions(item.period_start)),
        filter_condition=InvoiceItem.issued_at.exists(),
        consistent_read=True,
        attributes_to_get=["number"],
    )
    return max((letters_up_to(document.number) for document in issued), default=0)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of an invoice's lines, record of billed usage and unpriced usage, as JSON arrays."""

    lines: str
    billed: str
    # Most invoices have none; a missing attribute costs nothing.
    unpriced: str | None


def invoice_pages(invoice: Invoice) -> list[Page]:
    """Splits what may be long into pages of at most about 100 KB; the first is the invoice's."""
    texts = [("lines", _compact(line_json(line))) for line in invoice.lines]
    texts += [("billed", _compact(entry)) for entry in billed_entries(invoice.billed)]
    texts += [("unpriced", _compact(entry)) for entry in unpriced_json(invoice.unpriced)]
    pages: list[dict[str, list[str]]] = [defaultdict(list)]
    size = 0
    for name, text in texts:
        size += len(text.encode()) + 1
        if size > PAGE_BYTES and size > len(text.encode()) + 1:
            pages.append(defaultdict(list))
            size = len(text.encode()) + 1
        pages[-1][name].append(text)
    return [
        Page(
            lines=_array(page["lines"]),
            billed=_array(page["billed"]),
            unpriced=_array(page["unpriced"]) if page["unpriced"] else None,
        )
        for page in pages
    ]


def _array(texts: Iterable[str]) -> str:
    return f"[{','.join(texts)}]"


def invoice_attributes(invoice: Invoice, attempt: str, pages: list[Page]) -> dict[str, Any]:
    """Returns all but the keys; raises ItemTooLarge, naming the invoice, beyond the limit."""
    header = header_json(invoice.header)
    # The number has the letter after those used. Nothing comes before a first revision.
    first = invoice.header.revision == 1
    attributes = {name: header[name] for name in HEADER_ATTRIBUTES} | {
        "run_id": invoice.run_id or None,
        "run_at": invoice.run_at.isoformat() if invoice.run_at else None,
        "attempt": attempt,
        "letters_used": None if first else letters_up_to(invoice.header.number) - 1,
        "tax": invoice.tax,
        "pages": len(pages),
        "lines": pages[0].lines,
        "billed": pages[0].billed,
        "unpriced": pages[0].unpriced,
        "flags": flags_text(
            own_flags(invoice.lines, invoice.unpriced, invoice.header.total_cents)
        ),
    }
    refuse_too_large(f"invoice {invoice.header.id}", attributes)
    return attributes


def refuse_too_large(item_name: str, attributes: Mapping[str, Any]) -> None:
    """Raises ItemTooLarge, naming the item, for attributes that DynamoDB would refuse."""
    size = sum(len(str(value).encode()) + len(name) for name, value in attributes.items())
    if size > ITEM_BYTES - KEPT_FREE:
        raise ItemTooLarge(f"{item_name}: an item of {size} bytes is over DynamoDB's {ITEM_BYTES}")


def header_of(item: InvoiceItem) -> Header:
    """Reads the header from an item or index entry."""
    return Header(
        tenant_id=item.tenant_id,
        number=item.number,
        period_start=first_day_in(item.period_start),
        period_end=date.fromisoformat(item.period_end),
        status=InvoiceStatus(item.status),
        revision=int(item.revision),
        currency=item.currency,
        subtotal_cents=int(item.subtotal_cents),
        tax_cents=int(item.tax_cents),
        total_cents=int(item.total_cents),
        issued_at=datetime.fromisoformat(item.issued_at) if item.issued_at else None,
        due_on=date.fromisoformat(item.due_on) if item.due_on else None,
        fingerprint=item.fingerprint,
    )


def invoice_of(item: InvoiceItem, pages: Sequence[InvoiceItem]) -> Invoice:
    """Reads the invoice from an item and its pages (`pages` begins with the item itself)."""
    lines = lines_of(page.lines for page in pages)
    return Invoice(
        header=header_of(item),
        lines=lines,
        tax=tax_of(item) or treatment_said(lines),
        unpriced=unpriced_of(page.unpriced for page in pages),
        billed=billed_of(item.tenant_id, (page.billed for page in pages)),
        run_id=item.run_id or "",
        run_at=datetime.fromisoformat(item.run_at) if item.run_at else None,
    )


def tax_of(item: InvoiceItem) -> TaxTreatment | None:
    """Reads the treatment of the invoice's month; None on the oldest items, which lack it."""
    return cast(TaxTreatment | None, item.tax)


def flags_of(item: InvoiceItem) -> Flags:
    """Reads an invoice's own review flags from an item or index entry."""
    return read_flags(item.flags)


def unpriced_of(pages: Iterable[str | None]) -> tuple[UnpricedUsage, ...]:
    """Reads, from all pages, the usage that the invoice bills nothing for."""
    return tuple(
        UnpricedUsage(**{**usage, "quantity": Decimal(usage["quantity"])})
        for page in pages
        for usage in json.loads(page or "[]")
    )


def lines_of(pages: Iterable[str]) -> tuple[Line, ...]:
    """Reads the lines of all pages, in order."""
    return tuple(Line(**line) for page in pages for line in json.loads(page))


def billed_of(tenant_id: str, pages: Iterable[str]) -> Billed:
    """Reads the record of billed usage from all pages."""
    return read_billed(tenant_id, (entry for page in pages for entry in json.loads(page)))
