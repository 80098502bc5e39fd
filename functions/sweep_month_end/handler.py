"""Hourly on days 1 to 5: sends messages for due tenants without an invoice; stores the report."""

from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from invoicing.foundation.billing_calendar import PeriodStillOpen, refuse_future
from invoicing.foundation.settings import settings
from invoicing.foundation.time_limit import TimeLimit
from invoicing.month_end.start_event import parse_scheduled
from invoicing.month_end.sweep import Sweep, Swept, swept_json

# Of the fifteen minutes of an invocation; the rest is for work that has begun.
SECONDS = 780

logger = Logger(service="sweep_month_end")
metrics = Metrics(namespace="Monthend", service="sweep_month_end")


def _publish(swept: Swept, context: Any) -> None:
    # Two deployments in one AWS account must not set off each other's alarms.
    metrics.add_dimensions(service=metrics.service, function_name=context.function_name)
    for name, value in swept.metrics.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    metrics.flush_metrics()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns what was found and sent, or that the month is still open.

    Raises InvalidMessage, and TimeInFuture for a time that has not come.
    """
    at = parse_scheduled(event).time
    refuse_future(at, datetime.now(UTC))
    try:
        swept = Sweep.over(settings()).sweep(at, TimeLimit(SECONDS))
    except PeriodStillOpen as error:
        # West of UTC-3 the first of the month begins later than the day's first sweeps.
        logger.info("nothing to sweep yet", extra={"reason": str(error)})
        return {"open": True}
    _publish(swept, context)
    result = swept_json(swept)
    logger.info("month swept", extra=result)
    return result
