"""GET .../subscriptions and .../subscriptions/{deployment_id}: what a tenant is billed for."""

from aws_lambda_powertools import Logger

from invoicing.accounts.account import DEPLOYMENT_ID
from invoicing.accounts.account_item import DeploymentTaken
from invoicing.accounts.account_json import deployment_json, listed_segment_json
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    not_there,
    ok,
    path_parameter,
    query_parameters,
)
from invoicing.api.paging import PARAMETERS, page_json
from invoicing.api.preconditions import stored_response
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings

logger = Logger(service="get_subscription")


def _list(event: Event, tenant_id: str) -> Response:
    query, name = query_parameters(event, PARAMETERS), settings().accounts_table
    table = SubscriptionsTable(name)
    body = page_json(
        query,
        f"subscriptions {tenant_id}",
        "subscriptions",
        lambda after, limit: table.page(tenant_id, after, limit),
        listed_segment_json,
    )
    if not body["subscriptions"] and TenantsTable(name).get(tenant_id) is None:
        raise not_there("tenant")
    return ok(body)


def _one(event: Event, tenant_id: str) -> Response:
    query_parameters(event, frozenset())
    deployment_id = path_parameter(event, "deployment_id", DEPLOYMENT_ID)
    if deployment_id is None:
        raise not_there("deployment")
    stored = SubscriptionsTable(settings().accounts_table).get(tenant_id, deployment_id)
    if stored is None:
        raise not_there("deployment")
    return stored_response(stored, deployment_json(stored.record))


@api(
    logger,
    may=lambda caller: caller.may_read,
    answers={DeploymentTaken: not_there("deployment")},
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers a page of a tenant's segments, or one deployment's; another tenant's get a 404."""
    tenant_id = path_parameter(event, "tenant_id", TENANT_ID)
    names_deployment = event["resource"].endswith("/{deployment_id}")
    if tenant_id is None or not caller.may_see(tenant_id):
        raise not_there("deployment" if names_deployment else "tenant")
    return _one(event, tenant_id) if names_deployment else _list(event, tenant_id)
