"""The add-ons of a segment, and the days on which it has them.

A choice is an add-on in one quantity and version on consecutive days. A segment's choices are kept
in one form: by code and first day, without dates that are the segment's own, and as one where one
goes on as another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from quote_engine.proration import days_within

# A segment is one item, and 98 of them are written in one transaction of at most 4 MB.
MOST_ADDONS = 200
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AddonChoice:
    """An add-on that a segment takes, pinned to a version of the catalogue.

    Both dates are billed days; None is the first or the last day of its segment.
    """

    code: str
    version: int
    quantity: int = 1
    starts_on: date | None = None
    ends_on: date | None = None

    @property
    def dated(self) -> bool:
        """Whether it has a first or a last day of its own."""
        return self.starts_on is not None or self.ends_on is not None

    def active_on(self, day: date) -> bool:
        """Whether a day of its segment is billed."""
        begun = self.starts_on is None or self.starts_on <= day
        return begun and (self.ends_on is None or day <= self.ends_on)


def addons_fault(addons: Sequence[AddonChoice], first: date, last: date | None) -> str | None:
    """Returns what a segment of these days cannot have, with its field, or None.

    The field is such as `addons.1.ends_on`, in the order in which the add-ons are given.
    """
    for n, choice in enumerate(addons):
        if fault := _days_fault(choice, first, last):
            return f"addons.{n}.{fault}"
    in_order = sorted(enumerate(addons), key=lambda one: (one[1].code, one[1].starts_on or first))
    for (_, earlier), (n, later) in pairwise(in_order):
        begins = later.starts_on or first
        if earlier.code == later.code and earlier.active_on(begins):
            text = f"{later.code} stands twice on {begins}; give it a quantity, or other days"
            return f"addons.{n}: {text}"
    return None


def _days_fault(choice: AddonChoice, first: date, last: date | None) -> str | None:
    for name, day in (("starts_on", choice.starts_on), ("ends_on", choice.ends_on)):
        if day is None:
            continue
        if day < first:
            return f"{name}: must not be before {first}, the first day of these terms"
        if last is not None and day > last:
            return f"{name}: must not be after {last}, the last day of these terms"
    if choice.starts_on and choice.ends_on and choice.ends_on < choice.starts_on:
        return "ends_on: must not be before starts_on"
    return None


def in_one_form(
    addons: Iterable[AddonChoice], first: date, last: date | None
) -> tuple[AddonChoice, ...]:
    """Returns the add-ons of a segment of these days in the form in which it keeps them."""
    kept: list[AddonChoice] = []
    for choice in sorted(addons, key=lambda choice: (choice.code, choice.starts_on or first)):
        if kept and _goes_on(kept[-1], choice):
            kept[-1] = replace(kept[-1], ends_on=choice.ends_on)
        else:
            kept.append(choice)
    return addons_within(kept, first, last)


def _goes_on(before: AddonChoice, choice: AddonChoice) -> bool:
    """Whether one, which begins later, is the one before it on further days."""
    same = (before.code, before.version, before.quantity) == (
        choice.code,
        choice.version,
        choice.quantity,
    )
    # No day comes after the last one if that is the last of the calendar.
    return same and before.ends_on is not None and before.ends_on + DAY == choice.starts_on


def addons_within(
    addons: Iterable[AddonChoice], first: date, last: date | None
) -> tuple[AddonChoice, ...]:
    """Returns the add-ons with a day from `first` to `last`, without dates beyond these.

    Without `last` there is no end.
    """
    found = [(one, days_within(one.starts_on, one.ends_on, first, last)) for one in addons]
    return tuple(replace(one, starts_on=days[0], ends_on=days[1]) for one, days in found if days)
