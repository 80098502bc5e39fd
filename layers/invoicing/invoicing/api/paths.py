"""Which invoice, and which month, a request's path names."""

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
    """The tenant and the period in `{id}`; what cannot be an invoice's id is not there (404)."""
    found = INVOICE_ID.fullmatch((event.get("pathParameters") or {}).get("id") or "")
    if not found:
        raise not_there("invoice")
    try:
        return found[1], Period.month(found[2])
    except ValueError as error:
        raise not_there("invoice") from error


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
