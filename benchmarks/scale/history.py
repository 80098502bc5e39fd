"""A rollup of a tenant who has been invoiced for a year, recorded as `benchmarks.record` does.

The workload of `make bench` has no invoices behind it, as in the first month. A year later the
rollup reads twelve invoices, and looks for late usage in the four months before.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import boto3
from moto import mock_aws

from benchmarks.environment import enter, function_variables
from benchmarks.record import recorded_rollup
from benchmarks.recorded import Recording
from benchmarks.results import InvalidBenchmark
from benchmarks.subject import message
from benchmarks.workload import ADDON, ORDINARY, PERIOD, PLAN
from invoicing.accounts import AddonChoice, AddonPrice, Subscription, Tenant
from invoicing.base_table import connection
from invoicing.invoices_table import InvoicesTable
from invoicing.pricing import Pricing
from invoicing.rollup import Outcome, Rollup
from invoicing.settings import Settings
from local.environment import REGION
from quote_engine import Period
from tests.template import resources, table_definition

TENANTS = ("northwind", "southwind")


def months_before(months: int) -> Iterator[Period]:
    """The months in front of the workload's, oldest first."""
    last = PERIOD.start.year * 12 + PERIOD.start.month - 1
    for number in range(last - months, last):
        yield Period.month(f"{number // 12:04}-{number % 12 + 1:02}")


def _issuing_rollup() -> Rollup:
    """Late usage is looked for in issued months alone: a draft's own forced run picks it up."""
    settings = Settings.from_environment(function_variables())
    settings = replace(settings, issue_immediately=True)
    return Rollup(Pricing.over(settings), InvoicesTable(settings.invoices_table), settings)


def _seed(tables: Rollup, tenant_id: str, number: str, since: date) -> None:
    tables.pricing.accounts.put_tenant(Tenant(tenant_id, tenant_id.title(), number, "gst"))
    for deployment in ORDINARY:
        addons = tuple(AddonChoice(addon.code, 1) for addon in deployment.addons)
        name = f"{tenant_id}-{deployment.name}"
        tables.pricing.accounts.put_subscription(
            Subscription(tenant_id, name, since, None, PLAN.code, 1, addons)
        )


def _use(tables: Rollup, tenant_id: str, period: Period) -> None:
    for deployment in ORDINARY:
        name = f"{tenant_id}-{deployment.name}"
        tables.pricing.usage.add(tenant_id, name, period.start, deployment.usage)


def _invoice(tables: Rollup, tenant_id: str, period: Period) -> None:
    run_at = datetime(period.end.year, period.end.month, 1, 3, tzinfo=UTC)
    told = message(tenant_id).model_copy(update={"period": period.label, "run_at": run_at})
    outcome = tables.roll_up(told).outcome
    if outcome is not Outcome.ROLLED:
        raise InvalidBenchmark(f"{tenant_id}, {period.label}: {outcome}")


def record(months: int) -> Recording:
    """April's rollup of two tenants with so many issued invoices behind them."""
    with mock_aws():
        connection.cache_clear()
        dynamodb = boto3.client("dynamodb", REGION)
        for name in resources("AWS::DynamoDB::Table"):
            dynamodb.create_table(TableName=name, **table_definition(name))
        tables = _issuing_rollup()
        tables.pricing.accounts.put_plan(PLAN, 1)
        price = AddonPrice(ADDON.code, ADDON.name, Decimal(ADDON.price))
        tables.pricing.accounts.put_addon(price, 1)
        behind = list(months_before(months))
        for number, tenant_id in enumerate(TENANTS, start=100):
            _seed(tables, tenant_id, str(number), (behind or [PERIOD])[0].start)
            for period in (*behind, PERIOD):
                _use(tables, tenant_id, period)
            for period in behind:
                _invoice(tables, tenant_id, period)
        # A process that remembers nothing, and the same process once more.
        tables = _issuing_rollup()
        cold, warm = (recorded_rollup(tables, tenant_id) for tenant_id in TENANTS)
        connection.cache_clear()
    return Recording(cold, warm)


if __name__ == "__main__":
    enter()
    print(record(int(sys.argv[1])).to_json())
