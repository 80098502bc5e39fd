"""Prices a tenant's month from stored data, the same way for the rollup and for estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from invoicing.accounts.account import Account, Segment, TaxTreatment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from invoicing.foundation.dynamodb import read_tables
from invoicing.foundation.settings import Settings
from invoicing.invoices.billed_usage import Billed, LastBilledBy, SegmentUsage, segment_key
from invoicing.invoices.billing_history import BillingHistory, LateCandidate
from invoicing.invoices.billing_history_table import BillingHistoryTable
from invoicing.pricing.late_usage import (
    LateMonth,
    barred_by_later,
    late_month,
    late_usage,
    up_to_later_invoice,
)
from invoicing.pricing.payable import payable
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.pricing.usage_by_segment import by_segment, outside_segments
from invoicing.usage.usage_table import UsageTable, totals_by_period
from quote_engine import Addon, Adjustment, Period, Quote, QuoteRequest, Subscription


@dataclass(frozen=True, slots=True)
class PricedMonth:
    """What one tenant is billed for, and how much; the quote has no lines if nothing is billed.

    `last_billed_by` is needed to write the invoice (see InvoicesTable.create). `barred` says why
    it must not be written, since a later invoice goes on from another; mostly it is empty.
    """

    tenant: Tenant
    request: QuoteRequest
    quote: Quote
    billed: Billed
    last_billed_by: LastBilledBy = field(default_factory=dict)
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Prices months from accounts, usage and earlier invoices, the same for every caller."""

    accounts: AccountsTable
    usage: UsageTable
    history: BillingHistoryTable
    currency: str

    @classmethod
    def over(cls, settings: Settings) -> "Pricing":
        """Returns pricing over the deployed tables."""
        return cls(
            AccountsTable(settings.accounts_table),
            UsageTable(settings.usage_table),
            BillingHistoryTable(settings.invoices_table, settings.zone),
            settings.currency,
        )

    def month(self, tenant_id: str, period: Period) -> PricedMonth:
        """Prices the tenant's month as it stands, with the late usage of closed months.

        Raises UnknownTenant, UnknownPrice, InvalidUsage and quote_engine.InvalidRequest.
        """
        return self.month_of(self.accounts.account(tenant_id), period)

    def month_of(self, account: Account, period: Period) -> PricedMonth:
        """Prices the month of a tenant whose account has been read; raises as `month` does."""
        history = self.history.around(account.tenant.tenant_id, period)
        months = [candidate.month for candidate in history.late_candidates]
        pinned = account.billed_in(period)
        pinned += [segment for month in months for segment in month.billed.segments]
        periods = [period, *(month.period for month in months)]
        return self.priced(self.records(account, history, pinned, periods), period)

    def records(
        self,
        account: Account,
        history: BillingHistory,
        pinned: Sequence[Segment],
        periods: Sequence[Period],
    ) -> TenantRecords:
        """Reads the tenant's usage of these months and these segments' prices, in one call."""
        # Ended subscriptions too: usage after the end is reported, never dropped.
        deployments = {segment.deployment_id for segment in (*account.segments, *pinned)}
        deployments |= account.unsubscribed
        items = read_tables(
            {
                self.usage.name: self.usage.total_keys(deployments, periods),
                self.accounts.name: self.accounts.catalogue_keys(pinned),
            }
        )
        self.accounts.take_catalogue(items[self.accounts.name])
        return TenantRecords(account, history, totals_by_period(items[self.usage.name]))

    def priced(self, records: TenantRecords, period: Period) -> PricedMonth:
        """Prices the month of a tenant whose records have been read; raises as `month` does."""
        tenant, history = records.account.tenant, records.history
        usage_of = partial(self.used, records)
        treatment_of = partial(self._treatment, tenant.tenant_id)
        active = records.account.billed_in(period)
        usage = up_to_later_invoice(records, active, period, usage_of(active, period))
        late = late_usage(records, usage_of, self.request, treatment_of)
        request = self.request(tenant.tax, active, period, usage, late.adjustments)
        quote = payable(request)
        unpriced = quote.unpriced + outside_segments(usage) + late.unpriced
        billed = Billed(tuple(active), usage, late.months)
        barred = barred_by_later(records, active, period, treatment_of)
        quote = quote._replace(unpriced=unpriced)
        return PricedMonth(tenant, request, quote, billed, history.last_billed_by, barred)

    def late_month(self, records: TenantRecords, candidate: LateCandidate) -> LateMonth | None:
        """Returns what has changed in a closed month, as `priced` bills it; None if nothing."""
        treatment_of = partial(self._treatment, records.account.tenant.tenant_id)
        return late_month(candidate, partial(self.used, records), self.request, treatment_of)

    def request(
        self,
        tax: TaxTreatment,
        active: Sequence[Segment],
        period: Period,
        usage: SegmentUsage,
        adjustments: tuple[Adjustment, ...] = (),
    ) -> QuoteRequest:
        """Builds the engine's request, for the rollup and for quotes: same input, same lines.

        Raises UnknownPrice, and quote_engine.InvalidRequest naming the field.
        """
        return QuoteRequest(
            period=period,
            currency=self.currency,
            tax=tax,
            subscriptions=tuple(
                self._priced(segment, usage.get(segment_key(segment), {}), period)
                for segment in active
            ),
            adjustments=adjustments,
        )

    def _treatment(self, tenant_id: str, period: Period) -> TaxTreatment:
        return self.history.treatment(tenant_id, period)

    def used(
        self, records: TenantRecords, segments: Sequence[Segment], period: Period
    ) -> SegmentUsage:
        """Returns what these segments used so far; reads days only where a month is divided."""
        totals = records.totals_of(segments, period)
        return by_segment(
            segments,
            totals,
            period,
            lambda deployment_id: self.usage.days(deployment_id, period).days,
        )

    def _priced(
        self, subscription: Segment, used: Mapping[str, Decimal], period: Period
    ) -> Subscription:
        ends_on = subscription.ends_on
        return Subscription(
            deployment_id=subscription.deployment_id,
            starts_on=subscription.starts_on,
            # An end after the period is left out: a later cancellation changes nothing.
            ends_on=ends_on if ends_on and ends_on < period.last_day else None,
            plan=self.accounts.plan(subscription.plan_code, subscription.plan_version),
            addons=tuple(self._addon(choice) for choice in subscription.addons),
            usage=used,
            discounts=subscription.discounts,
            minimum_commitment=subscription.minimum_commitment,
        )

    def _addon(self, choice: AddonChoice) -> Addon:
        addon = self.accounts.addon(choice.code, choice.version)
        return Addon(
            addon.code,
            addon.price,
            choice.quantity,
            addon.name,
            choice.starts_on,
            choice.ends_on,
        )
