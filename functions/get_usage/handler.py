"""GET /usage: a deployment's counted usage, day by day, for the tenant that it belongs to."""

import re

from aws_lambda_powertools import Logger

from invoicing.accounts.account import DEPLOYMENT_ID
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.api.access import Caller
from invoicing.api.http import Event, Response, api, bad_request, not_there, ok, query_parameters
from invoicing.foundation.settings import settings
from invoicing.usage.corrections_table import CorrectionsTable
from invoicing.usage.usage_json import usage_json
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period

PARAMETERS = ("deployment_id", "period")

logger = Logger(service="get_usage")


def _wanted(event: Event) -> tuple[str, Period]:
    query = query_parameters(event, frozenset(PARAMETERS))
    errors = {name: "is needed" for name in PARAMETERS if name not in query}
    if "period" in query:
        try:
            period = Period.month(query["period"])
        except ValueError as error:
            errors["period"] = str(error)
    if errors:
        raise bad_request(errors)
    return query["deployment_id"], period


@api(logger, may=lambda caller: caller.may_read)
def handler(event: Event, caller: Caller) -> Response:
    """Answers days, totals and corrections; a deployment that is not the caller's gets a 404."""
    deployment_id, period = _wanted(event)
    valid = re.fullmatch(DEPLOYMENT_ID, deployment_id)
    owners = AccountsTable(settings().accounts_table).owners([deployment_id] if valid else [])
    owner = owners.get(deployment_id)
    if owner is None or not caller.may_see(owner):
        raise not_there("deployment")
    table_name = settings().usage_table
    month = UsageTable(table_name).days(deployment_id, period)
    corrections = CorrectionsTable(table_name).of_month(deployment_id, period)
    return ok(usage_json(deployment_id, period, month, corrections, whole=caller.is_admin))
