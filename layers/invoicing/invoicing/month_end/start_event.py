"""How a month-end is started: by the schedule, by hand, or by an invocation that ran out of time.

Separate from `rollup_message`, because a rollup never reads these and would pay for every model
at each cold start.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictBool, ValidationError

from invoicing.foundation.parsing import (
    InvalidMessage,
    Moment,
    PeriodLabel,
    RunId,
    StrictModel,
    TenantId,
    faults,
)


def _at_least_one(tenant_ids: tuple[str, ...]) -> tuple[str, ...]:
    if not tenant_ids:
        raise ValueError("must name at least one tenant, or be left out for all")
    return tenant_ids


SCHEDULED = "Scheduled Event"
# Who started a run whose event names nobody.
BY_SCHEDULE, BY_HAND = "schedule", "by hand"

Tenants = Annotated[tuple[TenantId, ...], AfterValidator(_at_least_one)]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class ExplicitStart(StrictModel):
    """A month-end started by hand: for `period`, or the one before `time` (default: now).

    `by` and `run_id` come from POST /month-ends, which has already answered with the id.
    """

    period: PeriodLabel | None = None
    tenant_ids: Tenants | None = None
    force: StrictBool = False
    dry_run: StrictBool = False
    time: Moment | None = None
    by: Name = BY_HAND
    run_id: RunId | None = None


class Continuation(StrictModel):
    """Passed by an invocation near its time limit to the next: continue after tenant `after`."""

    run_id: str
    run_at: Moment
    period: PeriodLabel
    force: bool
    dry_run: bool = False
    after: TenantId


class ScheduledEvent(BaseModel):
    """An EventBridge event. AWS may add fields, so unknown ones are accepted, here only."""

    id: str
    time: Moment


class StartRequest(StrictModel):
    """What `start_month_end` was asked to do, whichever way it was started."""

    by: str = BY_SCHEDULE
    run_id: str | None = None
    time: Moment | None = None
    period: PeriodLabel | None = None
    tenant_ids: tuple[TenantId, ...] | None = None
    force: bool = False
    dry_run: bool = False
    after: TenantId | None = None


def parse_start(event: Any) -> StartRequest:
    """Reads a scheduled event, an explicit request or a continuation; raises InvalidMessage."""
    if not isinstance(event, dict):
        raise InvalidMessage("event: must be an object")
    try:
        if event.get("detail-type") == SCHEDULED:
            scheduled = ScheduledEvent.model_validate(event)
            return StartRequest(run_id=scheduled.id, time=scheduled.time)
        if "continuation" in event:
            resumed = Continuation.model_validate(event["continuation"])
            return StartRequest(
                run_id=resumed.run_id,
                time=resumed.run_at,
                period=resumed.period,
                force=resumed.force,
                dry_run=resumed.dry_run,
                after=resumed.after,
            )
        return StartRequest(**ExplicitStart.model_validate(event).model_dump())
    except ValidationError as error:
        raise InvalidMessage(faults(error)) from error


def parse_scheduled(event: Any) -> ScheduledEvent:
    """Reads a scheduled event, nothing else; raises InvalidMessage."""
    try:
        return ScheduledEvent.model_validate(event)
    except ValidationError as error:
        raise InvalidMessage(faults(error)) from error
