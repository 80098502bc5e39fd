"""A tenant's month, priced from what is stored: one way for the rollup and for estimates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from invoicing.accounts.account import Account, AddonChoice, TaxTreatment, Tenant
from invoicing.accounts.account import Subscription as PinnedSubscription
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.dynamodb import read_tables
from invoicing.foundation.settings import Settings
from invoicing.invoices.billed_usage import (
    Billed,
    LateUsage,
    SegmentUsage,
    is_segment,
    same_usage,
    segment_key,
    terms_of,
)
from invoicing.invoices.billing_history import BilledMonth, BillingHistory
from invoicing.invoices.billing_history_table import BillingHistoryTable
from invoicing.pricing.usage_by_segment import by_segment
from invoicing.usage.usage_table import (
    EXACT,
    InvalidUsage,
    UsageTable,
    UsageTotal,
    totals_by_period,
)
from quote_engine import (
    Addon,
    Line,
    Period,
    Quote,
    QuoteRequest,
    Subscription,
    UnpricedUsage,
    adjustment_lines,
    price,
)


@dataclass(frozen=True, slots=True)
class Books:
    """All that is stored about one tenant and bears on one period; usage by period label."""

    account: Account
    history: BillingHistory
    totals: Mapping[str, Mapping[str, UsageTotal]]


@dataclass(frozen=True, slots=True)
class PricedMonth:
    """What one tenant is billed for, and for how much; no lines without an active subscription.

    `marks` are for whoever writes the invoice (see InvoicesTable.create).
    """

    tenant: Tenant
    request: QuoteRequest
    quote: Quote
    billed: Billed
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pricing:
    """Accounts, usage and earlier invoices in, lines out; the same for whoever asks."""

    accounts: AccountsTable
    usage: UsageTable
    history: BillingHistoryTable
    currency: str

    @classmethod
    def over(cls, settings: Settings) -> "Pricing":
        """Pricing over the deployed tables."""
        return cls(
            AccountsTable(settings.accounts_table),
            UsageTable(settings.usage_table),
            BillingHistoryTable(settings.invoices_table, settings.zone),
            settings.currency,
        )

    def month(self, tenant_id: str, period: Period) -> PricedMonth:
        """The tenant's month as it stands, with the late usage of closed months.

        Raises UnknownTenant, UnknownPrice, InvalidUsage and quote_engine.InvalidRequest.
        """
        account = self.accounts.account(tenant_id)
        history = self.history.around(tenant_id, period)
        return self.priced(self._books(account, history, period), period)

    def _books(self, account: Account, history: BillingHistory, period: Period) -> Books:
        """Reads the usage of all months in question and the catalogue, in one call."""
        months = history.late_candidates()
        pinned = [each for each in account.subscriptions if each.active_in(period)]
        pinned += [each for month in months for each in month.billed.subscriptions]
        # Ended subscriptions too: usage that goes on after the end is named, never dropped.
        deployments = {each.deployment_id for each in (*account.subscriptions, *pinned)}
        deployments |= account.unsubscribed
        periods = [period, *(month.period for month in months)]
        wanted = {
            self.usage.name: self.usage.total_keys(deployments, periods),
            self.accounts.name: self.accounts.catalogue_keys(pinned),
        }
        found = read_tables(wanted)
        self.accounts.take_catalogue(found[self.accounts.name])
        return Books(account, history, totals_by_period(found[self.usage.name]))

    def priced(self, books: Books, period: Period) -> PricedMonth:
        """The month of a tenant whose books have been read; raises as `month`."""
        tenant, history = books.account.tenant, books.history
        active = [entry for entry in books.account.subscriptions if entry.active_in(period)]
        usage = self._usage(books, active, period)
        late, lines, late_unpriced = self._late(books)
        request = self.request(tenant.tax, active, period, usage, lines)
        quote = price(request)
        unpriced = quote.unpriced + _outside(usage) + late_unpriced
        billed = Billed(tuple(active), usage, late)
        return PricedMonth(
            tenant, request, quote._replace(unpriced=unpriced), billed, history.marks
        )

    def request(
        self,
        tax: TaxTreatment,
        active: Sequence[PinnedSubscription],
        period: Period,
        usage: SegmentUsage,
        adjustments: tuple[Line, ...] = (),
    ) -> QuoteRequest:
        """What the engine is asked, for the rollup as for a quote: the same words, the same lines.

        Raises UnknownPrice, and quote_engine.InvalidRequest naming the field.
        """
        return QuoteRequest(
            period=period,
            currency=self.currency,
            tax=tax,
            subscriptions=tuple(
                self._priced(entry, usage.get(segment_key(entry), {}), period) for entry in active
            ),
            adjustments=adjustments,
        )

    def _usage(
        self, books: Books, active: Sequence[PinnedSubscription], period: Period
    ) -> SegmentUsage:
        totals = _of_tenant(books, active, period)
        used = self._by_segment(active, totals, period)
        taken = books.history.taken_by_later(period.label)
        if taken is None:
            return used
        self._refuse_other_terms(books, taken, active, period)
        return taken

    def _refuse_other_terms(
        self,
        books: Books,
        taken: SegmentUsage,
        active: Sequence[PinnedSubscription],
        period: Period,
    ) -> None:
        """Later invoices billed differences of two prices: they only add up at the same terms."""
        tenant_id, label = books.account.tenant.tenant_id, period.label
        terms = terms_of(active, period)
        others = set(filter(is_segment, taken)) != {segment_key(entry) for entry in active}
        for later in books.history.later_billing(label):
            if others or later.billed.late[label].terms not in ("", terms):
                raise InvalidUsage(
                    f"invoice {tenant_id}.{later.period.label} bills late usage of {label} by "
                    "other subscriptions than there are now; void that one first"
                )

    def _by_segment(
        self,
        segments: Sequence[PinnedSubscription],
        totals: Mapping[str, UsageTotal],
        period: Period,
    ) -> SegmentUsage:
        return by_segment(
            segments, totals, period, lambda name: self.usage.days(name, period).days
        )

    def _late(
        self, books: Books
    ) -> tuple[dict[str, LateUsage], tuple[Line, ...], tuple[UnpricedUsage, ...]]:
        """Late usage by period label, its lines, and the part of it that nothing prices."""
        late: dict[str, LateUsage] = {}
        lines: tuple[Line, ...] = ()
        unpriced: tuple[UnpricedUsage, ...] = ()
        for month in books.history.late_candidates():
            before = books.history.billed_until_now(month)
            after = self._usage_now(books, month)
            if same_usage(before, after):
                continue
            then, now = (self._request_of(books, month, usage) for usage in (before, after))
            found = adjustment_lines(then, now)
            grown = _growth(_unpriced(then, before), _unpriced(now, after))
            if found or grown:
                terms = terms_of(month.billed.subscriptions, month.period)
                late[month.period.label] = LateUsage(before, after, terms)
            lines += found
            unpriced += grown
        return late, lines, unpriced

    def _usage_now(self, books: Books, month: BilledMonth) -> SegmentUsage:
        label = month.period.label
        taken = books.history.taken_by_later(label)
        if taken is not None:
            return taken
        subscriptions = month.billed.subscriptions
        mine = _of_tenant(books, subscriptions, month.period)
        return self._by_segment(subscriptions, mine, month.period)

    def _request_of(self, books: Books, month: BilledMonth, usage: SegmentUsage) -> QuoteRequest:
        tax, subscriptions = books.account.tenant.tax, month.billed.subscriptions
        return self.request(tax, subscriptions, month.period, usage)

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


def _of_tenant(
    books: Books, active: Sequence[PinnedSubscription], period: Period
) -> Mapping[str, UsageTotal]:
    """The period's totals that are the tenant's own; raises InvalidUsage where others' would be
    billed to it.
    """
    tenant_id = books.account.tenant.tenant_id
    totals = books.totals.get(period.label, {})
    for name in sorted({entry.deployment_id for entry in active} & totals.keys()):
        if totals[name].tenant_id != tenant_id:
            owner = totals[name].tenant_id or "(none)"
            text = f"usage of {name} belongs to tenant {owner}, not to {tenant_id}"
            raise InvalidUsage(text)
    return {name: total for name, total in totals.items() if total.tenant_id == tenant_id}


def _outside(usage: SegmentUsage) -> tuple[UnpricedUsage, ...]:
    """Usage that no segment takes: after an end, before a start, or between two segments."""
    return tuple(
        UnpricedUsage(key, kind, quantity)
        for key in sorted(usage)
        if not is_segment(key)
        for kind, quantity in sorted(usage[key].items())
        if quantity
    )


type _Quantities = dict[tuple[str, str], Decimal]


def _unpriced(request: QuoteRequest, usage: SegmentUsage) -> _Quantities:
    found: _Quantities = {}
    for each in (*price(request).unpriced, *_outside(usage)):
        key = each.deployment_id, each.resource_kind
        found[key] = EXACT.add(found.get(key, Decimal(0)), each.quantity)
    return found


def _growth(before: _Quantities, after: _Quantities) -> tuple[UnpricedUsage, ...]:
    """What is unpriced now and was not yet when the month was billed."""
    grown = {key: EXACT.subtract(after[key], before.get(key, Decimal(0))) for key in after}
    return tuple(UnpricedUsage(*key, grown[key]) for key in sorted(grown) if grown[key] > 0)
