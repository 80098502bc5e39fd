"""One tenant's month: account and usage in, one invoice out. Safe to do any number of times."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from invoicing.accounts import Account, AddonChoice, Tenant
from invoicing.accounts import Subscription as PinnedSubscription
from invoicing.accounts_table import AccountsTable
from invoicing.billing_calendar import refuse_open_period
from invoicing.invoice import (
    REPLACEABLE,
    Edition,
    Header,
    Invoice,
    InvoiceStatus,
    Issue,
    new_invoice,
)
from invoicing.invoices_table import (
    InvoiceAlreadyExists,
    InvoiceNotFound,
    InvoicesTable,
    StoredInvoice,
)
from invoicing.messages import RollupMessage
from invoicing.settings import Settings
from invoicing.usage_table import InvalidUsage, UsageTable
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


class Outcome(StrEnum):
    """What became of one tenant's message."""

    ROLLED = "rolled"
    SKIPPED = "skipped"
    REPLACED = "replaced"
    REFUSED = "refused"
    NOTHING_TO_INVOICE = "nothing_to_invoice"


@dataclass(frozen=True, slots=True)
class RollupResult:
    """The outcome, the invoice that now stands, why, and usage that nothing prices."""

    outcome: Outcome
    header: Header | None = None
    reason: str = ""
    unpriced: tuple[UnpricedUsage, ...] = ()


@dataclass(frozen=True, slots=True)
class _Priced:
    tenant: Tenant
    request: QuoteRequest
    quote: Quote
    unpriced: tuple[UnpricedUsage, ...]


@dataclass(frozen=True, slots=True)
class Rollup:
    """The month-end of one tenant at a time, over the three tables."""

    accounts: AccountsTable
    usage: UsageTable
    invoices: InvoicesTable
    settings: Settings

    def roll_up(self, message: RollupMessage) -> RollupResult:
        """Invoices the message's tenant for its period, once however often it is called.

        Raises UnknownTenant, UnknownPrice, InvalidUsage, quote_engine.InvalidRequest and whatever
        DynamoDB raises: the message then fails alone, is retried, and ends among the dead letters.
        """
        period = Period.month(message.period)
        refuse_open_period(period, message.run_at, self.settings.zone)
        # Before anything is read: a replacement is conditioned on what stood when its prices
        # were worked out, so that a slow worker cannot put old usage in the place of new.
        standing = self._standing(message.tenant_id, period) if message.force else None
        account = self.accounts.account(message.tenant_id)
        usage = self._usage(account, period)
        request = self._request(account, period, usage)
        quote = price(request)
        unpriced = quote.unpriced + _unsubscribed(usage, request)
        if not quote.lines:
            return _nothing_to_invoice(standing, unpriced)
        priced = _Priced(account.tenant, request, quote, unpriced)
        if standing is not None:
            return self._replace(standing, priced, message)
        return self._create(priced, message)

    def _standing(self, tenant_id: str, period: Period) -> StoredInvoice | None:
        try:
            return self.invoices.stored(tenant_id, period)
        except InvoiceNotFound:
            return None

    def _usage(self, account: Account, period: Period) -> Usage:
        # Ended subscriptions too: usage that goes on after the end is named, never dropped.
        tenant_id = account.tenant.tenant_id
        deployments = {entry.deployment_id for entry in account.subscriptions}
        active = {e.deployment_id for e in account.subscriptions if e.active_in(period)}
        totals = self.usage.totals(deployments, period)
        for name in sorted(active & totals.keys()):
            if totals[name].tenant_id != tenant_id:
                owner = totals[name].tenant_id or "(none)"
                raise InvalidUsage(
                    f"usage of {name} belongs to tenant {owner}, not to {tenant_id}"
                )
        mine = {name: total for name, total in totals.items() if total.tenant_id == tenant_id}
        return {name: total.quantities for name, total in mine.items()}

    def _request(self, account: Account, period: Period, usage: Usage) -> QuoteRequest:
        active = [entry for entry in account.subscriptions if entry.active_in(period)]
        self.accounts.load_catalogue(active)
        return QuoteRequest(
            period=period,
            currency=self.settings.currency,
            tax=account.tenant.tax,
            subscriptions=tuple(self._priced(entry, usage) for entry in active),
        )

    def _priced(self, subscription: PinnedSubscription, usage: Usage) -> Subscription:
        return Subscription(
            deployment_id=subscription.deployment_id,
            starts_on=subscription.starts_on,
            ends_on=subscription.ends_on,
            plan=self.accounts.plan(subscription.plan_code, subscription.plan_version),
            addons=tuple(self._addon(choice) for choice in subscription.addons),
            usage=usage.get(subscription.deployment_id, {}),
        )

    def _addon(self, choice: AddonChoice) -> Addon:
        found = self.accounts.addon(choice.code, choice.version)
        return Addon(found.code, found.price, choice.quantity, found.name)

    def _create(self, priced: _Priced, message: RollupMessage) -> RollupResult:
        invoice = self._invoice(priced, message, revision=1)
        try:
            self.invoices.create(invoice)
        except InvoiceAlreadyExists as found:
            return RollupResult(Outcome.SKIPPED, found.header, "invoiced already")
        return RollupResult(Outcome.ROLLED, invoice.header, unpriced=invoice.unpriced)

    def _replace(
        self, standing: StoredInvoice, priced: _Priced, message: RollupMessage
    ) -> RollupResult:
        header = standing.invoice.header
        if header.status not in REPLACEABLE:
            return RollupResult(Outcome.REFUSED, header, f"{header.status}: void it first")
        invoice = self._invoice(priced, message, revision=header.revision + 1)
        unchanged = invoice.header.fingerprint == header.fingerprint
        if unchanged and header.status is InvoiceStatus.DRAFT:
            return RollupResult(Outcome.SKIPPED, header, "unchanged", invoice.unpriced)
        self.invoices.replace(standing, invoice)
        return RollupResult(Outcome.REPLACED, invoice.header, unpriced=invoice.unpriced)

    def _invoice(self, priced: _Priced, message: RollupMessage, revision: int) -> Invoice:
        quote = priced.quote._replace(unpriced=priced.unpriced)
        edition = Edition(revision, self._issue(message.run_at))
        return new_invoice(priced.tenant, priced.request, quote, edition)

    def _issue(self, run_at: datetime) -> Issue | None:
        if not self.settings.issue_immediately:
            return None
        issued_on = run_at.astimezone(self.settings.zone).date()
        return Issue(run_at, issued_on + timedelta(days=self.settings.due_days))


def _nothing_to_invoice(
    standing: StoredInvoice | None, unpriced: tuple[UnpricedUsage, ...]
) -> RollupResult:
    reason = "no active subscription in the period"
    if standing is None or standing.invoice.header.status is InvoiceStatus.VOID:
        return RollupResult(Outcome.NOTHING_TO_INVOICE, reason=reason, unpriced=unpriced)
    header = standing.invoice.header
    return RollupResult(
        Outcome.REFUSED,
        header,
        f"{reason}, but a {header.status} invoice stands: void it",
        unpriced,
    )


def _unsubscribed(usage: Usage, request: QuoteRequest) -> tuple[UnpricedUsage, ...]:
    active = {subscription.deployment_id for subscription in request.subscriptions}
    return tuple(
        UnpricedUsage(deployment_id, kind, quantity)
        for deployment_id in sorted(usage.keys() - active)
        for kind, quantity in sorted(usage[deployment_id].items())
        if quantity
    )
