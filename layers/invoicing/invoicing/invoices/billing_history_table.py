"""Reads what a tenant's invoices billed: one consistent query over the invoices table."""

from collections.abc import Set
from datetime import datetime
from zoneinfo import ZoneInfo

from invoicing.accounts.account import TaxTreatment
from invoicing.foundation.billing_calendar import label_after, midnight, months_apart
from invoicing.foundation.dynamodb import bound
from invoicing.invoices.billing_history import BilledMonth, BillingHistory
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_item import InvoiceItem, billed_of, invoice_of, pages_of, tax_of
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.invoices.keys import current_key, is_corrected_key, is_last_billed_key, month_in
from quote_engine import Period

# Usage is accepted for 90 days, which end in the fourth month after its own. A month that was
# issued later than that is checked once more by the first invoice after it, and one whose usage
# was corrected by every invoice within a year.
LATE_MONTHS = 4
# How many months a month may have stayed a draft and still have its late usage billed. A
# correction reaches as far: see usage/correction.py.
MONTHS_AROUND = 12
ATTRIBUTES = [
    "period_start",
    "period_shard",
    "status",
    "revision",
    "issued_at",
    "tax",
    "attempt",
    "pages",
    "billed",
]


class BillingHistoryTable:
    """Reads the billing histories of tenants."""

    def __init__(self, table_name: str, zone: ZoneInfo) -> None:
        self._items = bound(InvoiceItem, table_name)
        self._zone = zone

    def around(self, tenant_id: str, period: Period) -> BillingHistory:
        """Returns what the tenant's standing invoices within a year of the period billed.

        The item that names who last billed late usage of a month sorts before the month's invoice
        and is therefore read first. If it is unchanged when something is written, nothing that
        was read after it has changed.
        """
        first, last = label_after(period, -MONTHS_AROUND), label_after(period, MONTHS_AROUND)
        last_billed_by: dict[str, str] = {}
        corrected: set[Period] = set()
        standing: list[InvoiceItem] = []
        items = self._items.query(
            tenant_id,
            InvoiceItem.period_start.between(first, f"{last}~"),
            consistent_read=True,
            attributes_to_get=ATTRIBUTES,
        )
        for item in items:
            if is_last_billed_key(item.period_start):
                last_billed_by[item.period_start] = item.attempt
            elif is_corrected_key(item.period_start):
                corrected.add(month_in(item.period_start))
            elif _stands(item) and item.period_start != current_key(period):
                standing.append(item)
        # A month's mark sorts after its invoice.
        months = tuple(self._month(tenant_id, item, period, corrected) for item in standing)
        return BillingHistory(period, months, last_billed_by)

    def _month(
        self, tenant_id: str, item: InvoiceItem, period: Period, corrected: Set[Period]
    ) -> BilledMonth:
        month = month_in(item.period_start)
        pages = self._pages(tenant_id, item)
        recent = months_apart(month, period) <= LATE_MONTHS
        looked_at = recent or month in corrected or self._issued_since(item, period)
        return BilledMonth(
            period=month,
            status=InvoiceStatus(item.status),
            may_have_late_usage=looked_at,
            billed=billed_of(tenant_id, (page.billed for page in pages)),
            tax=tax_of(item),
        )

    def treatment(self, tenant_id: str, period: Period) -> TaxTreatment:
        """Reads the tax treatment of a month's invoice, whatever its state; consistent.

        It reads all of the invoice: `around` has the treatment of all but the oldest invoices for
        nothing. (By a query, as `around` does, because not all who price may get an item.)
        """
        [item] = self._items.query(
            tenant_id, InvoiceItem.period_start == current_key(period), consistent_read=True
        )
        return invoice_of(item, self._pages(tenant_id, item)).tax

    def _pages(self, tenant_id: str, item: InvoiceItem) -> list[InvoiceItem]:
        pages = pages_of(self._items, tenant_id, item)
        if len(pages) != int(item.pages):
            label = month_in(item.period_start).label
            raise InvoiceChanged(f"invoice {tenant_id}.{label} changed while it was read")
        return pages

    def _issued_since(self, item: InvoiceItem, period: Period) -> bool:
        """Whether it was issued too late for an earlier month-end to see it as a closed month."""
        if not item.issued_at:
            return False
        return datetime.fromisoformat(item.issued_at) >= midnight(period.start, self._zone)


def _stands(item: InvoiceItem) -> bool:
    return item.period_shard is not None and item.status != InvoiceStatus.VOID
