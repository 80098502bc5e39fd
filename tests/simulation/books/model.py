"""The simulation's own customers' terms, and the cents that follow from them.

Whole cents and whole quantities in plain arithmetic; the engine computes nothing here.
"""

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from typing import NamedTuple

type Kind = str
type UsedOnDays = Mapping[date, int]
"""The quantities of one kind, by day."""


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month."""

    year: int
    number: int

    @property
    def label(self) -> str:
        """The label, such as `2026-04`."""
        return f"{self.year}-{self.number:02}"

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(self.year, self.number, 1)

    @property
    def days(self) -> tuple[date, ...]:
        """All days of the month, in order."""
        return _days_of(self)

    def next(self) -> "Month":
        """Returns the month after this one."""
        after = self.days[-1] + timedelta(days=1)
        return Month(after.year, after.month)


class KindRate(NamedTuple):
    """Units included a month, cents for each unit beyond, and how many units a metered one is."""

    included: int
    cents: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan version: cents a month, and its rates by kind."""

    code: str
    version: int
    base_cents: int
    rates: Mapping[Kind, KindRate]


@cache
def _days_of(month: Month) -> tuple[date, ...]:
    count = calendar.monthrange(month.year, month.number)[1]
    return tuple(month.first + timedelta(days=number) for number in range(count))


SMALL = PlanTerms("small", 1, 2400, {"hours": KindRate(60, 3), "gb": KindRate(0, 7)})
# A later price: a subscription pinned to version 1 goes on with the price of version 1.
SMALL_LATER = PlanTerms("small", 2, 9900, {"hours": KindRate(0, 99), "gb": KindRate(0, 99)})
# The most that a month may have, times the most that a rate may multiply it by, can be priced.
BIG_RATES = {
    "hours": KindRate(120, 2),
    "gb": KindRate(0, 5),
    "scans": KindRate(0, 1, times=10**8),
}
BIG = PlanTerms("big", 1, 4800, BIG_RATES)
UNKNOWN = PlanTerms("big", 9, 4800, BIG_RATES)
CATALOGUE = (SMALL, SMALL_LATER, BIG)
# The small plan has no rate for scans.
KINDS = ("hours", "gb", "scans")
ADDON_CODE, ADDON_CENTS = "backup", 750


@dataclass(frozen=True, slots=True)
class AddonChange:
    """Another quantity of the add-on from a day on; with a last day, none after it."""

    first: date
    quantity: int
    last: date | None = None


@dataclass(frozen=True, slots=True)
class AddonRun:
    """Consecutive days with the same quantity of the add-on."""

    first: date
    last: date
    quantity: int

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class CustomerSegment:
    """A deployment on one plan. Both days are billed (None: since before, and without end).

    `addons` is the quantity of the add-on until the first of the changes, which are in order.
    """

    terms: PlanTerms
    addons: int = 0
    first: date | None = None
    last: date | None = None
    changes: tuple[AddonChange, ...] = ()

    def active(self, day: date) -> bool:
        """Whether the day is billed by this segment."""
        return (self.first is None or self.first <= day) and (
            self.last is None or day <= self.last
        )

    def addons_on(self, day: date) -> int:
        """The quantity of the add-on on a billed day."""
        quantity = self.addons
        for change in self.changes:
            if change.first <= day:
                over = change.last is not None and day > change.last
                quantity = 0 if over else change.quantity
        return quantity

    def addon_runs(self, days: Iterable[date]) -> list[AddonRun]:
        """Returns the runs of these days with the add-on, in order."""
        billed = [day for day in days if self.active(day)]
        runs = []
        for quantity, run in groupby(billed, self.addons_on):
            first, *others = run
            if quantity:
                runs.append(AddonRun(first, others[-1] if others else first, quantity))
        return runs


@dataclass(frozen=True, slots=True)
class Customer:
    """A tenant, and the segments of each of its deployments, in order, by deployment id.

    `taxed`: whether it begins as one who pays GST (see `Treatments`).
    """

    tenant_id: str
    account_number: str
    taxed: bool
    deployments: Mapping[str, tuple[CustomerSegment, ...]]

    @property
    def poison(self) -> bool:
        """Whether it is pinned to a plan version that the catalogue lacks."""
        return any(
            segment.terms is UNKNOWN
            for segments in self.deployments.values()
            for segment in segments
        )

    def billed_in(self, month: Month) -> bool:
        """Whether anything is subscribed in the month."""
        return any(
            _days(segment, month) for segments in self.deployments.values() for segment in segments
        )

    def fixed_cents(self, month: Month) -> Counter[tuple[str, str]]:
        """Returns the plan and add-on cents of a month, by deployment and kind of line."""
        cents: Counter[tuple[str, str]] = Counter()
        for deployment_id, segments in self.deployments.items():
            for segment in segments:
                days = _days(segment, month)
                if not days:
                    continue
                cents[deployment_id, "plan_base"] += (
                    segment.terms.base_cents * days // len(month.days)
                )
                for run in segment.addon_runs(month.days):
                    # Of one month no two runs have the same quantity: each is rounded by itself.
                    parts = ADDON_CENTS * run.quantity * run.days
                    half_up = (2 * parts + len(month.days)) // (2 * len(month.days))
                    cents[deployment_id, "addon"] += half_up
        return cents

    def usage_cents(self, deployment_id: str, kind: Kind, month: Month, used: UsedOnDays) -> int:
        """Returns the cents for a month's usage of one kind, over all segments of a deployment."""
        cents = 0
        for segment in self.deployments[deployment_id]:
            days, rate = _days(segment, month), segment.terms.rates.get(kind)
            if not days or rate is None:
                continue
            quantity = sum(quantity for day, quantity in used.items() if segment.active(day))
            included = rate.included * days // len(month.days)
            cents += max(0, rate.times * quantity - included) * rate.cents
        return cents

    def billed_nothing(self, deployment_id: str, kind: Kind, used: UsedOnDays) -> int:
        """Returns how much of the usage of one kind is on days on which no segment prices it."""
        pricing = [seg for seg in self.deployments[deployment_id] if kind in seg.terms.rates]
        return sum(
            quantity
            for day, quantity in used.items()
            if not any(segment.active(day) for segment in pricing)
        )


def _days(segment: CustomerSegment, month: Month) -> int:
    if segment.first is None and segment.last is None:
        return len(month.days)
    return sum(map(segment.active, month.days))
