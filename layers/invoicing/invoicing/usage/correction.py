"""Corrections of counted usage, as they are asked for. Pure: no clock, no tables.

A correction sets what stands of a deployment's kind on one day (`day`), or of one event (`event`),
or takes events back that are sent again (`events`). It has an id of the caller's. The id keeps to
one content for good, and a repeat of it changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from invoicing.accounts.form_fields import Day
from invoicing.foundation.audit import Reason
from invoicing.foundation.json_input import InvalidBody, read_body
from invoicing.foundation.parsing import StrictModel
from invoicing.usage.usage_event import (
    DeploymentId,
    EventId,
    Quantity,
    ResourceKind,
    Source,
    UsageEvent,
    UsageResult,
    decimal_text,
    parse_event,
    read_quantity,
)

# The month-end of the current month reads a year of history: see BillingHistoryTable.
MONTHS_BACK = 12
EVENTS_A_CORRECTION = 1000
CORRECTION_ID = "[A-Za-z0-9._:-]{1,64}"
# Earlier versions counted events of 20 digits, and a day is a sum: what stands may be longer than
# what is put in its place.
STANDING_DIGITS = 26


class InvalidCorrection(InvalidBody):
    """The correction is refused as a whole; `reasons` says why, by field."""


class NothingToCorrect(Exception):
    """The deployment is unknown, or the event was never counted or is forgotten."""


class CorrectionRefused(Exception):
    """What is stored stands in the way; nothing was changed. `reasons` says what, by field."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in reasons.items()))
        self.reasons = reasons


def _standing(value: Any) -> Decimal:
    return read_quantity(value, STANDING_DIGITS)


class _Change(StrictModel):
    deployment_id: DeploymentId
    expect: Annotated[Decimal, BeforeValidator(_standing)]
    quantity: Quantity

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.expect == self.quantity:
            raise ValueError("expect and quantity are the same: there is nothing to correct")
        return self


class DayChange(_Change):
    """What stands of a kind on a day (billing zone), and what is to stand there instead."""

    resource_kind: ResourceKind
    day: Day


class EventChange(_Change):
    """What stands of an event, and what is to stand of it instead."""

    source: Source
    id: EventId

    @property
    def key(self) -> str:
        """What identifies the event within its tenant."""
        return f"{self.source}#{self.id}"


SentEvents = Annotated[tuple[Any, ...], Field(min_length=1, max_length=EVENTS_A_CORRECTION)]
type Form = Literal["day", "event", "events"]


class Correction(StrictModel):
    """A correction as it is asked for: an id, a reason, and exactly one of three forms.

    `events` are events as they were sent: what stands of each is taken back.
    """

    id: Annotated[str, Field(pattern=f"^{CORRECTION_ID}$")]
    reason: Reason
    day: DayChange | None = None
    event: EventChange | None = None
    events: SentEvents | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if sum(form is not None for form in (self.day, self.event, self.events)) != 1:
            raise ValueError("exactly one of day, event and events is needed")
        return self

    @property
    def form(self) -> Form:
        """Which of the three forms it has."""
        if self.events is not None:
            return "events"
        return "event" if self.day is None else "day"

    @cached_property
    def parsed_events(self) -> tuple[UsageEvent | UsageResult, ...]:
        """The events of the list, in order, or the rejections of those that cannot be read."""
        return tuple(map(parse_event, self.events or ()))

    @property
    def valid_events(self) -> list[UsageEvent]:
        """The events of the list that can be read."""
        return [event for event in self.parsed_events if isinstance(event, UsageEvent)]

    @cached_property
    def digest(self) -> str:
        """A hash of what is asked for; the order of events is no part of it."""
        change = self.day or self.event
        if change is None:
            events = self.valid_events
            content: Any = sorted([event.source, event.id, event.digest] for event in events)
        else:
            content = {name: _text(value) for name, value in change}
        text = json.dumps([self.form, self.reason, content], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32]


class CorrectionOutcome(StrEnum):
    """What became of an event that was to be taken back."""

    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class CorrectionResult:
    """The result of one event that was to be taken back; id and source are None if unreadable."""

    id: str | None
    source: str | None
    outcome: CorrectionOutcome
    reason: str = ""


def _text(value: object) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def read_correction(body: Any) -> Correction:
    """Reads a correction from a body; raises InvalidCorrection with every faulty field."""
    return read_body(Correction, body, InvalidCorrection)


def day_fault(day: date, today: date) -> str | None:
    """What is wrong with correcting a day: it is to come, or in a month that no invoice reads."""
    if day > today:
        return f"{day} has not come yet"
    return month_fault(day, today)


def month_fault(day: date, today: date) -> str | None:
    """What is wrong with correcting the month of a day: it is more than twelve months back."""
    # Not as Periods: those begin in the year 2000.
    months = 12 * (today.year - day.year) + today.month - day.month
    if months <= MONTHS_BACK:
        return None
    return (
        f"{day.isoformat()[:7]} is more than {MONTHS_BACK} months before {today.isoformat()[:7]}: "
        "no invoice that is still to come looks at it"
    )
