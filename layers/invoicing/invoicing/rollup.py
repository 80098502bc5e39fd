"""One tenant's month: account and usage in, one invoice out. Safe to do any number of times."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
from invoicing.pricing import PricedMonth, Pricing
from invoicing.settings import Settings
from quote_engine import Period, UnpricedUsage


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
class Rollup:
    """The month-end of one tenant at a time, over the three tables."""

    pricing: Pricing
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
        priced = self.pricing.month(message.tenant_id, period)
        if not priced.quote.lines:
            return _nothing_to_invoice(standing, priced.quote.unpriced)
        if standing is not None:
            return self._replace(standing, priced, message)
        return self._create(priced, message)

    def _standing(self, tenant_id: str, period: Period) -> StoredInvoice | None:
        try:
            return self.invoices.stored(tenant_id, period)
        except InvoiceNotFound:
            return None

    def _create(self, priced: PricedMonth, message: RollupMessage) -> RollupResult:
        invoice = self._invoice(priced, message, revision=1)
        try:
            self.invoices.create(invoice, priced.marks)
        except InvoiceAlreadyExists as found:
            if message.force:
                # Another worker was first, perhaps with older usage: the retry compares.
                raise
            return RollupResult(Outcome.SKIPPED, found.header, "invoiced already")
        return RollupResult(Outcome.ROLLED, invoice.header, unpriced=invoice.unpriced)

    def _replace(
        self, standing: StoredInvoice, priced: PricedMonth, message: RollupMessage
    ) -> RollupResult:
        header = standing.invoice.header
        if header.status not in REPLACEABLE:
            return RollupResult(Outcome.REFUSED, header, f"{header.status}: void it first")
        invoice = self._invoice(priced, message, revision=header.revision + 1)
        unchanged = invoice.header.fingerprint == header.fingerprint
        if unchanged and header.status is InvoiceStatus.DRAFT:
            return RollupResult(Outcome.SKIPPED, header, "unchanged", invoice.unpriced)
        self.invoices.replace(standing, invoice, priced.marks)
        return RollupResult(Outcome.REPLACED, invoice.header, unpriced=invoice.unpriced)

    def _invoice(self, priced: PricedMonth, message: RollupMessage, revision: int) -> Invoice:
        edition = Edition(revision, self._issue(message.run_at))
        return new_invoice(priced.tenant, priced.request, priced.quote, edition, priced.billed)

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
