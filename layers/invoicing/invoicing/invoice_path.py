"""Which invoice a request's path names."""

import re
from collections.abc import Mapping
from typing import Any

from invoicing.access import TENANT_ID
from invoicing.http_api import not_there
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
