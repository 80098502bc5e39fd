"""GET /month-ends/{period}/preview: what a forced run would do now; writes nothing."""

import json

from aws_lambda_powertools import Logger

from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    not_there,
    ok,
    query_parameters,
    received_at,
    scoped_tenant,
)
from invoicing.api.paging import PARAMETERS, page_json
from invoicing.api.paths import month_in_path
from invoicing.foundation.settings import settings
from invoicing.month_end.preview import Previews

logger = Logger(service="preview_month_end")


@api(logger, may=lambda caller: caller.is_admin, answers={UnknownTenant: not_there("tenant")})
def handler(event: Event, caller: Caller) -> Response:
    """Answers `{"period", "previews": [...], "next_cursor"}`, in order of tenant id."""
    query = query_parameters(event, PARAMETERS | {"tenant_id"})
    period = month_in_path(event)
    tenant_id = scoped_tenant(caller, query.get("tenant_id"))
    read = Previews.over(settings()).reader(period, received_at(event), tenant_id)
    scope = json.dumps(["previews", period.label, tenant_id])
    body = page_json(query, scope, "previews", read, dict)
    return ok({"period": period.label, **body})
