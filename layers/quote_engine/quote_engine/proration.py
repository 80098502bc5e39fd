"""How much of a period a subscription is billed for."""

from datetime import date
from typing import NamedTuple

from quote_engine.period import Period


class Share(NamedTuple):
    """`used` of the period's `days`. A share that is not prorated is 1 of 1."""

    used: int
    days: int


WHOLE = Share(1, 1)


def active_share(starts_on: date, ends_on: date | None, period: Period) -> Share | None:
    """Returns the calendar days billed, both ends included; None if no day is billed."""
    if starts_on <= period.start and (ends_on is None or ends_on >= period.last_day):
        return WHOLE
    first = max(starts_on, period.start)
    last = period.last_day if ends_on is None else min(ends_on, period.last_day)
    used = (last - first).days + 1
    return Share(used, period.days) if used > 0 else None
