"""A metered event as a producer sends it: accepted whole, or rejected with every reason."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, ValidationError

from invoicing.accounts.account import DEPLOYMENT_ID
from invoicing.foundation.parsing import StrictModel, faults, in_utc

# An event is accepted until it is this old, and its dedupe item outlives that: no resend, however
# late, can be counted a second time.
OLDEST = timedelta(days=90)
FUTURE = timedelta(hours=24)
# A message counts as received when it was sent, and then waits on its queues for up to 14 days.
DEDUPE_MARGIN = timedelta(days=16)

# A month's total has no more digits than an event, so that whatever a plan makes of it can be
# priced (docs/money-rules.md, Limits).
WHOLE_DIGITS, DECIMALS = 12, 12
# Limits for a faulty id and a reason: the answer to a thousand events has to fit into 6 MB.
LONGEST_ECHO, LONGEST_REASON = 200, 500
RESERVED_KINDS = frozenset(("deployment_period", "day", "tenant_id", "expires_at", "digest"))
# Python's default context rounds to 28 digits: two different quantities could look the same.
_EXACT = Context(prec=WHOLE_DIGITS + DECIMALS, traps=[Inexact])
SOURCE = "[A-Za-z0-9._:-]{1,64}"
DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class UsageOutcome(StrEnum):
    """The outcome of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


def read_quantity(value: Any, most_digits: int) -> Decimal:
    """Returns the quantity in a decimal string; raises ValueError with what is wrong with it.

    It is not negative, and has at most so many digits before the point.
    """
    match = DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a decimal string such as 12.5")
    if match[1]:
        raise ValueError("must not be negative; POST /usage/corrections takes usage back")
    if len(match[3] or "") > DECIMALS:
        raise ValueError(f"has more than {DECIMALS} decimals")
    if len(match[2].lstrip("0")) > most_digits:
        raise ValueError(f"has more than {most_digits} digits before the point")
    return Decimal(value)


def _quantity(value: Any) -> Decimal:
    return read_quantity(value, WHOLE_DIGITS)


def decimal_text(quantity: Decimal) -> str:
    """Returns a quantity without an exponent and trailing zeros: equal ones have one text."""
    text = format(quantity, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _timestamp(value: Any) -> Any:
    if not (isinstance(value, str) and RFC_3339.fullmatch(value)):
        raise ValueError("must be an RFC 3339 time with a zone, such as 2026-04-01T00:00:00Z")
    return value


def _not_reserved(kind: str) -> str:
    if kind in RESERVED_KINDS:
        raise ValueError(f"{kind} cannot be a resource kind")
    return kind


# A decimal string: never negative, and exact.
Quantity = Annotated[Decimal, BeforeValidator(_quantity)]
EventId = Annotated[str, Field(pattern="^[!-~]{1,128}$")]
Source = Annotated[str, Field(pattern=f"^{SOURCE}$")]
DeploymentId = Annotated[str, Field(pattern=f"^{DEPLOYMENT_ID}$")]
ResourceKind = Annotated[str, Field(pattern="^[a-z0-9_]{1,64}$"), AfterValidator(_not_reserved)]


class UsageEvent(StrictModel):
    """A deployment's use of a resource kind; counted exactly once per (tenant, source, id)."""

    id: EventId
    source: Source
    deployment_id: DeploymentId
    resource_kind: ResourceKind
    quantity: Quantity
    occurred_at: Annotated[
        AwareDatetime,
        BeforeValidator(_timestamp),
        AfterValidator(in_utc),
    ]

    @property
    def digest(self) -> str:
        """A hash of what the event says; the same id with another digest is a conflict."""
        content = (
            self.deployment_id,
            self.resource_kind,
            format(_EXACT.normalize(self.quantity), "f"),
            self.occurred_at.isoformat(),
        )
        return hashlib.sha256("\n".join(content).encode()).hexdigest()[:32]

    @property
    def expires_at(self) -> datetime:
        """When its dedupe item may expire (UTC): after the event itself is too old to accept."""
        return self.occurred_at + OLDEST + DEDUPE_MARGIN


@dataclass(frozen=True, slots=True)
class UsageResult:
    """The result of one event, as the answer gives it."""

    id: str | None
    source: str | None
    outcome: UsageOutcome
    reason: str = ""


def rejected(raw: Any, reason: str) -> UsageResult:
    """Returns the result of an event that is not counted; `raw` may be anything at all."""
    fields = raw if isinstance(raw, Mapping) else {}
    names = map(fields.get, ("id", "source"))
    echoes = [_shortened(name, LONGEST_ECHO) if isinstance(name, str) else None for name in names]
    text = _shortened(reason, LONGEST_REASON)
    return UsageResult(echoes[0], echoes[1], UsageOutcome.REJECTED, text)


def _shortened(text: str, most: int) -> str:
    # Outside plain ASCII, a character takes up to fourteen bytes, escaped in JSON within JSON.
    return text[:most] if text.isascii() and text.isprintable() else text[: most // 4]


def parse_event(raw: Any) -> UsageEvent | UsageResult:
    """Returns the event, however old it is, or its rejection for a faulty field."""
    try:
        return UsageEvent.model_validate(raw)
    except ValidationError as error:
        return rejected(raw, faults(error, "event"))


def read_event(raw: Any, received: datetime) -> UsageEvent | UsageResult:
    """Returns the event, or its rejection: a faulty field, too old, or more than a day ahead."""
    event = parse_event(raw)
    if isinstance(event, UsageResult):
        return event
    if received - event.occurred_at > OLDEST:
        return rejected(raw, f"occurred_at: more than {OLDEST.days} days ago")
    if event.occurred_at - received > FUTURE:
        return rejected(raw, "occurred_at: more than 24 hours ahead")
    return event
