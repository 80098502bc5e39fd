"""One metered event as a producer sends it: read whole, or rejected with every reason."""

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

WHOLE_DIGITS, DECIMALS = 20, 12
# What is told of a faulty id, and why: the answer to a thousand events has to fit into 6 MB.
LONGEST_ECHO, LONGEST_REASON = 200, 500
RESERVED_KINDS = frozenset(("deployment_period", "day", "tenant_id", "expires_at", "digest"))
# Python's own context would round to 28 digits: two quantities that differ could look the same.
_EXACT = Context(prec=WHOLE_DIGITS + DECIMALS, traps=[Inexact])
DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class UsageOutcome(StrEnum):
    """What became of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


def _quantity(value: Any) -> Decimal:
    found = DECIMAL.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a decimal string such as 12.5")
    if found[1]:
        raise ValueError("must not be negative; a correction is an adjustment")
    if len(found[3] or "") > DECIMALS:
        raise ValueError(f"has more than {DECIMALS} decimals")
    if len(found[2].lstrip("0")) > WHOLE_DIGITS:
        raise ValueError(f"has more than {WHOLE_DIGITS} digits before the point")
    return Decimal(value)


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


class UsageEvent(StrictModel):
    """`quantity` of a resource kind used by a deployment; exactly once by (tenant, source, id)."""

    id: Annotated[str, Field(pattern="^[!-~]{1,128}$")]
    source: Annotated[str, Field(pattern="^[A-Za-z0-9._:-]{1,64}$")]
    deployment_id: Annotated[str, Field(pattern=f"^{DEPLOYMENT_ID}$")]
    resource_kind: Annotated[
        str, Field(pattern="^[a-z0-9_]{1,64}$"), AfterValidator(_not_reserved)
    ]
    quantity: Quantity
    occurred_at: Annotated[
        AwareDatetime,
        BeforeValidator(_timestamp),
        AfterValidator(in_utc),
    ]

    @property
    def digest(self) -> str:
        """Of all that the event says; the same id with another digest is a conflict."""
        said = (
            self.deployment_id,
            self.resource_kind,
            format(_EXACT.normalize(self.quantity), "f"),
            self.occurred_at.isoformat(),
        )
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]

    @property
    def expires_at(self) -> datetime:
        """When its dedupe item may go (UTC): after the event itself is too old to be accepted."""
        return self.occurred_at + OLDEST + DEDUPE_MARGIN


@dataclass(frozen=True, slots=True)
class UsageResult:
    """What became of one event, in the words of the answer."""

    id: str | None
    source: str | None
    outcome: UsageOutcome
    reason: str = ""


def rejected(raw: Any, reason: str) -> UsageResult:
    """The result of an event that is not counted; `raw` may be anything at all."""
    named = raw if isinstance(raw, Mapping) else {}
    names = map(named.get, ("id", "source"))
    said = [_told(name, LONGEST_ECHO) if isinstance(name, str) else None for name in names]
    return UsageResult(said[0], said[1], UsageOutcome.REJECTED, _told(reason, LONGEST_REASON))


def _told(text: str, most: int) -> str:
    # What is no plain ASCII takes up to fourteen bytes a letter, escaped in JSON within JSON.
    return text[:most] if text.isascii() and text.isprintable() else text[: most // 4]


def read_event(raw: Any, received: datetime) -> UsageEvent | UsageResult:
    """The event, or why it is rejected: a faulty field, too old, or more than a day ahead."""
    try:
        event = UsageEvent.model_validate(raw)
    except ValidationError as error:
        return rejected(raw, faults(error, "event"))
    if received - event.occurred_at > OLDEST:
        return rejected(raw, f"occurred_at: more than {OLDEST.days} days ago")
    if event.occurred_at - received > FUTURE:
        return rejected(raw, "occurred_at: more than 24 hours ahead")
    return event
