"""What words of the command line mean; BadInput names the one that means nothing."""

import re
from datetime import datetime

from cli.terminal.errors import BadInput
from invoicing.foundation.parsing import TENANT_ID
from invoicing.usage.usage_event import RFC_3339
from quote_engine import Period

# As the months that can be billed; what is near the end of time cannot be counted on from.
FIRST_YEAR, LAST_YEAR = 2000, 9998


def month(label: str) -> Period:
    """A month such as `2026-04`."""
    try:
        return Period.month(label)
    except ValueError as error:
        raise BadInput(str(error)) from error


def moment(option: str, text: str) -> datetime:
    """A time with a zone, such as `2026-05-01T00:00:00Z`."""
    if not RFC_3339.fullmatch(text):
        raise BadInput(
            f"{option}: must be a time with a zone, such as 2026-05-01T00:00:00Z, not {text}"
        )
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise BadInput(f"{option}: must be from {FIRST_YEAR} to {LAST_YEAR}, not {text}")
    return found


def tenant_id(option: str, text: str) -> str:
    """What may be a tenant's id; whether anybody has it is not asked."""
    if not re.fullmatch(TENANT_ID, text):
        raise BadInput(f"{option}: a tenant's id is up to 40 of a-z, 0-9 and -, not {text}")
    return text


def invoice_name(text: str) -> tuple[str, Period]:
    """The tenant and the month of an invoice's id, such as `pilot.2026-04`."""
    name, dot, label = text.rpartition(".")
    if not (name and dot):
        raise BadInput(f"an invoice is TENANT.YYYY-MM, such as pilot.2026-04, not {text}")
    return tenant_id("TENANT.YYYY-MM", name), month(label)
