"""Works a month-end out second by second: how fast messages come, and how fast they are done.

Pure: figures in, figures out. In each second a tenant is done if it has a message, a worker is
free, and every table has units left; the scarcest of these limits that second.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from benchmarks.scale.measured.measured import Measured, TenantCost
from benchmarks.scale.paper.deployment import MS_IN_A_SECOND, DeployedSizes
from benchmarks.scale.paper.parameters import Assumptions, Limits

MINUTE = 60
START, WORKERS = "start_month_end", "rollup_tenant"
INDEX = "InvoicesTable/period"
LEAST_CONCURRENCY, MOST_CONCURRENCY = 2, 1000


@dataclass(frozen=True, slots=True)
class Scenario:
    """How many tenants run on what. Warm: a month-end a year on, with tables that have grown."""

    tenants: int
    concurrency: int
    warm: bool
    deployment: DeployedSizes
    measured: Measured
    limits: Limits
    assumed: Assumptions

    @property
    def tenant(self) -> TenantCost:
        """One tenant's cost in this month."""
        return self.measured.later if self.warm else self.measured.first

    def with_concurrency(self, concurrency: int) -> "Scenario":
        """Returns the same scenario with another RollupConcurrency."""
        return replace(self, concurrency=concurrency)


@dataclass(frozen=True, slots=True)
class PaperRun:
    """How long a month-end takes, and for how many seconds each stage was the scarcest."""

    seconds: float
    limited_by: Mapping[str, int]

    @property
    def bottleneck(self) -> str:
        """The stage that was the scarcest for longest."""
        return max(self.limited_by, key=lambda name: self.limited_by[name])


def latency_ms(scenario: Scenario) -> float:
    """Returns the milliseconds that a tenant's rollup waits for DynamoDB; calls go one by one."""
    assumed = scenario.assumed
    waits = {
        "Query": assumed.query_ms,
        "BatchGetItem": assumed.batch_get_ms,
        "PutItem": assumed.put_ms,
    }
    return sum(waits.get(call, assumed.other_ms) for call in scenario.tenant.calls)


def cpu_ms(scenario: Scenario, memory_mb: int, here_ms: float) -> float:
    """Returns the milliseconds that `here_ms` of CPU time takes in a function with this memory."""
    share = min(1.0, memory_mb / scenario.limits.vcpu_mb)
    return here_ms / (share * scenario.assumed.core)


def batch_seconds(scenario: Scenario) -> float:
    """Returns how many seconds a full batch runs, which is what Lambda bills."""
    busy = cpu_ms(scenario, scenario.deployment.rollup_mb, scenario.tenant.cpu_ms)
    return scenario.deployment.batch * (busy + latency_ms(scenario)) / MS_IN_A_SECOND


def page_seconds(scenario: Scenario) -> float:
    """Returns how many seconds the start takes to list a page of tenants and send their messages.

    Threads share one interpreter, so sending takes its CPU time or its waiting, whichever is more.
    """
    deployment, assumed, cost = scenario.deployment, scenario.assumed, scenario.measured.start
    listing = cpu_ms(scenario, deployment.start_mb, cost.list_ms) + assumed.list_page_ms
    busy = cpu_ms(scenario, deployment.start_mb, cost.send_ms)
    rounds = ceil(deployment.page / deployment.entries / deployment.threads)
    waiting = rounds * assumed.send_batch_ms
    return (listing + max(busy, waiting) + assumed.send_batch_ms) / MS_IN_A_SECOND


def sent_after(scenario: Scenario, seconds: float) -> float:
    """Returns how many tenants have a message after this many seconds.

    An invocation near its end hands over to the next.
    """
    window, gap = scenario.deployment.start_window, scenario.assumed.hand_over_s
    rounds, rest = divmod(seconds, window + gap)
    sending = rounds * window + max(0.0, rest - gap)
    return min(scenario.tenants, sending * scenario.deployment.page / page_seconds(scenario))


def start_seconds(scenario: Scenario) -> float:
    """Returns how many seconds the start takes, continuations included."""
    window, gap = scenario.deployment.start_window, scenario.assumed.hand_over_s
    sending = scenario.tenants / scenario.deployment.page * page_seconds(scenario)
    return sending + max(1, ceil(sending / window)) * gap


def workers(scenario: Scenario, seconds: float) -> float:
    """Returns how many batches are being worked on at this moment.

    Pollers grow by the minute, and the start needs one of the account's executions.
    """
    limits = scenario.limits
    pollers = limits.first_pollers + limits.pollers_a_minute * seconds / MINUTE
    allowed = min(scenario.concurrency, limits.account_concurrency - 1, limits.most_pollers)
    return min(pollers, allowed)


def worker_rate(scenario: Scenario, count: float) -> float:
    """Returns how many tenants a second `count` workers roll up."""
    seconds = batch_seconds(scenario) + scenario.assumed.poll_gap_ms / MS_IN_A_SECOND
    return count * scenario.deployment.batch / seconds


def table_rates(scenario: Scenario, seconds: float) -> dict[str, float]:
    """Returns for how many tenants a second each table and index has units at this moment."""
    reads, writes = scenario.tenant.reads, scenario.tenant.writes
    names = sorted(reads.keys() | writes.keys())
    rates = {
        name: _table_rate(scenario, reads.get(name, 0), writes.get(name, 0), seconds)
        for name in names
    }
    if INDEX in rates:
        rates[INDEX] = min(rates[INDEX], _shard_rate(scenario, seconds) / writes[INDEX])
    return rates


def _growth(scenario: Scenario, seconds: float) -> int:
    """Returns the factor by which a new table takes more by now: it may double every half hour."""
    doublings: int = 2 ** int(seconds // (scenario.limits.doubling_minutes * MINUTE))
    return doublings


def _table_rate(scenario: Scenario, reads: float, writes: float, seconds: float) -> float:
    limits = scenario.limits
    quota = 1 / max(reads / limits.table_reads, writes / limits.table_writes)
    if scenario.warm:
        return quota
    # A new table takes its limit of reads or of writes, or a mixture in proportion.
    mixed = 1 / (reads / limits.new_table_reads + writes / limits.new_table_writes)
    return min(quota, mixed * _growth(scenario, seconds))


def _shard_rate(scenario: Scenario, seconds: float) -> float:
    """Returns an index's write units a second; on new partitions its few keys lie unevenly."""
    limits, shards = scenario.limits, scenario.deployment.shards
    if scenario.warm:
        return shards * limits.partition_writes
    fullest = scenario.assumed.fullest_partition / shards
    return limits.partition_writes / fullest * _growth(scenario, seconds)


def run(scenario: Scenario) -> PaperRun:
    """Works the month-end out, second by second."""
    done, second = 0.0, 0
    limited_by: Counter[str] = Counter()
    while True:
        rates = table_rates(scenario, second)
        rates[WORKERS] = worker_rate(scenario, workers(scenario, second))
        rates[START] = sent_after(scenario, second + 1) - done
        scarcest = min(rates, key=lambda name: rates[name])
        limited_by[scarcest] += 1
        left = scenario.tenants - done
        if rates[scarcest] >= left:
            return PaperRun(second + left / rates[scarcest], limited_by)
        done += rates[scarcest]
        second += 1


def concurrency_for(scenario: Scenario, seconds: float) -> int | None:
    """Returns the least RollupConcurrency that is done within `seconds`; None if none is."""
    low, high = LEAST_CONCURRENCY, MOST_CONCURRENCY
    if run(scenario.with_concurrency(high)).seconds > seconds:
        return None
    while low < high:
        middle = (low + high) // 2
        if run(scenario.with_concurrency(middle)).seconds <= seconds:
            high = middle
        else:
            low = middle + 1
    return low
