"""Whether a tenant that has no invoice of a month should have one."""

from invoicing.accounts.account import InvalidAccount
from invoicing.accounts.accounts_table import UnknownPrice, UnknownTenant
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import InvalidRequest, Period

# Faults in one tenant's data, or changes while it is read: they concern no other tenant.
TENANT_FAULTS = (
    UnknownTenant,
    InvalidAccount,
    UnknownPrice,
    InvalidUsage,
    InvalidRequest,
    InvoiceChanged,
)


def is_due(pricing: Pricing, tenant_id: str, period: Period) -> bool:
    """Whether the tenant's month has anything to invoice, with no more reads than that takes.

    An active subscription always has a line. Without one there may still be late usage of an
    earlier month, which only the rollup's own pricing can find. A tenant that cannot be priced is
    due, too: an error in the data must not look like a customer who has left.
    """
    try:
        account = pricing.accounts.account(tenant_id)
        if any(segment.active_in(period) for segment in account.segments):
            return True
        if not pricing.history.around(tenant_id, period).late_candidates:
            return False
        return bool(pricing.month(tenant_id, period).quote.lines)
    except TENANT_FAULTS:
        return True
