"""Looks up tenants that the period's index does not show, in the table itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoicing.foundation.dynamodb import bound, read_tables
from invoicing.invoices.invoice_item import InvoiceItem, flags_of, header_of
from invoicing.invoices.invoice_lists_table import Listed
from invoicing.invoices.keys import current_key
from invoicing.month_end.failures import Failure, failure_of
from invoicing.month_end.failures_table import failure_key
from quote_engine import Period


@dataclass(frozen=True, slots=True)
class Unbilled:
    """By tenant: invoices that the index does not show yet, and notes of what failed."""

    invoices: Mapping[str, Listed]
    failures: Mapping[str, Failure]


class UnbilledTable:
    """Invoices and notes of failures, by the keys that they would have."""

    def __init__(self, invoices_table: str, accounts_table: str) -> None:
        self._invoices_table, self._accounts_table = invoices_table, accounts_table
        self._invoices = bound(InvoiceItem, invoices_table)

    def look(self, tenant_ids: Sequence[str], period: Period) -> Unbilled:
        """What there is of these tenants' month; consistent, two keys a tenant."""
        start, label = current_key(period), period.label
        found = read_tables(
            {
                self._invoices_table: [
                    {"tenant_id": tenant_id, "period_start": start} for tenant_id in tenant_ids
                ],
                self._accounts_table: [failure_key(each, label) for each in tenant_ids],
            }
        )
        items = [self._invoices.from_raw_data(dict(raw)) for raw in found[self._invoices_table]]
        notes = map(failure_of, found[self._accounts_table])
        return Unbilled(
            {item.tenant_id: Listed(header_of(item), flags_of(item)) for item in items},
            {failure.tenant_id: failure for failure in notes},
        )
