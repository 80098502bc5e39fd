"""GET /month-ends/{period}/preview: what a forced run would do now, and nothing written."""

import json
from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    json_response,
    not_there,
    query_parameters,
    received_at,
    scoped_tenant,
)
from invoicing.api.paging import PARAMETERS, page_document
from invoicing.api.paths import month_in_path
from invoicing.foundation.settings import settings
from invoicing.month_end.preview import Previews

logger = Logger(service="preview_month_end")


@api(logger, may=lambda caller: caller.is_admin)
def handler(event: Event, caller: Caller) -> Response:
    """Answers `{"period", "previews": [...], "next_cursor"}`, in order of tenant id."""
    query = query_parameters(event, PARAMETERS | {"tenant_id"})
    period = month_in_path(event)
    tenant_id = scoped_tenant(caller, query.get("tenant_id"))
    read = Previews.over(settings()).reader(period, received_at(event), tenant_id)
    scope = json.dumps(["previews", period.label, tenant_id])
    try:
        document = page_document(query, scope, "previews", read, dict)
    except UnknownTenant as error:
        raise not_there("tenant") from error
    return json_response(HTTPStatus.OK, {"period": period.label, **document})
