"""A closed month of a stack: which one is meant, and its report as it is now."""

from datetime import UTC, datetime

from cli.stack.stack import Stack
from cli.terminal.arguments import month
from cli.terminal.errors import BadInput
from invoicing.foundation.billing_calendar import PeriodStillOpen, refuse_open_period
from invoicing.foundation.parallel import TimeLimit
from invoicing.month_end.month_reader import MonthReader
from invoicing.month_end.report import MonthReport, month_report
from invoicing.month_end.start import month_to_bill
from quote_engine import Period

# A document for a program has all there is; the API's are cut to what a request can carry.
EVERYTHING = 10**9
# Who watches waits for a large month, where a request of the API could not.
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
    """Who is due and what became of them, from the tables."""
    books = MonthReader.over(stack.settings)
    listing = books.listing(period)
    looks = books.all_looks(listing, TimeLimit(LONGEST_REPORT_SECONDS))
    return month_report(listing, looks, datetime.now(UTC))
