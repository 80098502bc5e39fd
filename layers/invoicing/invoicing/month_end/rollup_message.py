"""The messages on the rollup queue: one per tenant. Unknown fields are refused."""

from typing import Literal

from pydantic import StrictBool, ValidationError

from invoicing.foundation.parsing import (
    InvalidMessage,
    Moment,
    PeriodLabel,
    RunId,
    StrictModel,
    TenantId,
    faults,
)

MESSAGE_VERSION: Literal[1] = 1


class RollupMessage(StrictModel):
    """Invoice this tenant for this period. `run_at` is the run's time: the worker has no clock.

    `force` replaces a draft or void invoice; issued and paid ones are still refused. `dry_run`
    does everything except write.
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
        """The message as JSON, without `dry_run` if it is false.

        A worker of the previous version, which knows no dry runs, then still takes ordinary runs.
        """
        return self.model_dump_json(exclude=None if self.dry_run else {"dry_run"})


def parse_rollup_message(body: str) -> RollupMessage:
    """Reads the message of one SQS record; raises InvalidMessage naming every faulty field."""
    try:
        return RollupMessage.model_validate_json(body)
    except ValidationError as error:
        raise InvalidMessage(faults(error)) from error
