"""All that is stored about one tenant and bears on its month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoicing.accounts.account import Account, Segment
from invoicing.invoices.billing_history import BillingHistory
from invoicing.usage.usage_table import InvalidUsage, UsageTotal
from quote_engine import Period


@dataclass(frozen=True, slots=True)
class TenantRecords:
    """A tenant's account, what its invoices billed, and its usage by period label."""

    account: Account
    history: BillingHistory
    totals: Mapping[str, Mapping[str, UsageTotal]]

    def totals_of(self, segments: Sequence[Segment], period: Period) -> Mapping[str, UsageTotal]:
        """The tenant's own totals of a period, by deployment.

        Raises InvalidUsage where these segments would bill another tenant's usage to it.
        """
        tenant_id = self.account.tenant.tenant_id
        totals = self.totals.get(period.label, {})
        for name in sorted({segment.deployment_id for segment in segments} & totals.keys()):
            if totals[name].tenant_id != tenant_id:
                owner = totals[name].tenant_id or "(none)"
                text = f"usage of {name} belongs to tenant {owner}, not to {tenant_id}"
                raise InvalidUsage(text)
        return {name: total for name, total in totals.items() if total.tenant_id == tenant_id}
