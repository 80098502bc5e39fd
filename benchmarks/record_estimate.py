"""Runs an estimate over moto and prints every DynamoDB call that it made, as JSON.

A process of its own, as for the rollup: moto stays out of the one in which CPU time is measured.
"""

import boto3
from moto import mock_aws

from benchmarks.environment import enter, function_settings
from benchmarks.estimate_subject import TENANT, deployments, estimate
from benchmarks.record import CallRecorder
from benchmarks.recorded import Recording, Rollup
from benchmarks.workload import ADDON, PERIOD, PLAN, SINCE
from invoicing.accounts import AddonChoice, AddonPrice, Subscription, Tenant
from invoicing.base_table import connection
from invoicing.pricing import Pricing
from local.environment import REGION
from tests.template import resources, table_definition


def _seed() -> None:
    tables = Pricing.over(function_settings())
    tables.accounts.put_plan(PLAN, 1)
    tables.accounts.put_addon(AddonPrice(ADDON.code, ADDON.name, ADDON.price), 1)
    tables.accounts.put_tenant(Tenant(TENANT, "Estimated", "1", "gst"))
    for each in deployments():
        addons = tuple(AddonChoice(addon.code, 1) for addon in each.addons)
        taken = Subscription(TENANT, each.name, SINCE, None, PLAN.code, 1, addons)
        tables.accounts.put_subscription(taken)
        tables.usage.add(TENANT, each.name, PERIOD.start, each.usage)


def record() -> Recording:
    """One estimate. A request remembers nothing of the one before, so cold and warm are alike."""
    with mock_aws():
        connection.cache_clear()
        dynamodb = boto3.client("dynamodb", REGION)
        for name in resources("AWS::DynamoDB::Table"):
            dynamodb.create_table(TableName=name, **table_definition(name))
        _seed()
        recorder = CallRecorder(connection().client)
        total_cents = estimate(function_settings())["to_date"]["total_cents"]
        connection.cache_clear()
    found = Rollup(TENANT, total_cents, tuple(recorder.calls))
    return Recording(found, found)


if __name__ == "__main__":
    enter()
    print(record().to_json())
