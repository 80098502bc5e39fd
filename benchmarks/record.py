"""Runs a cold and a warm rollup over moto and prints every DynamoDB call they made, as JSON."""

import json
from decimal import Decimal
from typing import Any

import boto3
from moto import mock_aws

from benchmarks.environment import enter
from benchmarks.recorded import Call, Recording
from benchmarks.recorded import Rollup as RecordedRollup
from benchmarks.results import InvalidBenchmark
from benchmarks.subject import message, rollup
from benchmarks.workload import ADDON, ORDINARY, PERIOD, PLAN, SINCE
from invoicing.accounts import AddonChoice, AddonPrice, Subscription, Tenant
from invoicing.base_table import connection
from invoicing.rollup import Outcome, Rollup
from local.environment import REGION
from quote_engine import Period
from tests.template import resources, table_definition

TENANTS = ("northwind", "southwind")
LINES = 5


class CallRecorder:
    """Botocore's own events, one pair for each HTTP request that it makes."""

    def __init__(self, client: Any) -> None:
        self.calls: list[Call] = []
        self._sent: list[tuple[str, dict[str, Any]]] = []
        client.meta.events.register_first("before-send.dynamodb", self._before_send)
        client.meta.events.register("response-received.dynamodb", self._received)

    def _before_send(self, event_name: str, request: Any, **_: Any) -> None:
        self._sent.append((event_name.rpartition(".")[2], json.loads(request.body)))

    def _received(self, response_dict: dict[str, Any], **_: Any) -> None:
        operation, request = self._sent.pop()
        self.calls.append(Call(operation, request, json.loads(response_dict["body"])))


def seed(tables: Rollup, tenant_id: str, number: str) -> None:
    """A tenant with the workload's deployments, and April's usage."""
    tables.pricing.accounts.put_tenant(Tenant(tenant_id, tenant_id.title(), number, "gst"))
    for deployment in ORDINARY:
        deployment_id = f"{tenant_id}-{deployment.name}"
        subscription = Subscription(
            tenant_id=tenant_id,
            deployment_id=deployment_id,
            starts_on=SINCE,
            ends_on=None,
            plan_code=PLAN.code,
            plan_version=1,
            addons=tuple(AddonChoice(addon.code, 1) for addon in deployment.addons),
        )
        tables.pricing.accounts.put_subscription(subscription)
        tables.pricing.usage.add(tenant_id, deployment_id, PERIOD.start, deployment.usage)


def recorded_rollup(tables: Rollup, tenant_id: str) -> RecordedRollup:
    """One tenant's rollup with its calls; raises InvalidBenchmark unless it wrote five lines."""
    recorder = CallRecorder(connection().client)
    result = tables.roll_up(message(tenant_id))
    calls = tuple(recorder.calls)
    written = tables.invoices.get(tenant_id, Period.month(PERIOD.label))
    if result.outcome is not Outcome.ROLLED or len(written.lines) != LINES:
        raise InvalidBenchmark(f"{tenant_id}: {result.outcome}, {len(written.lines)} lines")
    return RecordedRollup(tenant_id, written.header.total_cents, calls)


def record() -> Recording:
    """One rollup that finds nothing remembered, and one more by the same process."""
    with mock_aws():
        connection.cache_clear()
        dynamodb = boto3.client("dynamodb", REGION)
        for name in resources("AWS::DynamoDB::Table"):
            dynamodb.create_table(TableName=name, **table_definition(name))
        tables = rollup()
        tables.pricing.accounts.put_plan(PLAN, 1)
        tables.pricing.accounts.put_addon(
            AddonPrice(ADDON.code, ADDON.name, Decimal(ADDON.price)), 1
        )
        for number, tenant_id in enumerate(TENANTS, start=100):
            seed(tables, tenant_id, str(number))
        cold, warm = (recorded_rollup(tables, tenant_id) for tenant_id in TENANTS)
        connection.cache_clear()
    return Recording(cold, warm)


if __name__ == "__main__":
    enter()
    print(record().to_json())
