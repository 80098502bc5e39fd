"""Add-ons over a stretch: entries of days, which are the lines that are printed."""

from datetime import date, timedelta
from typing import NamedTuple

from quote_engine.addon import Addon
from quote_engine.period import Period
from quote_engine.proration import Share, share_of
from quote_engine.stretch import Stretch, StretchPart

_DAY = timedelta(days=1)


class AddonEntry(NamedTuple):
    """An add-on on consecutive days of a stretch; `days` in each of the stretch's parts."""

    addon: Addon
    last: date
    days: tuple[int, ...]


def addon_entries(stretch: Stretch) -> list[AddonEntry]:
    """Returns the entries by code, then first day.

    Add-ons that are equal but for their dates, with no day between them, are one entry: how a
    month is cut into subscriptions adds no line, and no month where the plan is not prorated.
    """
    parts = stretch.parts
    entries: list[AddonEntry] = []
    for first, index, addon in _in_order(parts):
        last = addon.ends_on or parts[index].last
        days = [0] * len(parts)
        days[index] = (last - first).days + 1
        if entries and _goes_on(entries[-1], addon, first):
            before = entries.pop()
            days = [one + other for one, other in zip(before.days, days, strict=True)]
        entries.append(AddonEntry(addon, last, tuple(days)))
    return entries


def entry_share(entry: AddonEntry, stretch: Stretch, period: Period) -> Share:
    """Returns the share of a month that an entry is billed for."""
    return share_of(sum(entry.days), period, stretch.plan.proration)


def _in_order(parts: tuple[StretchPart, ...]) -> list[tuple[date, int, Addon]]:
    found = [
        (addon.starts_on or part.first, index, addon)
        for index, part in enumerate(parts)
        for addon in part.subscription.addons
    ]
    return sorted(found, key=lambda item: (item[2].code, item[0]))


def _goes_on(before: AddonEntry, addon: Addon, first: date) -> bool:
    return before.last + _DAY == first and _terms(before.addon) == _terms(addon)


def _terms(addon: Addon) -> tuple[object, ...]:
    return addon.code, addon.name, addon.price, addon.quantity
