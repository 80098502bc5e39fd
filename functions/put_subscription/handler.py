"""Writes a deployment's subscription: PUT it whole, or POST .../changes and .../end."""

from aws_lambda_powertools import Logger

from invoicing.accounts.account import DEPLOYMENT_ID
from invoicing.accounts.account_item import DeploymentTaken
from invoicing.accounts.account_json import deployment_json
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.accounts.deployments import Deployment
from invoicing.accounts.form_fields import read_form
from invoicing.accounts.subscription_form import ChangeForm, DeploymentForm, EndForm
from invoicing.accounts.subscriptions import Subscriptions, UnknownDeployment
from invoicing.accounts.subscriptions_table import TooManyChanges
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    bad_request,
    conflict,
    json_body,
    needed_from_path,
    not_there,
    query_parameters,
)
from invoicing.api.preconditions import precondition, written_response
from invoicing.foundation.parsing import TENANT_ID
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import Written

logger = Logger(service="put_subscription")


def _write(event: Event, tenant_id: str, deployment_id: str) -> Written[Deployment]:
    subscriptions = Subscriptions.over(settings().accounts_table)
    body, allow = json_body(event), precondition(event).allow
    from_path = {"tenant_id": tenant_id, "deployment_id": deployment_id}
    match event["resource"].rpartition("/")[2]:
        case "changes":
            change = read_form(ChangeForm, body, {})
            return subscriptions.change(tenant_id, deployment_id, change, allow)
        case "end":
            end = read_form(EndForm, body, {})
            return subscriptions.end(tenant_id, deployment_id, end, allow)
        case _:
            whole = read_form(DeploymentForm, body, from_path)
            return subscriptions.put(tenant_id, deployment_id, whole, allow)


@api(
    logger,
    may=lambda caller: caller.is_admin,
    answers={
        UnknownTenant: not_there("tenant"),
        UnknownDeployment: not_there("deployment"),
        TooManyChanges: lambda error: bad_request({"segments": str(error)}),
        DeploymentTaken: lambda error: conflict({"deployment_id": str(error)}),
    },
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the deployment with all of its segments as they are now."""
    query_parameters(event, frozenset())
    tenant_id = needed_from_path(event, "tenant_id", TENANT_ID)
    deployment_id = needed_from_path(event, "deployment_id", DEPLOYMENT_ID)
    written = _write(event, tenant_id, deployment_id)
    about = {"tenant_id": tenant_id, "deployment_id": deployment_id, "outcome": written.outcome}
    version = {"version": written.stored.version, "by": caller.subject}
    logger.info("subscription put", extra=about | version)
    return written_response(written, deployment_json(written.stored.record))
