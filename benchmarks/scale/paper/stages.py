"""Each stage of a month-end by itself, and what it would take to be done in time. Pure."""

from dataclasses import dataclass, replace
from math import ceil

from benchmarks.scale.paper.deployment import MS_IN_A_SECOND
from benchmarks.scale.paper.model import (
    INDEX,
    MINUTE,
    START,
    WORKERS,
    Scenario,
    batch_seconds,
    concurrency_for,
    cpu_ms,
    latency_ms,
    start_seconds,
    table_rates,
    worker_rate,
    workers,
)

# Targets of the design, in seconds, for a million tenants.
NEW_TABLES, GROWN_TABLES = 15 * MINUTE, 5 * MINUTE
TWICE, HALF = 2, 0.5


@dataclass(frozen=True, slots=True)
class PaperStage:
    """A stage alone: tenants a second at its best, seconds for all tenants, and why not faster."""

    name: str
    rate: float
    seconds: float
    limit: str


@dataclass(frozen=True, slots=True)
class Need:
    """The least RollupConcurrency that meets a goal, as assumed and if an assumption is wrong."""

    goal: str
    as_assumed: int | None
    slow_tables: int | None
    slow_core: int | None


def stages(scenario: Scenario) -> list[PaperStage]:
    """Returns the start, the workers, and every table and index, in the order of the run."""
    return [_start(scenario), _rollup(scenario), *_tables(scenario)]


def _start(scenario: Scenario) -> PaperStage:
    seconds, cost = start_seconds(scenario), scenario.measured.start
    memory = scenario.deployment.start_mb
    busy = cpu_ms(scenario, memory, cost.list_ms + cost.send_ms) / scenario.deployment.page
    why = f"one function of {memory:,} MB; {busy:.2f} ms of its CPU a tenant"
    return PaperStage(START, scenario.tenants / seconds, seconds, why)


def _rollup(scenario: Scenario) -> PaperStage:
    full = workers(scenario, float("inf"))
    first, a_minute = scenario.limits.first_pollers, scenario.limits.pollers_a_minute
    ramp = max(0.0, full - first) / a_minute * MINUTE
    rate = worker_rate(scenario, full)
    # While the pollers grow, half of those still missing are missing on average.
    seconds = scenario.tenants / rate + ramp * (1 - (full + first) / (2 * full))
    busy = cpu_ms(scenario, scenario.deployment.rollup_mb, scenario.tenant.cpu_ms)
    batch_ms = batch_seconds(scenario) * MS_IN_A_SECOND
    why = (
        f"{full:.0f} batches at once, {batch_ms:.0f} ms each: a tenant waits"
        f" {latency_ms(scenario):.0f} ms and computes {busy:.1f} ms"
    )
    return PaperStage(WORKERS, rate, seconds, why)


def _tables(scenario: Scenario) -> list[PaperStage]:
    reads, writes = scenario.tenant.reads, scenario.tenant.writes
    table_stages = []
    for name, rate in table_rates(scenario, 0).items():
        units = [(writes.get(name, 0), "written"), (reads.get(name, 0), "read")]
        why = "units a tenant: " + ", ".join(f"{count:g} {kind}" for count, kind in units if count)
        if name == INDEX:
            why += f", over {scenario.deployment.shards} keys"
        table_stages.append(PaperStage(name, rate, scenario.tenants / rate, why))
    return table_stages


def target_of(scenario: Scenario) -> int:
    """Returns the design's target for a million tenants, in seconds."""
    return GROWN_TABLES if scenario.warm else NEW_TABLES


def saturation(scenario: Scenario) -> int:
    """Returns the RollupConcurrency from which on a table is the limit, and not the workers."""
    least = min(table_rates(scenario, 0).values())
    return ceil(least / worker_rate(scenario, 1))


def needs(scenario: Scenario) -> list[Need]:
    """Returns the RollupConcurrency that each target takes, whatever the scenario's own is."""
    new, grown = replace(scenario, warm=False), replace(scenario, warm=True)
    whole = int(scenario.limits.vcpu_mb)
    larger = replace(scenario.deployment, start_mb=whole)
    return [
        _need("15 min, first month, new tables", new, NEW_TABLES),
        _need("5 min, after a year, grown tables", grown, GROWN_TABLES),
        _need(
            f"the same, start_month_end with {whole:,} MB",
            replace(grown, deployment=larger),
            GROWN_TABLES,
        ),
    ]


def _need(goal: str, scenario: Scenario, seconds: float) -> Need:
    assumed = scenario.assumed
    slow_tables = replace(
        assumed,
        query_ms=TWICE * assumed.query_ms,
        batch_get_ms=TWICE * assumed.batch_get_ms,
        put_ms=TWICE * assumed.put_ms,
        other_ms=TWICE * assumed.other_ms,
    )
    slow_core = replace(assumed, core=HALF * assumed.core)
    cases = (replace(scenario, assumed=case) for case in (assumed, slow_tables, slow_core))
    return Need(goal, *(concurrency_for(case, seconds) for case in cases))
