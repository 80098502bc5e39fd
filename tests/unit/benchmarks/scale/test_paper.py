"""The month-end on paper: figures worked out by hand from round numbers."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.scale.measured.around import Around
from benchmarks.scale.measured.measured import Measured, TenantCost
from benchmarks.scale.measured.start_cost import StartCost
from benchmarks.scale.paper.cost import around_costs, costs, total
from benchmarks.scale.paper.deployment import DeployedSizes, deployment
from benchmarks.scale.paper.model import (
    Scenario,
    batch_seconds,
    concurrency_for,
    page_seconds,
    run,
    sent_after,
    start_seconds,
    table_rates,
    worker_rate,
    workers,
)
from benchmarks.scale.paper.parameters import Assumptions, Limits, Prices, named
from benchmarks.scale.paper.stages import needs, saturation, stages

CALLS = ("Query", "Query", "BatchGetItem", "PutItem")
FIRST = TenantCost(
    months=0,
    cpu_ms=5,
    calls=CALLS,
    reads={"AccountsTable": 1, "InvoicesTable": 1, "UsageTable": 2},
    writes={"InvoicesTable": 2, "InvoicesTable/period": 1},
    log_lines=1.1,
    log_bytes=400,
)
LATER = replace(
    FIRST,
    months=12,
    cpu_ms=8,
    reads={"AccountsTable": 1, "InvoicesTable": 5, "UsageTable": 10},
)
# Half a vCPU each, so that CPU time of this machine counts twice.
DEPLOYED = DeployedSizes(concurrency=50, batch=10, rollup_mb=500, start_mb=500, start_window=270)
LIMITS = Limits(vcpu_mb=1000)
# Two queries of 5 ms, 8 ms and 7 ms: 25 ms of waiting.
ASSUMED = Assumptions(
    query_ms=5, batch_get_ms=8, put_ms=7, poll_gap_ms=50, list_page_ms=15, send_batch_ms=15
)
AROUND = Around(issue_reads=2, issue_writes=10, event_reads=1, event_writes=6)
START = StartCost(list_ms=30, send_ms=100, list_units=0.005)
MEASURED = Measured(FIRST, LATER, START, 700, AROUND)
SCENARIO = Scenario(1_000_000, 50, False, DEPLOYED, MEASURED, LIMITS, ASSUMED)
GROWN = replace(SCENARIO, warm=True)


def test_a_batch_computes_at_its_share_of_a_vcpu_and_waits_for_each_call_in_turn() -> None:
    # Ten tenants of 5 ms x 2 and 25 ms; a year on of 8 ms x 2 and 25 ms.
    assert batch_seconds(SCENARIO) == pytest.approx(0.35)
    assert batch_seconds(GROWN) == pytest.approx(0.41)


def test_more_memory_than_a_vcpu_does_not_help_one_thread() -> None:
    large = replace(SCENARIO, deployment=replace(DEPLOYED, rollup_mb=4000))
    assert batch_seconds(large) == pytest.approx(0.30)


def test_a_worker_pauses_between_batches() -> None:
    # Ten tenants in 350 + 50 ms.
    assert worker_rate(SCENARIO, 1) == pytest.approx(25)
    assert worker_rate(SCENARIO, 50) == pytest.approx(1250)


def test_pollers_begin_with_five_and_grow_by_three_hundred_a_minute() -> None:
    many = SCENARIO.with_concurrency(1000)
    assert workers(many, 0) == 5
    assert workers(many, 60) == 305
    # The account has a thousand executions, and the start takes one of them.
    assert workers(many, 600) == 999
    assert workers(SCENARIO, 60) == 50


def test_the_start_computes_in_one_interpreter_however_many_threads_wait() -> None:
    # 30 ms x 2 + 15 for the list, 100 ms x 2 for a hundred batches, 15 until the last is there.
    assert page_seconds(SCENARIO) == pytest.approx(0.290)
    # A whole vCPU still computes 100 ms; ten rounds of ten threads would wait 150.
    whole = replace(SCENARIO, deployment=replace(DEPLOYED, start_mb=1000))
    assert page_seconds(whole) == pytest.approx(0.030 + 0.015 + 0.150 + 0.015)


def test_the_start_hands_over_before_its_time_is_up() -> None:
    # A thousand pages of 290 ms are 290 s: two invocations of at most 270 s, each with 2 s lost.
    assert start_seconds(SCENARIO) == pytest.approx(294)
    assert sent_after(SCENARIO, 2) == 0
    assert sent_after(SCENARIO, 31) == pytest.approx(100_000)
    assert sent_after(SCENARIO, 272) == sent_after(SCENARIO, 274)
    assert sent_after(SCENARIO, 294) == pytest.approx(1_000_000)
    assert sent_after(SCENARIO, 5_000) == 1_000_000


def test_a_new_table_shares_its_units_between_reads_and_writes() -> None:
    rates = table_rates(SCENARIO, 0)
    # 2 of 4,000 and 1 of 12,000.
    assert rates["InvoicesTable"] == pytest.approx(12_000 / 7)
    assert rates["UsageTable"] == pytest.approx(6_000)
    # Seven of the sixteen keys on one partition of 1,000.
    assert rates["InvoicesTable/period"] == pytest.approx(16_000 / 7)


def test_a_new_table_doubles_with_each_half_hour() -> None:
    assert table_rates(SCENARIO, 1799)["UsageTable"] == pytest.approx(6_000)
    assert table_rates(SCENARIO, 1800)["UsageTable"] == pytest.approx(12_000)
    # And never beyond the quota of 40,000 for two units a tenant.
    assert table_rates(SCENARIO, 36_000)["UsageTable"] == pytest.approx(20_000)


def test_a_grown_table_has_its_quota_and_the_index_its_sixteen_keys() -> None:
    assert table_rates(GROWN, 0) == pytest.approx(
        {
            "AccountsTable": 40_000,
            "InvoicesTable": 8_000,
            "InvoicesTable/period": 16_000,
            "UsageTable": 4_000,
        }
    )


def test_with_fifty_workers_a_million_tenants_wait_for_workers() -> None:
    fifty = run(SCENARIO)
    # 1,000,000 / 1,250 = 800 s, and a few more until pollers and the start are at work.
    assert 800 < fifty.seconds < 810
    assert fifty.bottleneck == "rollup_tenant"


def test_with_many_workers_new_tables_are_the_limit_and_the_start_on_grown_ones() -> None:
    new = run(SCENARIO.with_concurrency(500))
    # 1,000,000 / 1,714 = 583 s.
    assert 583 < new.seconds < 595
    assert new.bottleneck == "InvoicesTable"
    grown = run(GROWN.with_concurrency(500))
    assert 294 <= grown.seconds < 296
    assert grown.bottleneck == "start_month_end"


def test_a_single_tenant_is_done_too() -> None:
    assert 2 < run(replace(SCENARIO, tenants=1)).seconds < 4


def test_the_least_concurrency_is_found_or_there_is_none() -> None:
    # 900 s less the first seconds: 1,000,000 / 895 = 1,117 a second, 25 for each worker.
    assert concurrency_for(SCENARIO, 900) == 45
    assert run(SCENARIO.with_concurrency(44)).seconds > 900
    assert concurrency_for(SCENARIO, 500) is None


def test_needs_say_what_slower_tables_and_slower_cores_would_take() -> None:
    new, grown, larger = needs(SCENARIO)
    assert new.as_assumed == 45
    # 50 ms of waiting instead of 25: 650 ms a batch with its pause; 20 ms computed: 500 ms.
    assert new.slow_tables is not None
    assert 72 <= new.slow_tables <= 74
    assert new.slow_core is not None
    assert 56 <= new.slow_core <= 57
    assert grown.goal.startswith("5 min")
    assert larger.as_assumed is not None


def test_beyond_a_tables_units_more_workers_gain_nothing() -> None:
    # 12,000 / 7 tenants a second, 25 for each worker: 68.6.
    assert saturation(SCENARIO) == 69


def test_every_stage_is_listed_with_its_own_time() -> None:
    by_name = {stage.name: stage for stage in stages(SCENARIO)}
    assert list(by_name) == [
        "start_month_end",
        "rollup_tenant",
        "AccountsTable",
        "InvoicesTable",
        "InvoicesTable/period",
        "UsageTable",
    ]
    assert by_name["start_month_end"].seconds == pytest.approx(294)
    assert by_name["rollup_tenant"].rate == pytest.approx(1250)
    assert "2 written, 1 read" in by_name["InvoicesTable"].limit
    assert "over 16 keys" in by_name["InvoicesTable/period"].limit


def test_the_cost_of_a_million_tenants() -> None:
    prices = Prices(
        lambda_million=0.20,
        lambda_gb_second=0.00001,
        sqs_million=0.40,
        write_million=0.50,
        read_million=0.10,
        log_gb=0.50,
    )
    lines = {line.name: line for line in costs(SCENARIO, prices, 800)}
    assert lines["DynamoDB, writes"].dollars == pytest.approx(1.50)
    assert lines["DynamoDB, reads"].quantity == pytest.approx(4_005_000)
    # 100,000 sends, as many receives, as many deletes.
    assert lines["SQS"].dollars == pytest.approx(0.12)
    # 100,000 batches and two invocations of the start.
    assert lines["Lambda, requests"].quantity == 100_002
    # Batches 35,000 s, fifty cold starts of 1.4 s, the start 294 s, at 500 of 1,024 MB.
    assert lines["Lambda, duration"].quantity == pytest.approx((35_000 + 70 + 294) * 500 / 1024)
    # 400 bytes, a tenth of 330, and 26 for each of 1.1 + 0.3 lines.
    assert lines["CloudWatch Logs"].quantity == pytest.approx(0.4694)
    assert total(list(lines.values())) == pytest.approx(
        sum(line.dollars for line in lines.values())
    )


def test_the_deployment_is_the_templates() -> None:
    sizes = deployment()
    assert sizes.batch == 10
    assert sizes.shards == 16
    # Five minutes less the margin in which it hands over.
    assert sizes.start_window == 270


@pytest.mark.parametrize("group", [Limits(), Prices(), Assumptions()])
def test_every_parameter_has_a_value_a_unit_and_a_source(group: Any) -> None:
    for name, value, unit, source in named(group):
        assert value > 0, name
        assert unit, name
        assert source, name


def test_issuing_and_usage_at_one_event_a_call_cost_far_more_than_the_month_end() -> None:
    prices = Prices(lambda_million=0.20, write_million=0.50, read_million=0.10, api_million=3.50)
    many = replace(SCENARIO, assumed=replace(ASSUMED, usage_events=100))
    lines = {line.name: line.dollars for line in around_costs(many, prices)}
    # A million invoices, a hundred million events.
    assert lines == pytest.approx(
        {
            "Issuing, writes": 5.00,
            "Issuing, reads": 0.20,
            "Usage, writes": 300.00,
            "Usage, reads": 10.00,
            "Usage, API requests": 350.00,
            "Usage, Lambda requests": 20.00,
        }
    )
