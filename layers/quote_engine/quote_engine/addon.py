"""Add-ons of a subscription, and their days."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from quote_engine.faults import refuse
from quote_engine.limits import ADDON_QUANTITY, date_fault, money_fault, named, text_fault
from quote_engine.proration import days_within
from quote_engine.value import value


@value
class Addon:
    """`quantity` of an extra at `price` dollars a month each; prorated if the plan is.

    `starts_on` and `ends_on` are billed days; None is its subscription's own first or last day.
    """

    code: str
    price: Decimal
    quantity: int = 1
    name: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None

    def __post_init__(self) -> None:
        starts_on, ends_on = self.starts_on, self.ends_on
        faults = named(
            ("code", "price", "quantity", "name", "starts_on", "ends_on"),
            text_fault(self.code),
            money_fault(self.price),
            addon_quantity_fault(self.quantity),
            None if self.name is None else text_fault(self.name),
            None if starts_on is None else date_fault(starts_on),
            None if ends_on is None else date_fault(ends_on),
        )
        refuse(faults)
        if starts_on is not None and ends_on is not None and ends_on < starts_on:
            refuse(["ends_on: must not be before starts_on"])

    @property
    def dated(self) -> bool:
        """Whether it has a first or a last day of its own."""
        return self.starts_on is not None or self.ends_on is not None


def addons_in_order(addons: Iterable[Addon], starts_on: date) -> tuple[Addon, ...]:
    """Sorts by code, then first day: the given order changes no line."""
    return tuple(sorted(addons, key=lambda addon: (addon.code, addon.starts_on or starts_on)))


def addon_day_faults(addons: Iterable[Addon], starts_on: date, ends_on: date | None) -> list[str]:
    """Returns a fault for days outside the subscription's, and for a day that a code has twice."""
    addons = addons_in_order(addons, starts_on)
    return [fault for addon in addons for fault in _outside(addon, starts_on, ends_on)] + [
        f"addons: code {later.code!r} stands twice on {later.starts_on or starts_on} "
        "(ends_on is the last day billed)"
        for earlier, later in pairwise(addons)
        if earlier.code == later.code
        and (earlier.ends_on is None or earlier.ends_on >= (later.starts_on or starts_on))
    ]


def _outside(addon: Addon, starts_on: date, ends_on: date | None) -> list[str]:
    faults = []
    if addon.starts_on is not None and addon.starts_on < starts_on:
        faults.append(f"addons: {addon.code!r}: starts_on must not be before {starts_on}")
    for name, day in (("starts_on", addon.starts_on), ("ends_on", addon.ends_on)):
        if ends_on is not None and day is not None and day > ends_on:
            faults.append(f"addons: {addon.code!r}: {name} must not be after {ends_on}")
    if addon.ends_on is not None and addon.ends_on < starts_on:
        faults.append(f"addons: {addon.code!r}: ends_on must not be before {starts_on}")
    return faults


def addons_within(addons: Iterable[Addon], first: date, last: date) -> tuple[Addon, ...]:
    """Returns the add-ons with a day from `first` to `last`, without dates beyond these."""
    found = [(addon, days_within(addon.starts_on, addon.ends_on, first, last)) for addon in addons]
    return tuple(
        [replace(addon, starts_on=days[0], ends_on=days[1]) for addon, days in found if days]
    )


def addon_quantity_fault(value: object) -> str | None:
    """A whole number from one to a thousand million."""
    if type(value) is not int:
        return f"must be a whole number, not {type(value).__name__}"
    return None if 1 <= value <= ADDON_QUANTITY else f"must be from 1 to {ADDON_QUANTITY}"
