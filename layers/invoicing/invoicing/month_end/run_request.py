"""POST /month-ends: the request, and the event that it becomes for start_month_end."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, StrictBool

from invoicing.foundation.json_input import InvalidBody, read_body
from invoicing.foundation.parsing import PeriodLabel, StrictModel, TenantId

# An asynchronous invocation takes 256 KB: this many ids of 40 characters.
MOST_TENANTS = 5000


class InvalidRunRequest(InvalidBody):
    """The request cannot be read."""


def _distinct(tenant_ids: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(tenant_ids) <= MOST_TENANTS:
        raise ValueError(f"must name 1 to {MOST_TENANTS} tenants, or be left out for all")
    return tuple(dict.fromkeys(tenant_ids))


Named = Annotated[tuple[TenantId, ...], AfterValidator(_distinct)]


class RunRequest(StrictModel):
    """A run of one closed month, for the named tenants or for all."""

    period: PeriodLabel
    tenant_ids: Named | None = None
    force: StrictBool = False
    dry_run: StrictBool = False

    def unknown(self, known: Collection[str]) -> list[str]:
        """Returns the named tenants that are not known, in order of id."""
        return sorted(set(self.tenant_ids or ()) - set(known))


def read_run_request(body: Any) -> RunRequest:
    """Reads a run request from a body; raises InvalidRunRequest with every faulty field."""
    return read_body(RunRequest, body, InvalidRunRequest)


def start_event(request: RunRequest, run_id: str, at: datetime, by: str) -> dict[str, Any]:
    """Returns the event that starts the run, with an id and a time that were set before.

    Lambda may deliver it twice, and tries it three times: it stays one run.
    """
    return {
        **request.model_dump(mode="json"),
        "run_id": run_id,
        "time": at.isoformat(),
        "by": by,
    }
