"""The template's tables over moto, with the workload's catalogue and customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import boto3
from moto import mock_aws

from benchmarks.harness.environment import function_settings
from benchmarks.workloads.workload import ADDON, ORDINARY, PLAN
from invoicing.accounts.account import AddonPrice, Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.dynamodb import connection
from invoicing.pricing.tenant_month import Pricing
from local.environment import REGION
from local.template import resources, table_definition
from quote_engine import Period


@contextmanager
def workload_tables() -> Iterator[None]:
    """Creates tables that hold the workload's plan and add-on and nothing else."""
    with mock_aws():
        connection.cache_clear()
        dynamodb = boto3.client("dynamodb", REGION)
        for name in resources("AWS::DynamoDB::Table"):
            dynamodb.create_table(TableName=name, **table_definition(name))
        accounts = AccountsTable(function_settings().accounts_table)
        PriceVersions(accounts.name, PLANS).put(PLAN, 1)
        PriceVersions(accounts.name, ADDONS).put(
            AddonPrice(ADDON.code, ADDON.name, ADDON.price), 1
        )
        yield
        connection.cache_clear()


def seed(tables: Pricing, tenant_id: str, number: str, since: date) -> None:
    """Stores a tenant with the workload's deployments from this day on."""
    TenantsTable(tables.accounts.name).put(Tenant(tenant_id, tenant_id.title(), number, "gst"))
    for deployment in ORDINARY:
        addons = tuple(AddonChoice(addon.code, 1) for addon in deployment.addons)
        name = f"{tenant_id}-{deployment.name}"
        SubscriptionsTable(tables.accounts.name).put(
            Segment(tenant_id, name, since, None, PLAN.code, 1, addons)
        )


def use(tables: Pricing, tenant_id: str, period: Period) -> None:
    """Stores the tenant's usage of a month."""
    for deployment in ORDINARY:
        name = f"{tenant_id}-{deployment.name}"
        tables.usage.add(tenant_id, name, period.start, deployment.usage)
