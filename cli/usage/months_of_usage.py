"""What is counted of a deployment, or of all deployments of a tenant, in a month."""

from collections.abc import Iterable, Iterator
from typing import Any

from cli.stack.stack import Stack
from cli.terminal.errors import BadInput, NotAllowed
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.usage.corrections_table import CorrectionsTable
from invoicing.usage.usage_json import usage_json
from invoicing.usage.usage_table import InvalidUsage, UsageTable
from quote_engine import Period


def month_of_deployment(stack: Stack, name: str, period: Period) -> dict[str, Any]:
    """Returns the month of a deployment as GET /usage shows it to an admin.

    Raises BadInput for a deployment that is not known, and NotAllowed for usage that is none.
    """
    if name not in stack.accounts.owners([name]):
        raise BadInput(f"no deployment {name} is known")
    [month] = _months(stack, [name], period)
    return month


def months_of_tenant(stack: Stack, tenant_id: str, period: Period) -> dict[str, Any]:
    """Returns the month of each deployment that the tenant has or had, also if it was taken back.

    Raises BadInput for an unknown tenant, and NotAllowed for usage that is none.
    """
    try:
        account = stack.accounts.account(tenant_id)
    except UnknownTenant as error:
        raise BadInput(str(error)) from error
    names = {segment.deployment_id for segment in account.segments} | account.unsubscribed
    months = list(_months(stack, sorted(names), period))
    return {"tenant_id": tenant_id, "period": period.label, "deployments": months}


def _months(stack: Stack, names: Iterable[str], period: Period) -> Iterator[dict[str, Any]]:
    name_of_table = stack.settings.usage_table
    usage, corrections = UsageTable(name_of_table), CorrectionsTable(name_of_table)
    try:
        for name in names:
            month, corrected = usage.days(name, period), corrections.of_month(name, period)
            yield usage_json(name, period, month, corrected, whole=True)
    except InvalidUsage as error:
        raise NotAllowed(str(error)) from error
