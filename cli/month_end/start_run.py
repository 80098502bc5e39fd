"""Starts a run of a month's end as POST /month-ends does: through the schedule's function."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from cli.stack.caller_identity import caller
from cli.stack.function_name import function_name
from cli.stack.stack import Stack
from cli.terminal.errors import BadInput
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.month_end.run_request import (
    InvalidRunRequest,
    RunRequest,
    read_run_request,
    start_event,
)
from quote_engine import Period

FUNCTION = "start_month_end"


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that was requested; the function sends its messages afterwards."""

    run_id: str
    request: RunRequest

    @property
    def as_json(self) -> dict[str, Any]:
        """The run as POST /month-ends answers it."""
        return {"run_id": self.run_id, **self.request.model_dump(mode="json")}


def run_request(period: Period, tenant_ids: Sequence[str] | None, force: bool) -> RunRequest:
    """The request of a run for these tenants or for everybody; raises BadInput if faulty."""
    body: dict[str, Any] = {"period": period.label, "force": force}
    try:
        return read_run_request(body | ({"tenant_ids": tenant_ids} if tenant_ids else {}))
    except InvalidRunRequest as error:
        raise BadInput(f"--{error}".replace("--tenant_ids", "--tenant")) from error


def start_run(stack: Stack, request: RunRequest, at: datetime) -> StartedRun:
    """Starts the run under the caller's name; raises BadInput for an unknown tenant."""
    known = TenantsTable(stack.settings.accounts_table).several(request.tenant_ids or ())
    if unknown := request.unknown({tenant.tenant_id for tenant in known}):
        raise BadInput(f"--tenant: no such tenant: {', '.join(unknown)}")
    run_id = uuid4().hex
    event = start_event(request, run_id, at, caller(stack).name)
    stack.client("lambda").invoke(
        FunctionName=function_name(stack.name, FUNCTION),
        InvocationType="Event",
        Payload=json.dumps(event),
    )
    return StartedRun(run_id, request)
