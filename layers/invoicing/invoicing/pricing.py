"""A tenant's month, priced from what is stored: one way for the rollup and for estimates."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from invoicing.accounts import Account, AddonChoice, TaxTreatment, Tenant
from invoicing.accounts import Subscription as PinnedSubscription
from invoicing.accounts_table import AccountsTable
from invoicing.usage_table import EXACT, InvalidUsage, UsageTable
from quote_engine import (
    Addon,
    Period,
    Quote,
    QuoteRequest,
    Subscription,
    UnpricedUsage,
    price,
)

type Usage = Mapping[str, Mapping[str, Decimal]]


@dataclass(frozen=True, slots=True)
class PricedMonth:
    """What one tenant is billed for, and for how much; no lines without an active subscription."""

    tenant: Tenant
    request: QuoteRequest
    quote: Quote


@dataclass(frozen=True, slots=True)
class Pricing:
    """Accounts and usage in, lines out; the same for whoever asks."""

    accounts: AccountsTable
    usage: UsageTable
    currency: str

    def month(self, tenant_id: str, period: Period) -> PricedMonth:
        """The tenant's month as it stands.

        Raises UnknownTenant, UnknownPrice, InvalidUsage and quote_engine.InvalidRequest.
        """
        account = self.accounts.account(tenant_id)
        usage = self._usage(account, period)
        active = [entry for entry in account.subscriptions if entry.active_in(period)]
        request = self.request(account.tenant.tax, active, period, usage)
        quote = price(request)
        unpriced = quote.unpriced + _not_billed(usage, request)
        return PricedMonth(account.tenant, request, quote._replace(unpriced=unpriced))

    def request(
        self,
        tax: TaxTreatment,
        active: Sequence[PinnedSubscription],
        period: Period,
        usage: Usage,
    ) -> QuoteRequest:
        """What the engine is asked, for the rollup as for a quote: the same words, the same lines.

        Raises UnknownPrice, and quote_engine.InvalidRequest naming the field.
        """
        self.accounts.load_catalogue(active)
        segments = Counter(entry.deployment_id for entry in active)
        return QuoteRequest(
            period=period,
            currency=self.currency,
            tax=tax,
            subscriptions=tuple(
                self._priced(entry, self._used(entry, period, usage, segments), period)
                for entry in active
            ),
        )

    def _usage(self, account: Account, period: Period) -> Usage:
        # Ended subscriptions too: usage that goes on after the end is named, never dropped.
        tenant_id = account.tenant.tenant_id
        deployments = {entry.deployment_id for entry in account.subscriptions}
        active = {e.deployment_id for e in account.subscriptions if e.active_in(period)}
        totals = self.usage.totals(deployments, period)
        for name in sorted(active & totals.keys()):
            if totals[name].tenant_id != tenant_id:
                owner = totals[name].tenant_id or "(none)"
                text = f"usage of {name} belongs to tenant {owner}, not to {tenant_id}"
                raise InvalidUsage(text)
        mine = {name: total for name, total in totals.items() if total.tenant_id == tenant_id}
        return {name: total.quantities for name, total in mine.items()}

    def _used(
        self, entry: PinnedSubscription, period: Period, usage: Usage, segments: Counter[str]
    ) -> Mapping[str, Decimal]:
        """The month total; after a change of plan, what was used on this segment's own days."""
        if segments[entry.deployment_id] == 1:
            return usage.get(entry.deployment_id, {})
        used: dict[str, Decimal] = defaultdict(Decimal)
        for day, quantities in self.usage.days(entry.deployment_id, period).days.items():
            if entry.active_on(date.fromisoformat(day)):
                for kind, quantity in quantities.items():
                    used[kind] = EXACT.add(used[kind], quantity)
        return used

    def _priced(
        self, subscription: PinnedSubscription, used: Mapping[str, Decimal], period: Period
    ) -> Subscription:
        ends_on = subscription.ends_on
        return Subscription(
            deployment_id=subscription.deployment_id,
            starts_on=subscription.starts_on,
            # An end after the period is not the period's: a later cancellation changes nothing.
            ends_on=ends_on if ends_on and ends_on < period.last_day else None,
            plan=self.accounts.plan(subscription.plan_code, subscription.plan_version),
            addons=tuple(self._addon(choice) for choice in subscription.addons),
            usage=used,
            discounts=subscription.discounts,
            minimum_commitment=subscription.minimum_commitment,
        )

    def _addon(self, choice: AddonChoice) -> Addon:
        found = self.accounts.addon(choice.code, choice.version)
        return Addon(found.code, found.price, choice.quantity, found.name)


def _not_billed(usage: Usage, request: QuoteRequest) -> tuple[UnpricedUsage, ...]:
    """Usage that no segment takes: after an end, before a start, or between two segments."""
    left = {(name, kind): used for name in usage for kind, used in usage[name].items()}
    for subscription in request.subscriptions:
        for kind, quantity in subscription.usage.items():
            key = (subscription.deployment_id, kind)
            left[key] = EXACT.subtract(left[key], quantity)
    return tuple(UnpricedUsage(*key, left[key]) for key in sorted(left) if left[key])
