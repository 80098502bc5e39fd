"""PUT /tenants/{tenant_id}: creates or changes a tenant."""

from typing import Any

from aws_lambda_powertools import Logger

from invoicing.accounts.account import InvalidAccount, Tenant
from invoicing.accounts.account_item import AccountNumberTaken
from invoicing.accounts.account_json import tenant_json
from invoicing.accounts.form_fields import InvalidForm, read_form
from invoicing.accounts.tenant_form import TenantForm
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    conflict,
    json_body,
    needed_from_path,
    query_parameters,
)
from invoicing.api.preconditions import precondition, written_response
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import write_version

logger = Logger(service="put_tenant")


def _tenant(body: Any, tenant_id: str) -> Tenant:
    try:
        return read_form(TenantForm, body, {"tenant_id": tenant_id}).tenant(tenant_id)
    except InvalidAccount as error:
        raise InvalidForm.of(error) from error


@api(
    logger,
    may=lambda caller: caller.is_admin,
    answers={AccountNumberTaken: lambda error: conflict({"account_number": str(error)})},
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the tenant as it is now; its account number never changes."""
    query_parameters(event, frozenset())
    tenant = _tenant(json_body(event), needed_from_path(event, "tenant_id", TENANT_ID))
    table, expected = TenantsTable(settings().accounts_table), precondition(event)
    written = write_version(
        lambda: table.get(tenant.tenant_id), lambda _: tenant, table.write, expected.allow
    )
    about = {"tenant_id": tenant.tenant_id, "version": written.stored.version}
    logger.info("tenant put", extra=about | {"outcome": written.outcome, "by": caller.subject})
    return written_response(written, tenant_json(written.stored.record))
