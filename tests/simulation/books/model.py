"""The simulation's own customers, their terms, and the cents that follow from them.

Whole cents and whole quantities in plain arithmetic; the engine computes nothing here.
"""

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import groupby
from random import Random

DAYS_OF_EVEN_MONTH = 30

type Kind = str
type DayUsage = Mapping[tuple[date, Kind], int]


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


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A plan version: cents a month; by kind, units included and cents for each unit beyond."""

    code: str
    version: int
    base_cents: int
    rates: Mapping[Kind, tuple[int, int]]


@cache
def _days_of(month: Month) -> tuple[date, ...]:
    count = calendar.monthrange(month.year, month.number)[1]
    return tuple(month.first + timedelta(days=number) for number in range(count))


SMALL = PlanTerms("small", 1, 2400, {"hours": (60, 3), "gb": (0, 7)})
# A later price: a subscription pinned to version 1 goes on with the price of version 1.
SMALL_LATER = PlanTerms("small", 2, 9900, {"hours": (0, 99), "gb": (0, 99)})
BIG = PlanTerms("big", 1, 4800, {"hours": (120, 2), "gb": (0, 5)})
UNKNOWN = PlanTerms("big", 9, 4800, BIG.rates)
CATALOGUE = (SMALL, SMALL_LATER, BIG)
KINDS = tuple(SMALL.rates)
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

    def usage_cents(self, deployment_id: str, kind: Kind, month: Month, used: DayUsage) -> int:
        """Returns the cents for a month's usage of one kind, over all segments of a deployment."""
        cents = 0
        for segment in self.deployments[deployment_id]:
            days = _days(segment, month)
            if not days:
                continue
            included, unit_cents = segment.terms.rates[kind]
            quantity = sum(
                quantity
                for (day, name), quantity in used.items()
                if name == kind and day in month.days and segment.active(day)
            )
            cents += max(0, quantity - included * days // len(month.days)) * unit_cents
        return cents


def _days(segment: CustomerSegment, month: Month) -> int:
    if segment.first is None and segment.last is None:
        return len(month.days)
    return sum(map(segment.active, month.days))


def _plain(
    name: str, rng: Random, _: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    return {f"{name}-0": (CustomerSegment(rng.choice((SMALL, BIG)), rng.randint(0, 2)),)}


def _large(
    name: str, rng: Random, _: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    return {f"{name}-{n}": (CustomerSegment(BIG, n % 2),) for n in range(rng.randint(3, 5))}


def _idle(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    ended = next(iter(months)).first - timedelta(days=40)
    return {f"{name}-0": (CustomerSegment(SMALL, last=ended),)}


def _leaver(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    first = next(iter(months))
    return {f"{name}-0": (CustomerSegment(SMALL, 1, last=first.days[-1]),)}


def _poison(
    name: str, _: Random, __: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    return {f"{name}-0": (CustomerSegment(UNKNOWN),), f"{name}-1": (CustomerSegment(SMALL),)}


def _changer(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    """Changes plan in the middle of a month of 30 days, where each half is whole cents."""
    for month in months:
        if len(month.days) == DAYS_OF_EVEN_MONTH:
            half = DAYS_OF_EVEN_MONTH // 2
            last, change = month.days[half - 1], month.days[half]
            return {
                f"{name}-0": (
                    CustomerSegment(SMALL, 2, last=last),
                    CustomerSegment(BIG, 2, first=change),
                )
            }
    return {f"{name}-0": (CustomerSegment(BIG, 1),)}


def _adder(
    name: str, rng: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    """Takes another quantity of the add-on within each month, now and then for some days alone."""
    quantity = rng.randint(0, 2)
    segment, changes = CustomerSegment(rng.choice((SMALL, BIG)), quantity), []
    for month in months:
        taken = rng.choice([number for number in range(4) if number != quantity])
        first, last = sorted(rng.choices(month.days, k=2))
        for_good = not taken or rng.random() < 0.5
        changes.append(AddonChange(first, taken, None if for_good else last))
        quantity = taken if for_good else 0
    return {f"{name}-0": (replace(segment, changes=tuple(changes)),)}


SORTS = (_plain, _large, _idle, _leaver, _poison, _changer, _adder)


def customers(rng: Random, months: Iterable[Month]) -> list[Customer]:
    """Draws three or four customers of several sorts, always one plain and one large."""
    months = list(months)
    sorts = [_plain, _large, *rng.sample(SORTS, rng.randint(1, 2))]
    drawn = []
    for number, sort in enumerate(sorts):
        name = f"t{number}-{sort.__name__.strip('_')}"
        taxed = rng.random() < 0.75
        drawn.append(Customer(name, str(101 + number), taxed, sort(name, rng, months)))
    return drawn
