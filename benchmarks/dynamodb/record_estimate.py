"""Runs an estimate over moto and prints every DynamoDB call that it made, as JSON.

A process of its own, as for the rollup: moto stays out of the one in which CPU time is measured.
"""

from benchmarks.dynamodb.record import CallRecorder
from benchmarks.dynamodb.recorded import RecordedRollup, Recording
from benchmarks.harness.environment import enter, function_settings
from benchmarks.workloads.estimate_subject import TENANT, deployments, estimate
from benchmarks.workloads.workload import PERIOD, PLAN, SINCE
from benchmarks.workloads.workload_tables import workload_tables
from invoicing.accounts.account import AddonChoice, Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.dynamodb import connection
from invoicing.pricing.tenant_month import Pricing


def _seed() -> None:
    tables = Pricing.over(function_settings())
    TenantsTable(tables.accounts.name).put(Tenant(TENANT, "Estimated", "1", "gst"))
    for each in deployments():
        addons = tuple(AddonChoice(addon.code, 1) for addon in each.addons)
        taken = Segment(TENANT, each.name, SINCE, None, PLAN.code, 1, addons)
        SubscriptionsTable(tables.accounts.name).put(taken)
        tables.usage.add(TENANT, each.name, PERIOD.start, each.usage)


def record() -> Recording:
    """One estimate. A request remembers nothing of the one before, so cold and warm are alike."""
    with workload_tables():
        _seed()
        recorder = CallRecorder(connection().client)
        total_cents = estimate(function_settings())["to_date"]["total_cents"]
    found = RecordedRollup(TENANT, total_cents, tuple(recorder.calls))
    return Recording(found, found)


if __name__ == "__main__":
    enter()
    print(record().to_json())
