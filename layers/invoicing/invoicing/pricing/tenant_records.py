"""Everything stored about one tenant that bears on its month."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoicing.accounts.account import Account, Segment
from invoicing.invoices.billing_history import BillingHistory
from invoicing.usage.usage_table import InvalidUsage, UsageTotal
from quote_engine import Period
from quote_engine.limits import QUANTITY_DIGITS


@dataclass(frozen=True, slots=True)
class TenantRecords:
    """A tenant's account, what its invoices billed, and its usage by period label."""

    account: Account
    history: BillingHistory
    totals: Mapping[str, Mapping[str, UsageTotal]]

    def totals_of(self, segments: Sequence[Segment], period: Period) -> Mapping[str, UsageTotal]:
        """Returns the tenant's own totals of a period, by deployment.

        Raises InvalidUsage if these segments would bill it for another tenant's usage, or for more
        than the engine prices.
        """
        tenant_id = self.account.tenant.tenant_id
        totals = self.totals.get(period.label, {})
        for deployment_id in sorted(
            {segment.deployment_id for segment in segments} & totals.keys()
        ):
            if totals[deployment_id].tenant_id != tenant_id:
                owner = totals[deployment_id].tenant_id or "(none)"
                text = f"usage of {deployment_id} belongs to tenant {owner}, not to {tenant_id}"
                raise InvalidUsage(text)
            _refuse_too_long(totals[deployment_id])
        return {
            deployment_id: total
            for deployment_id, total in totals.items()
            if total.tenant_id == tenant_id
        }


def _refuse_too_long(total: UsageTotal) -> None:
    """Raises InvalidUsage for a quantity of a time when metering took any number of digits."""
    for kind, quantity in total.quantities.items():
        if quantity.adjusted() >= QUANTITY_DIGITS:
            raise InvalidUsage(
                f"usage of {total.deployment_id}, {kind}: {quantity:f} has more than "
                f"{QUANTITY_DIGITS} digits before the point; take back what was sent wrongly with "
                "`monthend usage correct`"
            )
