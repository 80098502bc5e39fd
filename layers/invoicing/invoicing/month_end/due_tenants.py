"""Whether a tenant that has no invoice of a month should have one; if not, what it used."""

from dataclasses import dataclass

from invoicing.accounts.account import InvalidAccount
from invoicing.accounts.accounts_table import UnknownPrice, UnknownTenant
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import InvalidRequest, Period, UnpricedUsage

# Faults in one tenant's data, or changes while it is read: they concern no other tenant.
TENANT_FAULTS = (
    UnknownTenant,
    InvalidAccount,
    UnknownPrice,
    InvalidUsage,
    InvalidRequest,
    InvoiceChanged,
)


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a tenant without an invoice is due, and the month's usage that none would bill.

    That is not looked for where there is a subscription: the invoice will name it. Late usage of
    earlier months is no part of it: their own reports name that.
    """

    due: bool
    unbilled: tuple[UnpricedUsage, ...] = ()


def look_at(pricing: Pricing, tenant_id: str, period: Period) -> Due:
    """Returns whether the tenant's month has anything to invoice, and what nobody pays for.

    An active subscription always has a line, and takes one read. Without one there may still be
    late usage of an earlier month, and usage that nobody pays for: both take the rollup's own
    reads and pricing. A tenant that cannot be priced is due, too: an error in the data must not
    look like a customer who has left.
    """
    try:
        account = pricing.accounts.account(tenant_id)
        if any(segment.active_in(period) for segment in account.segments):
            return Due(due=True)
        quote = pricing.month_of(account, period).quote
        own = tuple(usage for usage in quote.unpriced if usage.period is None)
        return Due(bool(quote.lines), own)
    except TENANT_FAULTS:
        return Due(due=True)
