"""What the rollup queue carries: one message per tenant. Unknown fields are refused."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
)

from invoicing.access import TENANT_ID
from quote_engine import Period

MESSAGE_VERSION: Literal[1] = 1


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
RunId = Annotated[str, Field(min_length=1, max_length=128)]


class Message(BaseModel):
    """Frozen, and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RollupMessage(Message):
    """Invoice this tenant for this period. `run_at` is the run's time: the worker has no clock.

    `force` replaces a draft; issued and paid invoices are refused all the same. `dry_run` does
    everything but write.
    """

    version: Literal[1]
    tenant_id: TenantId
    period: PeriodLabel
    run_id: RunId
    run_at: Moment
    force: StrictBool = False
    dry_run: StrictBool = False

    @property
    def body(self) -> str:
        """The message as JSON, without a `dry_run` that says nothing.

        So a worker of the version before, which knows no dry runs, still takes an ordinary run.
        """
        return self.model_dump_json(exclude=None if self.dry_run else {"dry_run"})


def faults_by_field(error: ValidationError) -> dict[str, str]:
    """What is wrong with each faulty field, without the faulty value itself."""
    return {
        ".".join(str(part) for part in fault["loc"]) or "message": fault["msg"].removeprefix(
            "Value error, "
        )
        for fault in error.errors(include_url=False, include_input=False)
    }


def faults(error: ValidationError) -> str:
    """One `field: fault` per faulty field."""
    return "; ".join(f"{field}: {text}" for field, text in faults_by_field(error).items())


def parse_rollup_message(body: str) -> RollupMessage:
    """The message of one SQS record; raises InvalidMessage naming every faulty field."""
    try:
        return RollupMessage.model_validate_json(body)
    except ValidationError as error:
        raise InvalidMessage(faults(error)) from error
