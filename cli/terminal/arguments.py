"""Reads words of the command line; BadInput names the one that cannot be read."""

import re
from datetime import date, datetime

from cli.terminal.errors import BadInput
from invoicing.accounts.account import DEPLOYMENT_ID
from invoicing.foundation.parsing import TENANT_ID
from invoicing.usage.usage_event import RFC_3339, SOURCE
from quote_engine import Period

# Ends of times that databases and spreadsheets write where RFC 3339 has `Z` or `+10:00`.
OFFSET = re.compile(r"(.*\d) ?(?:(?:UTC|GMT)|([+-]\d\d):?(\d\d)?)", re.ASCII)
# The years of months that can be billed; near the year 9999, later times cannot be computed.
FIRST_YEAR, LAST_YEAR = 2000, 9998
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def month(label: str) -> Period:
    """Reads a month such as `2026-04`."""
    try:
        return Period.month(label)
    except ValueError as error:
        raise BadInput(str(error)) from error


def with_plain_offset(text: str) -> str:
    """Writes the end of a time as RFC 3339 does: `+1000`, `+10` and ` UTC` are well known, too.

    Any other text is returned as it is.
    """
    match = OFFSET.fullmatch(text)
    if match is None:
        return text
    time, hours, minutes = match.groups()
    plain = f"{time}Z" if hours is None else f"{time}{hours}:{minutes or '00'}"
    return plain if RFC_3339.fullmatch(plain) else text


def moment(option: str, given: str) -> datetime:
    """Reads a time with a zone, such as `2026-05-01T00:00:00Z`."""
    text = with_plain_offset(given)
    if not RFC_3339.fullmatch(text):
        raise BadInput(
            f"{option}: must be a time with a zone, such as 2026-05-01T00:00:00Z, not {text}"
        )
    try:
        parsed = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from error
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise BadInput(f"{option}: must be from {FIRST_YEAR} to {LAST_YEAR}, not {text}")
    return parsed


def calendar_day(option: str, text: str) -> str:
    """Returns the text if it is a day, such as `2026-04-15`."""
    try:
        if DAY.fullmatch(text) and date.fromisoformat(text).year >= FIRST_YEAR:
            return text
    except ValueError:
        pass
    raise BadInput(f"{option}: must be a day such as 2026-04-15, not {text}")


def tenant_id(option: str, text: str) -> str:
    """Returns the text if it has the form of a tenant's id; whether one has it is not checked."""
    if not re.fullmatch(TENANT_ID, text):
        raise BadInput(f"{option}: a tenant's id is up to 40 of a-z, 0-9 and -, not {text}")
    return text


def event_source(option: str, text: str | None) -> str | None:
    """Returns the text if events can have it as their source, and None if it is not given."""
    if text is not None and not re.fullmatch(SOURCE, text):
        raise BadInput(f"{option}: must be up to 64 of A-Z, a-z, 0-9 and . _ : -, not {text}")
    return text


def deployment_id(option: str, text: str) -> str:
    """Returns the text if it has the form of a deployment's id; what it names is not checked."""
    if not re.fullmatch(DEPLOYMENT_ID, text):
        raise BadInput(
            f"{option}: a deployment's id is up to 64 of A-Z, a-z, 0-9, . _ and -, not {text}"
        )
    return text


def invoice_name(text: str) -> tuple[str, Period]:
    """Reads the tenant and the month of an invoice's id, such as `pilot.2026-04`."""
    name, dot, label = text.rpartition(".")
    if not (name and dot):
        raise BadInput(f"an invoice is TENANT.YYYY-MM, such as pilot.2026-04, not {text}")
    return tenant_id("TENANT.YYYY-MM", name), month(label)
