"""What travels: the event that starts a month-end, its continuation, and one message per tenant.

Every model refuses unknown fields: a misspelt `tenant_id` must not start a run for everybody.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from invoicing.access import TENANT_ID
from quote_engine import Period

MESSAGE_VERSION: Literal[1] = 1
SCHEDULED = "Scheduled Event"


class InvalidMessage(Exception):
    """The event or message cannot be acted on; the text has one `field: fault` per fault."""


def _whole_month(label: str) -> str:
    Period.month(label)
    return label


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


TenantId = Annotated[str, Field(pattern=f"^{TENANT_ID}$")]
PeriodLabel = Annotated[str, AfterValidator(_whole_month)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RollupMessage(_Message):
    """Invoice this tenant for this period. `run_at` is the run's time: the worker has no clock.

    `force` replaces a draft; issued and paid invoices are refused all the same.
    """

    version: Literal[1]
    tenant_id: TenantId
    period: PeriodLabel
    run_id: Annotated[str, Field(min_length=1, max_length=128)]
    run_at: Moment
    force: bool = False


class ExplicitStart(_Message):
    """A month-end started by hand: the period before `time` (default: now), or the one named."""

    period: PeriodLabel | None = None
    tenant_ids: Annotated[tuple[TenantId, ...], Field(min_length=1)] | None = None
    force: bool = False
    time: Moment | None = None


class Continuation(_Message):
    """Handed by an invocation near its time limit to the next: go on after tenant `after`."""

    run_id: str
    run_at: Moment
    period: PeriodLabel
    force: bool
    after: TenantId


class _ScheduledEvent(BaseModel):
    """An EventBridge event; AWS may add fields, so unknown ones are let pass here alone."""

    id: str
    time: Moment


class StartRequest(_Message):
    """What `start_month_end` was asked for, whichever way it was started."""

    run_id: str | None = None
    time: Moment | None = None
    period: PeriodLabel | None = None
    tenant_ids: tuple[TenantId, ...] | None = None
    force: bool = False
    after: TenantId | None = None


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'message'}: {fault['msg']}"
        for fault in error.errors(include_url=False, include_input=False)
    )


def parse_rollup_message(body: str) -> RollupMessage:
    """The message of one SQS record; raises InvalidMessage naming every faulty field."""
    try:
        return RollupMessage.model_validate_json(body)
    except ValidationError as error:
        raise InvalidMessage(_faults(error)) from error


def parse_start(event: dict[str, Any]) -> StartRequest:
    """A scheduled event, an explicit request or a continuation; raises InvalidMessage."""
    try:
        if event.get("detail-type") == SCHEDULED:
            scheduled = _ScheduledEvent.model_validate(event)
            return StartRequest(run_id=scheduled.id, time=scheduled.time)
        if "continuation" in event:
            resumed = Continuation.model_validate(event["continuation"])
            return StartRequest(
                run_id=resumed.run_id,
                time=resumed.run_at,
                period=resumed.period,
                force=resumed.force,
                after=resumed.after,
            )
        return StartRequest(**ExplicitStart.model_validate(event).model_dump())
    except ValidationError as error:
        raise InvalidMessage(_faults(error)) from error
