"""Which month is billed: period bounds come from the billing time zone, not from UTC by habit."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from quote_engine import Period


class PeriodStillOpen(Exception):
    """The period has not ended yet in the billing time zone, so it cannot be invoiced."""


def period_before(moment: datetime, zone: ZoneInfo) -> Period:
    """The calendar month before the one that `moment` falls in, as dates of the billing zone."""
    first_of_month = moment.astimezone(zone).date().replace(day=1)
    return Period.month((first_of_month - timedelta(days=1)).strftime("%Y-%m"))


def ends_at(period: Period, zone: ZoneInfo) -> datetime:
    """The instant (UTC) at which the half-open period ends: local midnight of the next 1st."""
    return datetime.combine(period.end, time.min, tzinfo=zone).astimezone(UTC)


def refuse_open_period(period: Period, moment: datetime, zone: ZoneInfo) -> None:
    """Raises PeriodStillOpen unless the period is over at `moment`."""
    end = ends_at(period, zone)
    if moment < end:
        raise PeriodStillOpen(
            f"period {period.label} ends at {end.isoformat()} ({zone.key}); "
            f"it is still open at {moment.astimezone(UTC).isoformat()}"
        )


def period_of(moment: datetime, zone: ZoneInfo) -> Period:
    """The calendar month of the billing zone that `moment` falls in."""
    return Period.month(f"{moment.astimezone(zone):%Y-%m}")
