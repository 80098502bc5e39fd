"""How much of a period is billed."""

from datetime import date
from typing import NamedTuple

from quote_engine.period import Period


class Share(NamedTuple):
    """`used` of the period's `days`. A share that is not prorated is 1 of 1."""

    used: int
    days: int


WHOLE = Share(1, 1)


def billed_days(
    starts_on: date, ends_on: date | None, period: Period
) -> tuple[date, date, int] | None:
    """Returns the first and the last day that are billed, and how many; None if no day is."""
    first, last, days = period.start, period.last_day, period.days
    if starts_on <= first and (ends_on is None or ends_on >= last):
        return first, last, days
    first = max(starts_on, first)
    last = last if ends_on is None else min(ends_on, last)
    days = (last - first).days + 1
    return (first, last, days) if days > 0 else None


def share_of(used: int, period: Period, proration: str) -> Share:
    """Returns the share of a month that these days are billed as."""
    whole = used == period.days or proration == "none"
    return WHOLE if whole else Share(used, period.days)


def days_within(
    starts_on: date | None, ends_on: date | None, first: date, last: date | None
) -> tuple[date | None, date | None] | None:
    """Returns an add-on's own days as far as they lie from `first` to `last`; None if none does.

    A date that is None, or lies outside, is that of the span itself: it comes back as None.
    """
    begins_after = last is not None and starts_on is not None and starts_on > last
    if begins_after or (ends_on is not None and ends_on < first):
        return None
    return (
        starts_on if starts_on is not None and starts_on > first else None,
        ends_on if ends_on is not None and (last is None or ends_on < last) else None,
    )
