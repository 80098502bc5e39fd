"""POST /month-ends: starts a run by hand, as the schedule does on the first of the month."""

import os
from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.accounts.tenants_table import TenantsTable
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    bad_request,
    json_body,
    json_response,
    query_parameters,
    received_at,
)
from invoicing.api.paths import closed_period
from invoicing.foundation.settings import settings
from invoicing.month_end.run_request import RunRequest, read_run_request, start_event
from invoicing.month_end.send_messages import invoke_later

logger = Logger(service="request_month_end")


def _request(event: Event) -> RunRequest:
    request = read_run_request(json_body(event))
    closed_period(event, request.period)
    tenants = TenantsTable(settings().accounts_table).several(request.tenant_ids or ())
    unknown = request.unknown({tenant.tenant_id for tenant in tenants})
    if unknown:
        raise bad_request({"tenant_ids": f"no such tenant: {', '.join(unknown)}"})
    return request


@api(logger, may=lambda caller: caller.is_admin)
def handler(event: Event, caller: Caller) -> Response:
    """Answers a 202 with the run's id; start_month_end sends the run's messages afterwards."""
    query_parameters(event, frozenset())
    request = _request(event)
    run_id = event["requestContext"]["requestId"]
    start = start_event(request, run_id, received_at(event), caller.name)
    invoke_later(os.environ["START_MONTH_END_FUNCTION"], start)
    logger.info("run asked for", extra=start | {"by": caller.subject})
    return json_response(HTTPStatus.ACCEPTED, {"run_id": run_id, **request.model_dump()})
