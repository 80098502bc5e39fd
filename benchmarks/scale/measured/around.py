"""Counts over moto what surrounds a month-end: issuing a draft, and a usage event alone in a call.

Run as a child process, so that moto stays out of the process that is measured.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from benchmarks.dynamodb.capacity import TRANSACTION_FACTOR, read_units
from benchmarks.dynamodb.changed import changed_units, snapshot
from benchmarks.dynamodb.record import CallRecorder
from benchmarks.dynamodb.replay import READS
from benchmarks.harness.environment import enter, function_settings
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.workloads.subject import RUN_AT, message, rollup
from benchmarks.workloads.workload import KINDS, ORDINARY, PERIOD, SINCE, SampleDeployment
from benchmarks.workloads.workload_tables import seed, workload_tables
from invoicing.foundation.audit import Actor
from invoicing.foundation.dynamodb import connection
from invoicing.invoices.invoice import Header, InvoiceStatus, Issue
from invoicing.invoices.lifecycle import Action, ChangeRequest, InvoiceChange
from invoicing.invoices.lifecycle_table import LifecycleTable
from invoicing.usage.metering import metering
from invoicing.usage.usage_event import UsageOutcome
from local.environment import ROOT

TENANT = "northwind"
RECEIVED = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Around:
    """Read and write units of one invoice's issue, and of one usage event alone in its call."""

    issue_reads: float
    issue_writes: float
    event_reads: float
    event_writes: float


def _counted(act: Callable[[], None]) -> tuple[float, int]:
    """Returns the read and the write units of something that writes in one transaction."""
    client = connection().client
    before, recorder = snapshot(client), CallRecorder(client)
    act()
    calls = tuple(recorder.calls)
    writes = [call.operation for call in calls if call.operation not in READS]
    if writes != ["TransactWriteItems"]:
        raise InvalidBenchmark(f"not one transaction: {writes}")
    written = TRANSACTION_FACTOR * changed_units(before, snapshot(client))
    return sum(map(read_units, calls)), written


def _issue(draft: Header) -> None:
    settings = function_settings()
    table = LifecycleTable(settings.invoices_table)
    request = ChangeRequest(revision=draft.revision, fingerprint=draft.fingerprint, reason=None)
    change = InvoiceChange(
        Action.ISSUE, request, Actor("benchmark", "Benchmark"), RUN_AT, Issue.at(RUN_AT, settings)
    )
    if table.change(TENANT, PERIOD, change).status is not InvoiceStatus.ISSUED:
        raise InvalidBenchmark("issue: the draft was not issued")


def _use_one() -> None:
    event = {
        "id": "018f3c2a-7d0e-4e0f-9a39-000000000001",
        "source": "collector-1",
        "deployment_id": f"{TENANT}-{ORDINARY[0].name}",
        "resource_kind": KINDS[0],
        "quantity": "1",
        "occurred_at": "2026-04-30T23:00:00Z",
    }
    (result,) = metering().record([event], RECEIVED)
    if result.outcome is not UsageOutcome.ACCEPTED:
        raise InvalidBenchmark(f"usage: {result.outcome}, {result.reason}")


def count(deployments: tuple[SampleDeployment, ...] = ORDINARY) -> Around:
    """Invoices these deployments of one tenant, issues the draft, and adds an event."""
    with workload_tables():
        subject = rollup()
        seed(subject.pricing, TENANT, "100", SINCE)
        for deployment in deployments:
            name = f"{TENANT}-{deployment.name}"
            subject.pricing.usage.add(TENANT, name, PERIOD.start, deployment.usage)
        subject.roll_up(message(TENANT))
        draft = subject.invoices.get(TENANT, PERIOD).header
        return Around(*_counted(lambda: _issue(draft)), *_counted(_use_one))


def count_apart() -> Around:
    """Counts in a child process; raises InvalidBenchmark with the child's error output."""
    command = [sys.executable, "-m", "benchmarks.scale.measured.around"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidBenchmark(f"issuing and usage could not be counted:\n{done.stderr}")
    return Around(**json.loads(done.stdout))


if __name__ == "__main__":
    enter()
    print(json.dumps(asdict(count())))
