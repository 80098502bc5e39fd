"""A period is one whole calendar month."""

from datetime import date, datetime
from typing import Any

import pytest

from quote_engine import InvalidRequest, Period


@pytest.mark.parametrize(
    ("label", "start", "end", "days"),
    [
        ("2026-04", date(2026, 4, 1), date(2026, 5, 1), 30),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1), 31),
        ("2026-02", date(2026, 2, 1), date(2026, 3, 1), 28),
        ("2028-02", date(2028, 2, 1), date(2028, 3, 1), 29),
        ("2000-01", date(2000, 1, 1), date(2000, 2, 1), 31),
        ("9999-11", date(9999, 11, 1), date(9999, 12, 1), 30),
    ],
)
def test_a_label_names_a_month(label: str, start: date, end: date, days: int) -> None:
    period = Period.month(label)
    assert period == Period(start, end)
    assert (period.label, period.days) == (label, days)


JUNK = ["", "2026", "2026-4", "2026-13", "2026-00", "26-04", "2026-04-01", "2026-04\n", " 2026-04"]


@pytest.mark.parametrize("label", [*JUNK, "٢٠٢٦-04", "2026/04"])
def test_any_other_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="period must be YYYY-MM, such as 2026-04, not "):
        Period.month(label)


@pytest.mark.parametrize("label", ["0001-01", "1999-12", "9999-12"])
def test_a_month_that_cannot_be_billed_is_told_the_bounds(label: str) -> None:
    with pytest.raises(ValueError, match=f"period must be from 2000-01 to 9999-11, not '{label}'"):
        Period.month(label)


FIRST_DAY = "start: must be the first day of a month, from 2000-01 to 9999-11"
NEXT_MONTH = "end: must be the first day of the month after start"


@pytest.mark.parametrize(
    ("start", "end", "fault"),
    [
        (date(2026, 4, 2), date(2026, 5, 1), FIRST_DAY),
        (date(1999, 12, 1), date(2000, 1, 1), FIRST_DAY),
        (date(9999, 12, 1), date(9999, 12, 31), FIRST_DAY),
        (date(2026, 4, 1), date(2026, 4, 30), NEXT_MONTH),
        (date(2026, 4, 1), date(2026, 6, 1), NEXT_MONTH),
        (date(2026, 4, 1), date(2026, 3, 1), NEXT_MONTH),
        (datetime(2026, 4, 1), date(2026, 5, 1), "start: must be a date, not datetime"),
        (date(2026, 4, 1), "2026-05-01", "end: must be a date, not str"),
    ],
)
def test_anything_but_a_whole_month_is_refused(start: Any, end: Any, fault: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Period(start, end)
    assert refused.value.faults == (fault,)
