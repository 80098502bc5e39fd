"""What words of the command line mean; BadInput names the one that means nothing."""

from datetime import datetime

from cli.errors import BadInput
from invoicing.usage_event import RFC_3339
from quote_engine import Period


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
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error


def invoice_name(text: str) -> tuple[str, Period]:
    """The tenant and the month of an invoice's id, such as `pilot.2026-04`."""
    tenant_id, dot, label = text.rpartition(".")
    if not (tenant_id and dot):
        raise BadInput(f"an invoice is TENANT.YYYY-MM, such as pilot.2026-04, not {text}")
    return tenant_id, month(label)
