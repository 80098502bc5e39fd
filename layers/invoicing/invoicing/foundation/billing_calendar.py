"""Which month is billed: period bounds come from the billing time zone, not from UTC by habit."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from quote_engine import Period

# Between the clocks of whoever starts a run and of AWS.
CLOCK_SKEW = timedelta(minutes=5)


class PeriodStillOpen(Exception):
    """The period has not ended yet in the billing time zone, so it cannot be invoiced."""


class TimeInFuture(Exception):
    """A run's own time has not come: at that moment a month would be over that is not."""


def period_before(moment: datetime, zone: ZoneInfo) -> Period:
    """The calendar month before the one that `moment` falls in, as dates of the billing zone."""
    first_of_month = moment.astimezone(zone).date().replace(day=1)
    return Period.month((first_of_month - timedelta(days=1)).strftime("%Y-%m"))


def ends_at(period: Period, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the half-open period ends: local midnight of the next 1st."""
    return midnight(period.end, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the day begins in the billing zone."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def refuse_open_period(period: Period, moment: datetime, zone: ZoneInfo) -> None:
    """Raises PeriodStillOpen unless the period is over at `moment`."""
    end = ends_at(period, zone)
    if moment < end:
        raise PeriodStillOpen(
            f"period {period.label} ends at {end.isoformat()} ({zone.key}); "
            f"it is still open at {moment.astimezone(UTC).isoformat()}"
        )


def refuse_future(run_at: datetime, now: datetime) -> None:
    """Raises TimeInFuture for a run's time that has not come; AWS's own events have none."""
    if run_at > now + CLOCK_SKEW:
        raise TimeInFuture(f"time: {run_at.isoformat()} has not come yet")


def period_of(moment: datetime, zone: ZoneInfo) -> Period:
    """The calendar month of the billing zone that `moment` falls in."""
    return Period.month(f"{moment.astimezone(zone):%Y-%m}")


def months_apart(earlier: Period, later: Period) -> int:
    """How many months the one begins before the other; negative if it begins after it."""
    years = later.start.year - earlier.start.year
    return 12 * years + later.start.month - earlier.start.month


def label_after(period: Period, months: int) -> str:
    """The label (`2026-04`) so many months on; it may lie before or after what a Period holds."""
    year, month = divmod(12 * period.start.year + period.start.month - 1 + months, 12)
    return f"{year:04}-{month + 1:02}"


def month_before(period: Period) -> Period | None:
    """The calendar month before; None before the first that there can be."""
    try:
        return Period.month(label_after(period, -1))
    except ValueError:
        return None
