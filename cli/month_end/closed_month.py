"""The closed month that a command means, and its report as it is now."""

from datetime import UTC, datetime

from cli.stack.stack import Stack
from cli.terminal.arguments import month
from cli.terminal.errors import BadInput
from invoicing.foundation.billing_calendar import PeriodStillOpen, refuse_open_period
from invoicing.foundation.time_limit import TimeLimit
from invoicing.month_end.month_reader import MonthReader
from invoicing.month_end.report import MonthReport, month_report
from invoicing.month_end.start import month_to_bill
from quote_engine import Period

# JSON for a program lists everything; the API cuts its lists to what a request can carry.
EVERYTHING = 10**9
# A person can wait for a large month's report, where an API request could not.
LONGEST_REPORT_SECONDS = 3600


def closed_month(stack: Stack, label: str | None, now: datetime) -> Period:
    """The month of that label; without one, the month that a run would bill now.

    Raises BadInput for a month that is not over in the billing zone.
    """
    period = month_to_bill(now, stack.zone) if label is None else month(label)
    try:
        refuse_open_period(period, now, stack.zone)
    except PeriodStillOpen as error:
        raise BadInput(f"--period: {error}") from error
    return period


def report_now(stack: Stack, period: Period) -> MonthReport:
    """Reads the month's report from the tables: who is due, and what became of them."""
    reader = MonthReader.over(stack.settings)
    listing = reader.listing(period)
    checks = reader.all_checks(listing, TimeLimit(LONGEST_REPORT_SECONDS))
    return month_report(listing, checks, datetime.now(UTC))
