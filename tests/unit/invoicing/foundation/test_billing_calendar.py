"""Which month is billed, in UTC and in Sydney, over DST changes and year ends."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from invoicing.foundation.billing_calendar import (
    PeriodStillOpen,
    ends_at,
    label_after,
    month_before,
    months_apart,
    period_before,
    refuse_open_period,
)
from quote_engine import Period

SYDNEY = ZoneInfo("Australia/Sydney")
UTC_ZONE = ZoneInfo("UTC")


def utc(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "period"),
    [
        ("2026-05-01T03:00", UTC_ZONE, "2026-04"),
        ("2026-05-31T23:59", UTC_ZONE, "2026-04"),
        ("2026-01-01T03:00", UTC_ZONE, "2025-12"),
        ("2028-03-01T03:00", UTC_ZONE, "2028-02"),
        ("2026-05-01T03:00", SYDNEY, "2026-04"),
        # Already 1 May in Sydney (+10), still 30 April in UTC.
        ("2026-04-30T14:00", SYDNEY, "2026-04"),
        ("2026-04-30T14:00", UTC_ZONE, "2026-03"),
        ("2026-04-30T13:59", SYDNEY, "2026-03"),
        # Daylight saving (+11) is over from 5 April and back from 4 October 2026.
        ("2026-03-31T13:00", SYDNEY, "2026-03"),
        ("2026-03-31T12:59", SYDNEY, "2026-02"),
        ("2026-10-31T13:00", SYDNEY, "2026-10"),
        ("2026-12-31T13:00", SYDNEY, "2026-12"),
    ],
)
def test_the_period_is_the_month_before_in_the_billing_zone(
    moment: str, zone: ZoneInfo, period: str
) -> None:
    assert period_before(utc(moment), zone).label == period


@pytest.mark.parametrize(
    ("period", "zone", "end"),
    [
        ("2026-04", UTC_ZONE, "2026-05-01T00:00"),
        ("2026-04", SYDNEY, "2026-04-30T14:00"),
        ("2026-03", SYDNEY, "2026-03-31T13:00"),
        ("2026-10", SYDNEY, "2026-10-31T13:00"),
        ("2026-12", SYDNEY, "2026-12-31T13:00"),
    ],
)
def test_a_period_ends_at_local_midnight(period: str, zone: ZoneInfo, end: str) -> None:
    assert ends_at(Period.month(period), zone) == utc(end)


def test_an_open_period_is_refused_until_its_last_second_is_over() -> None:
    april = Period.month("2026-04")
    with pytest.raises(PeriodStillOpen, match="2026-04 ends at 2026-04-30T14:00:00"):
        refuse_open_period(april, utc("2026-04-30T13:59:59"), SYDNEY)
    refuse_open_period(april, utc("2026-04-30T14:00"), SYDNEY)
    with pytest.raises(PeriodStillOpen):
        refuse_open_period(april, utc("2026-04-30T14:00"), UTC_ZONE)


@pytest.mark.parametrize(
    ("earlier", "later", "months"),
    [
        ("2026-04", "2026-04", 0),
        ("2026-04", "2026-05", 1),
        # Over New Year, and over two.
        ("2025-12", "2026-01", 1),
        ("2025-09", "2026-01", 4),
        ("2025-08", "2026-01", 5),
        ("2025-01", "2026-12", 23),
        ("2024-12", "2026-01", 13),
        ("2025-01", "2026-01", 12),
        ("2026-01", "2025-12", -1),
        ("2026-01", "2025-09", -4),
    ],
)
def test_months_lie_as_far_apart_as_on_the_calendar(earlier: str, later: str, months: int) -> None:
    assert months_apart(Period.month(earlier), Period.month(later)) == months


@pytest.mark.parametrize(
    ("label", "months", "after"),
    [
        ("2026-04", 0, "2026-04"),
        ("2026-11", 1, "2026-12"),
        ("2026-12", 1, "2027-01"),
        ("2026-01", -1, "2025-12"),
        ("2026-01", -4, "2025-09"),
        ("2026-01", -12, "2025-01"),
        ("2026-01", -13, "2024-12"),
        ("2026-12", -12, "2025-12"),
        ("2026-12", 12, "2027-12"),
        ("2025-12", 13, "2027-01"),
    ],
)
def test_a_label_some_months_later_is_the_calendars(label: str, months: int, after: str) -> None:
    assert label_after(Period.month(label), months) == after


def test_the_first_month_of_all_has_none_before_it() -> None:
    assert month_before(Period.month("2026-01")) == Period.month("2025-12")
    assert month_before(Period.month("2000-01")) is None
