"""Runs an estimate over moto and prints every DynamoDB call that it made, as JSON.

It runs in its own process, as the rollup does: moto stays out of the one whose CPU is measured.
"""

from benchmarks.dynamodb.record import CallRecorder
from benchmarks.dynamodb.recorded import RecordedRollup, Recording
from benchmarks.harness.environment import enter, function_settings
from benchmarks.workloads.estimate_subject import TENANT, deployments, estimate
from benchmarks.workloads.workload import PERIOD, PLAN, SINCE
from benchmarks.workloads.workload_tables import workload_tables
from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.dynamodb import connection
from invoicing.pricing.tenant_month import Pricing


def _seed() -> None:
    tables = Pricing.over(function_settings())
    TenantsTable(tables.accounts.name).put(Tenant(TENANT, "Estimated", "1", "gst"))
    for deployment in deployments():
        addons = tuple(AddonChoice(addon.code, 1) for addon in deployment.addons)
        segment = Segment(TENANT, deployment.name, SINCE, None, PLAN.code, 1, addons)
        SubscriptionsTable(tables.accounts.name).put(segment)
        tables.usage.add(TENANT, deployment.name, PERIOD.start, deployment.usage)


def record() -> Recording:
    """Records one estimate, both as cold and as warm: nothing is cached between two requests."""
    with workload_tables():
        _seed()
        recorder = CallRecorder(connection().client)
        total_cents = estimate(function_settings())["to_date"]["total_cents"]
    recorded = RecordedRollup(TENANT, total_cents, tuple(recorder.calls))
    return Recording(recorded, recorded)


if __name__ == "__main__":
    enter()
    print(record().to_json())
