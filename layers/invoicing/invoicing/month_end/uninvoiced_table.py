"""Looks up tenants that the period's index does not show, in the tables themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoicing.foundation.dynamodb import bound, read_tables
from invoicing.invoices.invoice_item import InvoiceItem, flags_of, header_of
from invoicing.invoices.invoice_lists_table import ListedInvoice
from invoicing.invoices.keys import current_key
from invoicing.month_end.failures import Failure, failure_of
from invoicing.month_end.failures_table import failure_key
from quote_engine import Period


@dataclass(frozen=True, slots=True)
class Uninvoiced:
    """By tenant: invoices that the index does not show yet, and notes of failures."""

    invoices: Mapping[str, ListedInvoice]
    failures: Mapping[str, Failure]


class UninvoicedTable:
    """Reads invoices and notes of failures by the keys that they would have."""

    def __init__(self, invoices_table: str, accounts_table: str) -> None:
        self._invoices_table, self._accounts_table = invoices_table, accounts_table
        self._invoices = bound(InvoiceItem, invoices_table)

    def read(self, tenant_ids: Sequence[str], period: Period) -> Uninvoiced:
        """Reads what there is of these tenants' month; consistent, two keys per tenant."""
        start, label = current_key(period), period.label
        raw_items = read_tables(
            {
                self._invoices_table: [
                    {"tenant_id": tenant_id, "period_start": start} for tenant_id in tenant_ids
                ],
                self._accounts_table: [failure_key(tenant_id, label) for tenant_id in tenant_ids],
            }
        )
        items = [
            self._invoices.from_raw_data(dict(raw)) for raw in raw_items[self._invoices_table]
        ]
        notes = map(failure_of, raw_items[self._accounts_table])
        return Uninvoiced(
            {item.tenant_id: ListedInvoice(header_of(item), flags_of(item)) for item in items},
            {failure.tenant_id: failure for failure in notes},
        )
