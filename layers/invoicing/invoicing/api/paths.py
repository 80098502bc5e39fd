"""Reads the invoice or the month that a request's path names."""

import re
from collections.abc import Mapping
from typing import Any

from invoicing.api.http import bad_request, not_there, received_at
from invoicing.foundation.billing_calendar import PeriodStillOpen, refuse_open_period
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings
from quote_engine import Period

INVOICE_ID = re.compile(rf"({TENANT_ID})\.([0-9]{{4}}-[0-9]{{2}})")


def invoice_in_path(event: Mapping[str, Any]) -> tuple[str, Period]:
    """Returns the tenant and the period in `{id}`; raises a 404 for what is no invoice's id."""
    match = INVOICE_ID.fullmatch((event.get("pathParameters") or {}).get("id") or "")
    if not match:
        raise not_there("invoice")
    try:
        return match[1], Period.month(match[2])
    except ValueError as error:
        raise not_there("invoice") from error


def closed_period(event: Mapping[str, Any], label: str) -> Period:
    """Returns the month of a label; raises a 400 for `period` if it is invalid or not over."""
    try:
        period = Period.month(label)
        refuse_open_period(period, received_at(event), settings().zone)
    except (ValueError, PeriodStillOpen) as error:
        raise bad_request({"period": str(error)}) from error
    return period


def month_in_path(event: Mapping[str, Any]) -> Period:
    """Returns the closed month in `{period}`; raises a 400 that names `period`."""
    return closed_period(event, (event.get("pathParameters") or {}).get("period") or "")
