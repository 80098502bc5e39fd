"""Daily: stores, for each month's report, what usage came after the month's invoices."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.foundation.billing_calendar import refuse_future
from invoicing.foundation.settings import settings
from invoicing.foundation.time_limit import TimeLimit
from invoicing.month_end.late_usage_sweep import LateUsageSweep, late_usage_log
from invoicing.month_end.start_event import parse_scheduled

# Of the fifteen minutes of an invocation; the rest is for work that has begun.
SECONDS = 780

logger = Logger(service="sweep_late_usage")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Returns how much was found.

    Raises InvalidMessage, and TimeInFuture for a time that has not come.
    """
    at = parse_scheduled(event).time
    refuse_future(at, datetime.now(UTC))
    found = LateUsageSweep.over(settings()).sweep(at, TimeLimit(SECONDS))
    result = late_usage_log(found)
    logger.info("late usage swept", extra=result)
    return result
