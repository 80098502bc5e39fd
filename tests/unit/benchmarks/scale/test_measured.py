"""The paper month-end's measurements: they run, and they count what DynamoDB would."""

import io
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.dynamodb.recorded import Call, RecordedRollup, Recording
from benchmarks.harness.environment import function_variables
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.harness.timing import Effort
from benchmarks.scale.measured import history, measured
from benchmarks.scale.measured.around import count
from benchmarks.scale.measured.rollup_cost import RollupCost, _Log, batch_event, rollup_cost
from benchmarks.scale.measured.start_cost import start_cost
from benchmarks.scale.measured.tenant_cost import units
from benchmarks.workloads.workload import BUSY, ORDINARY, SampleDeployment
from invoicing.foundation.dynamodb import connection
from invoicing.foundation.settings import settings

TINY = Effort(rounds=1, turns=1, turn_us=50)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording.from_json(history.record(2).to_json())


@pytest.fixture
def as_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in function_variables().items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def test_the_months_behind_are_those_before_the_workloads() -> None:
    assert [period.label for period in history.months_before(5)] == [
        *("2025-11", "2025-12", "2026-01", "2026-02", "2026-03")
    ]


def test_a_tenant_with_invoices_behind_it_reads_their_usage_again(recording: Recording) -> None:
    used = units(recording.warm)
    # Two deployments, for the month itself and the two issued ones before it.
    assert used.reads == {"AccountsTable": 1, "InvoicesTable": 1, "UsageTable": 6}
    assert used.writes == {"InvoicesTable": 2, "InvoicesTable/period": 1}


def _call(operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Call:
    return Call(operation, {"TableName": "InvoicesTable", **request}, answer)


def test_a_projection_saves_no_units() -> None:
    # An invoice of a little over 2,000 bytes; twelve are read, and ten bytes of each come back.
    item = {"tenant_id": {"S": "a"}, "period_start": {"S": "b"}, "lines": {"S": "x" * 2000}}
    query = _call(
        "Query",
        {"ConsistentRead": True, "ProjectionExpression": "tenant_id"},
        {"Items": [{"tenant_id": {"S": "a"}}] * 12},
    )
    put = _call("PutItem", {"Item": item}, {})
    used = units(RecordedRollup("a", 0, (query, put)))
    # 12 x 2,028 bytes are 24,336: six times 4,096, the last in part.
    assert used.reads == {"InvoicesTable": 6}
    assert used.writes == {"InvoicesTable": 2}


def test_a_transaction_writes_twice_its_units() -> None:
    item = {"tenant_id": {"S": "a"}, "period_start": {"S": "2026-04"}}
    puts = [{"Put": {"TableName": "InvoicesTable", "Item": item}}] * 2
    call = Call("TransactWriteItems", {"TransactItems": puts}, {})
    assert units(RecordedRollup("a", 0, (call,))).writes == {"InvoicesTable": 4}


@pytest.mark.usefixtures("as_deployed")
def test_a_batch_of_the_real_handler_is_timed_and_its_log_counted(
    recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = rollup_cost(recording, 3, TINY)
    assert cost.cpu_ms > 0
    # A line for each tenant, and one of metrics.
    assert cost.log_lines == 4
    assert cost.log_bytes > 500
    assert capsys.readouterr().out == ""
    assert connection.cache_info().currsize == 0


@pytest.mark.usefixtures("as_deployed")
def test_a_batch_that_fails_is_not_timed(recording: Recording) -> None:
    unknown = Recording(recording.cold, RecordedRollup("nobody", 0, recording.warm.calls))
    with pytest.raises(InvalidBenchmark, match="failed over its recorded answers"):
        rollup_cost(unknown, 1, TINY)


def test_a_batch_is_as_large_as_it_should_be() -> None:
    records = batch_event("northwind", 10)["Records"]
    assert len({record["messageId"] for record in records}) == 10


def test_the_start_lists_and_sends_a_page() -> None:
    cost = start_cost(TINY)
    assert cost.list_ms > 0
    assert cost.send_ms > 0
    # A thousand entries of about forty bytes, read at half a unit for each 4 KB.
    assert 0.003 < cost.list_units < 0.008


def test_a_tenants_cost_is_a_batchs_by_its_size(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "rollup_cost", lambda *_: RollupCost(50, 11, 4000))
    cost = measured.tenant_cost(recording, 2, 10, TINY)
    assert (cost.cpu_ms, cost.log_lines, cost.log_bytes) == (5, 1.1, 400)
    assert cost.calls == ("Query", "Query", "BatchGetItem", "PutItem")


def test_what_cannot_be_recorded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(InvalidBenchmark, match="could not be recorded"):
        measured.recording_of(0)


def test_the_log_is_counted_without_its_line_ends() -> None:
    log: io.TextIOBase = _Log()
    print("four", file=log)
    assert vars(log) == {"lines": 1, "bytes": 4}


@pytest.mark.usefixtures("as_deployed")
@pytest.mark.parametrize(
    ("deployments", "units"),
    [
        # An invoice of under 2 KB, its entry in the index and in its history: 4, transacted.
        (ORDINARY, 8),
        # With ten lines it takes 3 KB.
        (BUSY, 10),
    ],
)
def test_issuing_an_invoice_is_counted(
    deployments: tuple[SampleDeployment, ...], units: int
) -> None:
    counted = count(deployments)
    # The draft, and then its findings.
    assert (counted.issue_reads, counted.issue_writes) == (2, units)
    # Who owns the deployment; an event to tell repeats by, the day's and the month's total.
    assert (counted.event_reads, counted.event_writes) == (1, 6)
