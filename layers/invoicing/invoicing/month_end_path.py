"""Which month a request's path names."""

from collections.abc import Mapping
from typing import Any

from invoicing.billing_calendar import PeriodStillOpen, refuse_open_period
from invoicing.http_api import bad_request, received_at
from invoicing.settings import settings
from quote_engine import Period


def closed_period(event: Mapping[str, Any], label: str) -> Period:
    """The month of a label; raises a 400 that names `period` for what is none, or is not over."""
    try:
        period = Period.month(label)
        refuse_open_period(period, received_at(event), settings().zone)
    except (ValueError, PeriodStillOpen) as error:
        raise bad_request({"period": str(error)}) from error
    return period


def month_in_path(event: Mapping[str, Any]) -> Period:
    """The closed month in `{period}`; raises a 400 that names it."""
    return closed_period(event, (event.get("pathParameters") or {}).get("period") or "")
