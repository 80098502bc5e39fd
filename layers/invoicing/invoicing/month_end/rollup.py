"""One tenant's month: account and usage in, one invoice out. Safe to run any number of times."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from invoicing.foundation.billing_calendar import refuse_open_period
from invoicing.foundation.settings import Settings
from invoicing.invoices.billed_usage import LastBilledBy
from invoicing.invoices.invoice import (
    REPLACEABLE,
    Header,
    Invoice,
    InvoiceStatus,
    Issue,
    Revision,
    new_invoice,
)
from invoicing.invoices.invoices_table import (
    InvoiceAlreadyExists,
    InvoiceNotFound,
    InvoicesTable,
    StoredInvoice,
)
from invoicing.invoices.line_changes import LineChange, line_changes
from invoicing.month_end.rollup_message import RollupMessage
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import Period, UnpricedUsage

INVOICED = "invoiced already"


class RollupOutcome(StrEnum):
    """The outcome of one tenant's message."""

    ROLLED = "rolled"
    SKIPPED = "skipped"
    REPLACED = "replaced"
    REFUSED = "refused"
    NOTHING_TO_INVOICE = "nothing_to_invoice"


@dataclass(frozen=True, slots=True)
class RollupResult:
    """The outcome, the invoice that now stands, the reason, unpriced usage, and what changed.

    After a dry run, `header` is of the invoice that would stand, `before` of the one that does,
    and a first invoice's lines are changes, too.
    """

    outcome: RollupOutcome
    header: Header | None = None
    reason: str = ""
    unpriced: tuple[UnpricedUsage, ...] = ()
    changes: tuple[LineChange, ...] = ()
    before: Header | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written: the invoice, and the one it replaces, if any; or nothing."""

    result: RollupResult
    invoice: Invoice | None = None
    standing: StoredInvoice | None = None
    last_billed_by: LastBilledBy = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rollup:
    """Does the month-end of one tenant at a time, over the three tables."""

    pricing: Pricing
    invoices: InvoicesTable
    settings: Settings

    def roll_up(self, message: RollupMessage) -> RollupResult:
        """Invoices the message's tenant for its period, once however often it is called.

        Raises UnknownTenant, UnknownPrice, InvalidUsage, quote_engine.InvalidRequest and whatever
        DynamoDB raises. Only this message then fails; it is retried and ends as a dead letter.
        """
        period = Period.month(message.period)
        refuse_open_period(period, message.run_at, self.settings.zone)
        # Read before anything else: a replacement is conditional on what stood when its prices
        # were worked out, so that a slow worker cannot replace new usage with old.
        needs_standing = message.force or message.dry_run
        standing = self._standing(message.tenant_id, period) if needs_standing else None
        priced = self.pricing.month(message.tenant_id, period)
        if priced.barred and standing is None:
            standing = self._standing(message.tenant_id, period)
        plan = self._plan(standing, priced, message)
        if message.dry_run:
            return self._rehearsed(plan, standing)
        if plan.invoice is None:
            return plan.result
        if plan.standing is not None:
            self.invoices.replace(plan.standing, plan.invoice, plan.last_billed_by)
            return plan.result
        return self._create(plan, plan.invoice, message)

    def _standing(self, tenant_id: str, period: Period) -> StoredInvoice | None:
        try:
            return self.invoices.stored(tenant_id, period)
        except InvoiceNotFound:
            return None

    def _plan(
        self, standing: StoredInvoice | None, priced: PricedMonth, message: RollupMessage
    ) -> _Plan:
        if not priced.quote.lines:
            return _Plan(_nothing_to_invoice(standing, priced.quote.unpriced))
        if standing is None:
            _refuse_barred(priced)
            invoice = self._invoice(priced, message, revision=1, letters_used=0)
            result = RollupResult(RollupOutcome.ROLLED, invoice.header, unpriced=invoice.unpriced)
            return _Plan(result, invoice, last_billed_by=priced.last_billed_by)
        header = standing.invoice.header
        if not message.force:
            return _Plan(RollupResult(RollupOutcome.SKIPPED, header, INVOICED))
        if reason := _must_stand(standing, message.run_at):
            return _Plan(RollupResult(RollupOutcome.REFUSED, header, reason))
        _refuse_barred(priced)
        letters_used = self.invoices.letters_used(standing)
        invoice = self._invoice(priced, message, header.revision + 1, letters_used)
        if header.status is InvoiceStatus.DRAFT and _unchanged(standing.invoice, invoice):
            return _Plan(
                RollupResult(RollupOutcome.SKIPPED, header, "unchanged", invoice.unpriced)
            )
        changes = line_changes(standing.invoice.lines, invoice.lines)
        result = RollupResult(
            RollupOutcome.REPLACED, invoice.header, "", invoice.unpriced, changes
        )
        return _Plan(result, invoice, standing, priced.last_billed_by)

    def _rehearsed(self, plan: _Plan, standing: StoredInvoice | None) -> RollupResult:
        """Does everything up to the write itself and returns its result; raises ItemTooLarge."""
        before = standing.invoice.header if standing else None
        if plan.invoice is None:
            return replace(plan.result, before=before)
        self.invoices.rehearse(plan.invoice)
        lines = standing.invoice.lines if standing else ()
        changes = line_changes(lines, plan.invoice.lines)
        return replace(plan.result, before=before, changes=changes)

    def _create(self, plan: _Plan, invoice: Invoice, message: RollupMessage) -> RollupResult:
        try:
            self.invoices.create(invoice, plan.last_billed_by)
        except InvoiceAlreadyExists as error:
            if message.force:
                # Another worker was first, perhaps with older usage: the retry compares.
                raise
            return RollupResult(RollupOutcome.SKIPPED, error.header, INVOICED)
        return plan.result

    def _invoice(
        self, priced: PricedMonth, message: RollupMessage, revision: int, letters_used: int
    ) -> Invoice:
        issue = self._issue(message.run_at)
        edition = Revision(revision, issue, message.run_id, message.run_at, letters_used)
        return new_invoice(priced.tenant, priced.request, priced.quote, edition, priced.billed)

    def _issue(self, run_at: datetime) -> Issue | None:
        return Issue.at(run_at, self.settings) if self.settings.issue_immediately else None


def _refuse_barred(priced: PricedMonth) -> None:
    """Raises InvalidUsage if a later invoice goes on from another invoice than this would be."""
    if priced.barred:
        raise InvalidUsage(priced.barred)


def _unchanged(draft: Invoice, invoice: Invoice) -> bool:
    """Whether the draft would be made again as it is; an older one may have another number."""
    before, after = draft.header, invoice.header
    same_header = (before.fingerprint, before.number) == (after.fingerprint, after.number)
    return same_header and draft.unpriced == invoice.unpriced


def _must_stand(standing: StoredInvoice, run_at: datetime) -> str | None:
    """Returns why not even a forced run may replace the invoice; None if it may."""
    header, status = standing.invoice.header, standing.invoice.header.status
    if status is InvoiceStatus.PAID:
        return "paid: it stays"
    if header.no_number_follows and status is InvoiceStatus.VOID:
        # Voided before that was refused. Only what stands can be credited.
        late = "too late to credit it instead, bill the month by hand"
        return f"void, and {header.no_number_follows}: {late}"
    if header.no_number_follows:
        return f"{status}, and {header.no_number_follows}: credit it instead"
    if status not in REPLACEABLE:
        return f"{status}: void it first"
    if standing.voided_at is not None and run_at < standing.voided_at:
        # A late copy of a message from before the void would undo it.
        return f"void since {standing.voided_at.isoformat()}, which is after this run began"
    return None


def _nothing_to_invoice(
    standing: StoredInvoice | None, unpriced: tuple[UnpricedUsage, ...]
) -> RollupResult:
    reason = "no active subscription in the period"
    if standing is None or standing.invoice.header.status is InvoiceStatus.VOID:
        return RollupResult(RollupOutcome.NOTHING_TO_INVOICE, reason=reason, unpriced=unpriced)
    header = standing.invoice.header
    return RollupResult(
        RollupOutcome.REFUSED,
        header,
        f"{reason}, but a {header.status} invoice stands: void it",
        unpriced,
    )
