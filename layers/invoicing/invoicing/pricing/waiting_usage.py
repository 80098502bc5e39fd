"""What came after a month was invoiced, and what will become of it: nothing is to wait in silence.

Usage of an issued month waits for the tenant's next invoice, usage of a draft's month for a forced
run. Each is worked out by the steps of the rollup itself, and in quantities, not in money: what
stands here is what the next rollup takes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from invoicing.accounts.account import Account
from invoicing.foundation.billing_calendar import month_before
from invoicing.invoices.billed_usage import SegmentUsage, deployment_in, same_usage
from invoicing.invoices.billing_history import (
    CLOSED,
    BilledMonth,
    BillingHistory,
    LateCandidate,
)
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.pricing.late_usage import ZERO, LateMonth, unpriced_change
from invoicing.pricing.tenant_month import Pricing
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.usage.usage_table import EXACT
from quote_engine import Period, UnpricedUsage


class Fate(StrEnum):
    """What will become of usage that came after its month's invoice.

    The tenant's next invoice or a forced run of the month bills it; or it comes to nothing, such
    as within an allowance; or nothing prices it; or its month is too long ago to be looked at.
    """

    NEXT_INVOICE = "next_invoice"
    FORCED_RUN = "forced_run"
    NO_CHARGE = "no_charge"
    UNPRICED = "unpriced"
    TOO_OLD = "too_old"


@dataclass(frozen=True, slots=True)
class WaitingUsage:
    """By how much usage of a month is more than its invoices say; negative if taken back.

    `billed_on` is the month whose invoice will bill it, None if none will.
    """

    tenant_id: str
    period: Period
    deployment_id: str
    resource_kind: str
    quantity: Decimal
    fate: Fate
    billed_on: Period | None


@dataclass(frozen=True, slots=True)
class _Books:
    """What has been read of a tenant; the history is that around its next invoice."""

    pricing: Pricing
    records: TenantRecords

    @property
    def coming(self) -> Period:
        """The month whose invoice will be the tenant's next."""
        return self.records.history.period


def waiting_usage(
    pricing: Pricing, tenant_id: str, running: Period, *, closing: bool
) -> list[WaitingUsage]:
    """Returns what waits of the tenant's invoiced months of the last year, in order of month.

    `running` is the month that has not ended; `closing` says whether everybody's month before it
    is still being made. Raises what pricing raises.
    """
    account = pricing.accounts.account(tenant_id)
    history = _before_the_next_invoice(pricing, account, running, closing)
    months = [month for month in history.months if month.period.start < history.period.start]
    if not months:
        return []
    pinned = [segment for month in months for segment in month.billed.segments]
    drafted = [month.period for month in months if month.status is InvoiceStatus.DRAFT]
    pinned += [segment for period in drafted for segment in account.billed_in(period)]
    periods = [month.period for month in months]
    books = _Books(pricing, pricing.records(account, history, pinned, periods))
    return list(_all_waiting(books, months))


def _before_the_next_invoice(
    pricing: Pricing, account: Account, running: Period, closing: bool
) -> BillingHistory:
    """Returns the history around the month whose invoice is made next.

    That is the running month, unless the one before has no invoice yet and is to have one.
    """
    tenant_id, before = account.tenant.tenant_id, month_before(running)
    history = pricing.history.around(tenant_id, running)
    if before is None or any(month.period == before for month in history.months):
        return history
    if closing or account.billed_in(before):
        return pricing.history.around(tenant_id, before)
    return history


def _all_waiting(books: _Books, months: Sequence[BilledMonth]) -> Iterator[WaitingUsage]:
    history, closed = books.records.history, []
    for month in months:
        if month.status in CLOSED or history.goes_on_from(month):
            candidate = LateCandidate(month, history.billed_until_now(month), None)
            if late := books.pricing.late_month(books.records, candidate):
                closed.append((month, late))
        else:
            yield from _of_draft(books, month)
    # Without a line there is no invoice, and nothing is recorded.
    adjusted = any(late.adjustments for month, late in closed if month.may_have_late_usage)
    is_made = adjusted or bool(books.records.account.billed_in(books.coming))
    for month, late in closed:
        fate = _fate(month, late, is_made)
        changes = _changes(late.usage.before, late.usage.after)
        yield from _waiting(books, month.period, changes, late.unpriced, fate)


def _fate(month: BilledMonth, late: LateMonth, is_made: bool) -> Fate:
    if not late.recorded:
        return Fate.NO_CHARGE
    if not month.may_have_late_usage:
        return Fate.TOO_OLD
    return Fate.NEXT_INVOICE if is_made else Fate.NO_CHARGE


def _of_draft(books: _Books, month: BilledMonth) -> Iterator[WaitingUsage]:
    """Yields how a forced run would change a draft's usage."""
    pricing, records, period = books.pricing, books.records, month.period
    before, segments = month.billed.usage, month.billed.segments
    active = records.account.billed_in(period)
    after = pricing.used(records, active, period)
    if same_usage(before, after) and tuple(active) == segments:
        return
    tax = records.account.tenant.tax
    then = pricing.request(tax, segments, period, before)
    now = pricing.request(tax, active, period, after)
    unpriced = unpriced_change(then, before, now, after)
    yield from _waiting(books, period, _changes(before, after), unpriced, Fate.FORCED_RUN)


type _Quantities = dict[tuple[str, str], Decimal]


def _changes(before: SegmentUsage, after: SegmentUsage) -> _Quantities:
    """Returns by how much usage differs, by deployment and kind, whatever segment has it."""
    changes: _Quantities = defaultdict(Decimal)
    for usage, add in ((before, EXACT.subtract), (after, EXACT.add)):
        for key, quantities in usage.items():
            for kind, quantity in quantities.items():
                used = deployment_in(key), kind
                changes[used] = add(changes[used], quantity)
    return changes


def _waiting(
    books: _Books,
    period: Period,
    changes: _Quantities,
    unpriced: Sequence[UnpricedUsage],
    fate: Fate,
) -> Iterator[WaitingUsage]:
    """Yields the changes: apart from each other, what is priced and what is not."""
    tenant_id = books.records.account.tenant.tenant_id
    unpaid = {(usage.deployment_id, usage.resource_kind): usage.quantity for usage in unpriced}
    billed_on = {Fate.NEXT_INVOICE: books.coming, Fate.FORCED_RUN: period}.get(fate)
    for used in sorted(changes.keys() | unpaid.keys()):
        nothing = unpaid.get(used, ZERO)
        priced = EXACT.subtract(changes.get(used, ZERO), nothing)
        if priced:
            yield WaitingUsage(tenant_id, period, *used, priced, fate, billed_on)
        if nothing:
            yield WaitingUsage(tenant_id, period, *used, nothing, Fate.UNPRICED, None)
