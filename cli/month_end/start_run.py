"""Starts a run of a month's end, as POST /month-ends does: by the function of the schedule."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from cli.stack.caller import caller
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
    """A run that was asked for: its messages are sent by the function, after this."""

    run_id: str
    request: RunRequest

    @property
    def document(self) -> dict[str, Any]:
        """What POST /month-ends answers."""
        return {"run_id": self.run_id, **self.request.model_dump(mode="json")}


def run_request(period: Period, tenant_ids: Sequence[str] | None, force: bool) -> RunRequest:
    """The order of a run for these tenants or for everybody; raises BadInput."""
    request: dict[str, Any] = {"period": period.label, "force": force}
    try:
        return read_run_request(request | ({"tenant_ids": tenant_ids} if tenant_ids else {}))
    except InvalidRunRequest as error:
        raise BadInput(f"--{error}".replace("--tenant_ids", "--tenant")) from error


def start_run(stack: Stack, request: RunRequest, at: datetime) -> StartedRun:
    """Has the run started, under the caller's name; raises BadInput for an unknown tenant."""
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
