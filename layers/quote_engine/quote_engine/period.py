"""The calendar month that an invoice is for."""

import re
from dataclasses import field
from datetime import date, timedelta
from typing import Self

from quote_engine.faults import refuse
from quote_engine.limits import date_fault, named
from quote_engine.value import value

_LABEL = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DAY = timedelta(days=1)
# Sets a field of a value while it is being made; the type checker takes the value for frozen.
_set = setattr
_FIRST = date(2000, 1, 1)
_LAST = date(9999, 11, 1)
"""The month after it is the last whose first day Python can hold."""


@value
class Period:
    """One whole calendar month, half-open: `start` is in it, `end` is the first day after it.

    Dates are days of the billing time zone. Raises InvalidRequest for any other span, and for
    months before 2000-01 or after 9999-11.
    """

    start: date
    end: date
    days: int = field(init=False, repr=False, compare=False)
    last_day: date = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        refuse(named(("start", "end"), date_fault(self.start), date_fault(self.end)))
        if self.start.day != 1 or not _FIRST <= self.start <= _LAST:
            refuse(["start: must be the first day of a month, from 2000-01 to 9999-11"])
        if self.end != _next_month(self.start):
            refuse(["end: must be the first day of the month after start"])
        last_day = self.end - _DAY
        _set(self, "days", last_day.day)
        _set(self, "last_day", last_day)

    @classmethod
    def month(cls, label: str) -> Self:
        """Returns the period of a label such as `2026-04`; raises ValueError for other texts."""
        match = _LABEL.fullmatch(label)
        if match is None:
            raise ValueError(f"period must be YYYY-MM, such as 2026-04, not {label!r}")
        if not f"{_FIRST:%Y-%m}" <= label <= f"{_LAST:%Y-%m}":
            raise ValueError(f"period must be from 2000-01 to 9999-11, not {label!r}")
        start = date(int(match[1]), int(match[2]), 1)
        return cls(start, _next_month(start))

    @property
    def label(self) -> str:
        """The month as text, such as `2026-04`."""
        return f"{self.start:%Y-%m}"


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
