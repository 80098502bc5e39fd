"""Runs a cold and a warm rollup over moto and prints every DynamoDB call they made, as JSON."""

import json
from typing import Any

from benchmarks.dynamodb.recorded import Call, RecordedRollup, Recording
from benchmarks.harness.environment import enter
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.workloads.subject import message, rollup
from benchmarks.workloads.workload import PERIOD, SINCE
from benchmarks.workloads.workload_tables import seed, use, workload_tables
from invoicing.foundation.dynamodb import connection
from invoicing.month_end.rollup import Rollup, RollupOutcome
from quote_engine import Period

TENANTS = ("northwind", "southwind")
LINES = 5


class CallRecorder:
    """Collects a client's calls from botocore's events, one pair for each HTTP request."""

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


def recorded_rollup(subject: Rollup, tenant_id: str) -> RecordedRollup:
    """Rolls up a tenant and returns the calls; raises InvalidBenchmark unless it wrote 5 lines."""
    recorder = CallRecorder(connection().client)
    result = subject.roll_up(message(tenant_id))
    calls = tuple(recorder.calls)
    written = subject.invoices.get(tenant_id, Period.month(PERIOD.label))
    if result.outcome is not RollupOutcome.ROLLED or len(written.lines) != LINES:
        raise InvalidBenchmark(f"{tenant_id}: {result.outcome}, {len(written.lines)} lines")
    return RecordedRollup(tenant_id, written.header.total_cents, calls)


def record() -> Recording:
    """Records a rollup with nothing cached, and one more in the same process."""
    with workload_tables():
        subject = rollup()
        for number, tenant_id in enumerate(TENANTS, start=100):
            seed(subject.pricing, tenant_id, str(number), SINCE)
            use(subject.pricing, tenant_id, PERIOD)
        cold, warm = (recorded_rollup(subject, tenant_id) for tenant_id in TENANTS)
    return Recording(cold, warm)


if __name__ == "__main__":
    enter()
    print(record().to_json())
