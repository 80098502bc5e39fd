"""GET /estimates: a tenant's running month so far, and its projection to the month's end."""

from aws_lambda_powertools import Logger

from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    bad_request,
    not_there,
    ok,
    query_parameters,
    received_at,
    scoped_tenant,
)
from invoicing.foundation.billing_calendar import period_of
from invoicing.foundation.settings import settings
from invoicing.pricing.estimates import Estimates, PeriodNotBegun
from invoicing.pricing.tenant_month import Pricing
from quote_engine import Period

logger = Logger(service="get_estimate")


def _period(text: str | None, event: Event) -> Period:
    if text is None:
        return period_of(received_at(event), settings().zone)
    try:
        return Period.month(text)
    except ValueError as error:
        raise bad_request({"period": str(error)}) from error


def _tenant_id(requested: str | None, caller: Caller) -> str:
    tenant_id = scoped_tenant(caller, requested)
    if tenant_id is None:
        raise bad_request({"tenant_id": "is needed"})
    if not caller.may_see(tenant_id):
        raise not_there("tenant")
    return tenant_id


def _estimates() -> Estimates:
    config = settings()
    return Estimates(Pricing.over(config), config.zone)


def _not_begun(error: PeriodNotBegun) -> Problem:
    return bad_request({"period": f"has not begun: {error}"})


@api(
    logger,
    may=lambda caller: caller.may_read,
    answers={PeriodNotBegun: _not_begun, UnknownTenant: not_there("tenant")},
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the estimate, marked as one."""
    query = query_parameters(event, frozenset(("tenant_id", "period")))
    tenant_id = _tenant_id(query.get("tenant_id"), caller)
    period = _period(query.get("period"), event)
    return ok(_estimates().estimate(tenant_id, period, received_at(event)))
