"""GET /tenants and /tenants/{tenant_id}: who is billed. A tenant reads only its own record."""

from aws_lambda_powertools import Logger

from invoicing.accounts.account import Tenant
from invoicing.accounts.account_json import tenant_json
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    forbidden,
    not_there,
    ok,
    path_parameter,
    query_parameters,
)
from invoicing.api.paging import PARAMETERS, Page, page_json
from invoicing.api.preconditions import stored_response
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings

logger = Logger(service="get_tenant")


def _page(after: str | None, limit: int) -> Page[Tenant]:
    name = settings().accounts_table
    ids = next(AccountsTable(name).tenant_ids(after, limit + 1))
    tenants = TenantsTable(name).several(ids[:limit])
    return tenants, ids[limit - 1] if len(ids) > limit else None


def _list(event: Event, caller: Caller) -> Response:
    if not caller.is_admin:
        raise forbidden()
    query = query_parameters(event, PARAMETERS)
    return ok(page_json(query, "tenants", "tenants", _page, tenant_json))


def _one(event: Event, caller: Caller) -> Response:
    query_parameters(event, frozenset())
    tenant_id = path_parameter(event, "tenant_id", TENANT_ID)
    if tenant_id is None or not caller.may_see(tenant_id):
        raise not_there("tenant")
    stored = TenantsTable(settings().accounts_table).get(tenant_id)
    if stored is None:
        raise not_there("tenant")
    return stored_response(stored, tenant_json(stored.record))


@api(logger, may=lambda caller: caller.may_read)
def handler(event: Event, caller: Caller) -> Response:
    """Answers a page of tenants to an admin, or one tenant; a 404 if it is not the caller's."""
    read = _one if event["resource"].endswith("/{tenant_id}") else _list
    return read(event, caller)
