"""Late usage: usage of a closed month that arrived after its invoice.

It is billed once, on a later invoice, as the difference between two prices: the month with the
usage billed so far, and the month with the usage known now. Both are at the terms of the month's
own invoice, and its tax treatment (docs/money-rules.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from invoicing.accounts.account import Segment, TaxTreatment
from invoicing.invoices.billed_usage import (
    LateUsage,
    SegmentUsage,
    is_segment,
    same_usage,
    segment_key,
    terms_of,
)
from invoicing.invoices.billing_history import LateCandidate
from invoicing.pricing.payable import payable
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.pricing.usage_by_segment import outside_segments
from invoicing.usage.usage_table import EXACT
from quote_engine import (
    Adjustment,
    Period,
    QuoteRequest,
    UnpricedUsage,
    adjustments_between,
)

ZERO = Decimal(0)

type UsageOf = Callable[[Sequence[Segment], Period], SegmentUsage]
"""Reads the current usage of these segments in a period."""
type RequestOf = Callable[[TaxTreatment, Sequence[Segment], Period, SegmentUsage], QuoteRequest]
"""Builds the engine's request for this treatment, these segments, this period and this usage."""
type TreatmentOf = Callable[[Period], TaxTreatment]
"""Reads the tax treatment of a month from its invoice: a further read, for the oldest alone."""


@dataclass(frozen=True, slots=True)
class LateMonth:
    """A closed month whose usage is another than was billed, and what that comes to.

    `unpriced` is by how much the part that no rate prices has changed; negative where usage was
    taken back. Of a change that comes to nothing, such as usage within an allowance, no invoice
    keeps a record: it waits for more.
    """

    period: Period
    usage: LateUsage
    adjustments: tuple[Adjustment, ...]
    unpriced: tuple[UnpricedUsage, ...]

    @property
    def recorded(self) -> bool:
        """Whether the invoice that bills it keeps a record of it."""
        return bool(self.adjustments or self.unpriced)


@dataclass(frozen=True, slots=True)
class LateUsageBilled:
    """The late usage of earlier months that one invoice bills.

    `months` is keyed by period label; `unpriced` is the part that no rate prices.
    """

    months: Mapping[str, LateUsage]
    adjustments: tuple[Adjustment, ...]
    unpriced: tuple[UnpricedUsage, ...]


def late_usage(
    records: TenantRecords,
    usage_of: UsageOf,
    request_of: RequestOf,
    treatment_of: TreatmentOf,
) -> LateUsageBilled:
    """Returns the late usage of the closed months before the period; raises as pricing does."""
    candidates = records.history.late_candidates
    found = [late_month(each, usage_of, request_of, treatment_of) for each in candidates]
    months = [month for month in found if month is not None and month.recorded]
    return LateUsageBilled(
        {month.period.label: month.usage for month in months},
        tuple(adjustment for month in months for adjustment in month.adjustments),
        tuple(usage for month in months for usage in month.unpriced),
    )


def late_month(
    candidate: LateCandidate,
    usage_of: UsageOf,
    request_of: RequestOf,
    treatment_of: TreatmentOf,
) -> LateMonth | None:
    """Returns what has changed in a closed month since it was last billed; None if nothing has."""
    month, before = candidate.month, candidate.billed_so_far
    segments, period = month.billed.segments, month.period
    after = _usage_now(candidate, usage_of)
    if same_usage(before, after):
        return None
    tax = month.tax or treatment_of(period)
    then, now = (request_of(tax, segments, period, usage) for usage in (before, after))
    usage = LateUsage(before, after, terms_of(segments, period), tax)
    unpriced = unpriced_change(then, before, now, after)
    return LateMonth(period, usage, adjustments_between(then, now), unpriced)


def up_to_later_invoice(
    records: TenantRecords, active: Sequence[Segment], period: Period, used: SegmentUsage
) -> SegmentUsage:
    """Returns the usage that the period's own invoice bills.

    If a later invoice has billed late usage of the period, this is the usage from which that one
    continued; otherwise, and if the segments are others by now, it is all that was used.
    """
    before_later = records.history.taken_by_later(period.label)
    if before_later is None or _other_segments(before_later, active):
        return used
    return before_later


def barred_by_later(
    records: TenantRecords,
    active: Sequence[Segment],
    period: Period,
    treatment_of: TreatmentOf,
) -> str:
    """Returns why the period's invoice must not be made again as things are now; empty if it may.

    A later invoice billed the difference between two prices of the period. It and the period's
    own invoice add up only at the same terms and in the same tax treatment.
    """
    tenant, label = records.account.tenant, period.label
    terms = terms_of(active, period)
    for later in records.history.later_billing(label):
        late = later.billed.late[label]
        bills = f"invoice {tenant.tenant_id}.{later.period.label} bills late usage of {label}"
        if _other_segments(late.before, active) or late.terms not in ("", terms):
            return f"{bills} by other subscriptions than there are now; void that one first"
        tax = late.tax or treatment_of(period)
        if tax != tenant.tax:
            return (
                f"{bills}, which was invoiced as {tax}, and the tenant is {tenant.tax} now; "
                f"void that one first, or make the tenant {tax} until {label} is invoiced"
            )
    return ""


def _other_segments(usage: SegmentUsage, active: Sequence[Segment]) -> bool:
    return set(filter(is_segment, usage)) != {segment_key(segment) for segment in active}


def _usage_now(candidate: LateCandidate, usage_of: UsageOf) -> SegmentUsage:
    if candidate.taken_by_later is not None:
        return candidate.taken_by_later
    return usage_of(candidate.month.billed.segments, candidate.month.period)


def unpriced_change(
    then: QuoteRequest, before: SegmentUsage, now: QuoteRequest, after: SegmentUsage
) -> tuple[UnpricedUsage, ...]:
    """Returns by how much the unpriced usage of a period has changed, by deployment and kind."""
    old, new = _unpriced(then, before), _unpriced(now, after)
    changes = {
        key: EXACT.subtract(new.get(key, ZERO), old.get(key, ZERO))
        for key in sorted(old.keys() | new.keys())
    }
    label = now.period.label
    return tuple(UnpricedUsage(*key, changes[key], label) for key in changes if changes[key])


def _unpriced(request: QuoteRequest, usage: SegmentUsage) -> dict[tuple[str, str], Decimal]:
    quantities: dict[tuple[str, str], Decimal] = {}
    for unpriced in (*payable(request).unpriced, *outside_segments(usage)):
        key = unpriced.deployment_id, unpriced.resource_kind
        quantities[key] = EXACT.add(quantities.get(key, ZERO), unpriced.quantity)
    return quantities
