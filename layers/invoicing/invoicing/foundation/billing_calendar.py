"""Billing months: a period begins and ends at midnight in the billing time zone, not in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from quote_engine import Period

# How far ahead of AWS's clock the clock behind a run's time may be.
CLOCK_SKEW = timedelta(minutes=5)


class PeriodStillOpen(Exception):
    """The period has not ended yet in the billing time zone, so it cannot be invoiced."""


class TimeInFuture(Exception):
    """A run's time is in the future: it would count a month as over that is still open."""


def period_before(moment: datetime, zone: ZoneInfo) -> Period:
    """Returns the calendar month before the one that contains `moment` in the billing zone."""
    first_of_month = moment.astimezone(zone).date().replace(day=1)
    return Period.month((first_of_month - timedelta(days=1)).strftime("%Y-%m"))


def ends_at(period: Period, zone: ZoneInfo) -> datetime:
    """Returns the instant (UTC) when the half-open period ends: local midnight of the next 1st."""
    return midnight(period.end, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Returns the instant (UTC) at which the day begins in the billing zone."""
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
    """Raises TimeInFuture if a run's time is still to come; with AWS's own events it never is."""
    if run_at > now + CLOCK_SKEW:
        raise TimeInFuture(f"time: {run_at.isoformat()} has not come yet")


def period_of(moment: datetime, zone: ZoneInfo) -> Period:
    """Returns the calendar month that contains `moment` in the billing zone."""
    return Period.month(f"{moment.astimezone(zone):%Y-%m}")


def months_apart(earlier: Period, later: Period) -> int:
    """Returns how many months `earlier` begins before `later`; negative if it begins after it."""
    years = later.start.year - earlier.start.year
    return 12 * years + later.start.month - earlier.start.month


def label_after(period: Period, months: int) -> str:
    """Returns the label (`2026-04`) that many months later; it may be out of a Period's range."""
    year, month = divmod(12 * period.start.year + period.start.month - 1 + months, 12)
    return f"{year:04}-{month + 1:02}"


def month_before(period: Period) -> Period | None:
    """Returns the previous calendar month; None if a Period cannot go back that far."""
    try:
        return Period.month(label_after(period, -1))
    except ValueError:
        return None
