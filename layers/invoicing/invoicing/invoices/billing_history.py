"""The billing of a tenant's other invoices that bears on one period's invoice.

Late usage is billed as the difference between two states of an earlier period's usage. In order
of period, each invoice that bills it has as its `before` the `after` of the previous one. So the
differences add up to the period's usage and no event is billed twice, whichever invoice of the
chain is made again.
"""

from dataclasses import dataclass, field
from functools import cached_property

from invoicing.accounts.account import TaxTreatment
from invoicing.invoices.billed_usage import Billed, LastBilledBy, SegmentUsage
from invoicing.invoices.invoice import InvoiceStatus
from quote_engine import Period

CLOSED = frozenset((InvoiceStatus.ISSUED, InvoiceStatus.PAID))


@dataclass(frozen=True, slots=True)
class BilledMonth:
    """A standing invoice (draft, issued or paid; a void one bills nothing) and what it billed.

    `tax` is None if only the lines of the invoice say it (see BillingHistoryTable.treatment).
    """

    period: Period
    status: InvoiceStatus
    may_have_late_usage: bool
    billed: Billed
    tax: TaxTreatment | None


@dataclass(frozen=True, slots=True)
class LateCandidate:
    """A closed month whose usage may have grown, and how much of it is billed already.

    `billed_so_far` is its usage as billed by the invoices until now; `taken_by_later` is the state
    from which a later invoice continues, if there is one.
    """

    month: BilledMonth
    billed_so_far: SegmentUsage
    taken_by_later: SegmentUsage | None


# Without slots: the candidates are worked out once and cached.
@dataclass(frozen=True)
class BillingHistory:
    """The standing invoices around a period, in order of period, without the period's own.

    `last_billed_by` names who last billed late usage of each period (see InvoicesTable).
    """

    period: Period
    months: tuple[BilledMonth, ...] = ()
    last_billed_by: LastBilledBy = field(default_factory=dict)

    @cached_property
    def late_candidates(self) -> tuple[LateCandidate, ...]:
        """Earlier closed months whose usage may have grown since, in order.

        Late usage of a draft's month belongs to the draft: a forced run picks it up. Unless a
        later invoice goes on from what this one billed of it: the draft ends where this one began.
        """
        return tuple(
            LateCandidate(
                month, self.billed_until_now(month), self.taken_by_later(month.period.label)
            )
            for month in self.months
            if month.period.start < self.period.start
            and (month.status in CLOSED or self.later_billing(month.period.label))
            and month.may_have_late_usage
        )

    def billed_until_now(self, month: BilledMonth) -> SegmentUsage:
        """Returns an earlier month's usage as billed by it and the invoices before the period."""
        billed = month.billed.usage
        for later in self.months:
            late = later.billed.late.get(month.period.label)
            if late is not None and month.period.start < later.period.start < self.period.start:
                billed = late.after
        return billed

    def goes_on_from(self, month: BilledMonth) -> bool:
        """Whether another invoice goes on from what this month's billed, with late usage of it."""
        return any(month.period.label in later.billed.late for later in self.months)

    def taken_by_later(self, label: str) -> SegmentUsage | None:
        """Returns the usage of a month from which a later invoice continues; None without one.

        An invoice that is made again before that later one must bill exactly up to there.
        """
        later = self.later_billing(label)
        return later[0].billed.late[label].before if later else None

    def later_billing(self, label: str) -> tuple[BilledMonth, ...]:
        """The invoices after the period's own that bill late usage of this month, in order."""
        return tuple(
            later
            for later in self.months
            if later.period.start > self.period.start and label in later.billed.late
        )
