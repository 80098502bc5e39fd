"""Whether a tenant that has no invoice of a month should have one."""

from invoicing.accounts.account import InvalidAccount
from invoicing.accounts.accounts_table import UnknownPrice, UnknownTenant
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import InvalidRequest, Period

# What is wrong with one tenant's data, or changes while it is read, and is no other's affair.
TENANT_FAULTS = (
    UnknownTenant,
    InvalidAccount,
    UnknownPrice,
    InvalidUsage,
    InvalidRequest,
    InvoiceChanged,
)


def is_due(pricing: Pricing, tenant_id: str, period: Period) -> bool:
    """Whether the tenant's month has anything to invoice, by no more reads than that takes.

    An active subscription always has a line. Without one there may still be late usage of a month
    before, which only the rollup's own pricing can tell. Who cannot be priced is due all the
    same: an error in the books must not look like a customer who has left.
    """
    try:
        account = pricing.accounts.account(tenant_id)
        if any(entry.active_in(period) for entry in account.segments):
            return True
        if not pricing.history.around(tenant_id, period).late_candidates:
            return False
        return bool(pricing.month(tenant_id, period).quote.lines)
    except TENANT_FAULTS:
        return True
