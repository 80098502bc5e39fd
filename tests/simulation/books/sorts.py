"""The sorts of the simulation's customers: what each subscribes to, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

from tests.simulation.books.model import (
    BIG,
    SMALL,
    UNKNOWN,
    AddonChange,
    Customer,
    CustomerSegment,
    Month,
)

# A half, a third or a quarter of such a month is whole days, and whole cents of every plan.
EVEN_MONTHS = (28, 30)


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


def _even(months: Iterable[Month]) -> Month:
    return next(month for month in months if len(month.days) in EVEN_MONTHS)


def _changer(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    """Changes plan in the middle of a month."""
    days = _even(months).days
    half = len(days) // 2
    before = CustomerSegment(SMALL, 2, last=days[half - 1])
    return {f"{name}-0": (before, CustomerSegment(BIG, 2, first=days[half]))}


def _newcomer(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    """Begins in the middle of a month; what it uses before is billed nothing."""
    days = _even(months).days
    return {f"{name}-0": (CustomerSegment(SMALL, 1, first=days[len(days) // 2]),)}


def _returner(
    name: str, _: Random, months: Iterable[Month]
) -> Mapping[str, tuple[CustomerSegment, ...]]:
    """Leaves within a month and comes back in it: nobody pays for what it uses in between."""
    days = _even(months).days
    part = len(days) // (3 if len(days) % 3 == 0 else 4)
    before = CustomerSegment(SMALL, last=days[part - 1])
    return {f"{name}-0": (before, CustomerSegment(BIG, first=days[-part]))}


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


SORTS = (_plain, _large, _idle, _leaver, _poison, _changer, _newcomer, _returner, _adder)


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
