"""The cost of a month-end: every request and unit at its published price. Pure."""

from dataclasses import dataclass
from math import ceil

from benchmarks.scale.paper.deployment import MS_IN_A_SECOND
from benchmarks.scale.paper.model import Scenario, batch_seconds, cpu_ms, start_seconds, workers
from benchmarks.scale.paper.parameters import Prices

MILLION = 1_000_000
BYTES_IN_A_GB = 1_000_000_000
MB_IN_A_GB = 1024
SQS_CALLS_A_BATCH = 2  # one ReceiveMessage and one DeleteMessageBatch, both made by the pollers


@dataclass(frozen=True, slots=True)
class CostLine:
    """A quantity of something that is billed, and its price in US dollars."""

    name: str
    quantity: float
    unit: str
    dollars: float


def gb_seconds(scenario: Scenario, seconds: float) -> float:
    """Returns the GB-seconds of the rollups, the start, and a cold start for each worker."""
    deployment = scenario.deployment
    batches = ceil(scenario.tenants / deployment.batch)
    cold = cpu_ms(scenario, deployment.rollup_mb, scenario.measured.cold_start_ms)
    rollups = batches * batch_seconds(scenario)
    rollups += workers(scenario, seconds) * cold / MS_IN_A_SECOND
    start = start_seconds(scenario)
    return (rollups * deployment.rollup_mb + start * deployment.start_mb) / MB_IN_A_GB


def log_bytes(scenario: Scenario) -> float:
    """Returns the bytes that CloudWatch Logs takes in, with those that it adds to each line."""
    tenant, assumed = scenario.tenant, scenario.assumed
    lines = tenant.log_lines + assumed.platform_log_lines / scenario.deployment.batch
    platform = assumed.platform_log_bytes / scenario.deployment.batch
    return scenario.tenants * (tenant.log_bytes + platform + lines * assumed.log_line_bytes)


def costs(scenario: Scenario, prices: Prices, seconds: float) -> list[CostLine]:
    """Returns a line for each thing that is billed, for a run of `seconds` seconds."""
    deployment, tenants = scenario.deployment, scenario.tenants
    batches = ceil(tenants / deployment.batch)
    invocations = batches + ceil(start_seconds(scenario) / deployment.start_window)
    calls = ceil(tenants / deployment.entries) + SQS_CALLS_A_BATCH * batches
    busy, logged = gb_seconds(scenario, seconds), log_bytes(scenario) / BYTES_IN_A_GB
    read = sum(scenario.tenant.reads.values()) + scenario.measured.start.list_units
    reads, writes = tenants * read, tenants * sum(scenario.tenant.writes.values())
    return [
        _millions("DynamoDB, writes", writes, "write units", prices.write_million),
        _millions("DynamoDB, reads", reads, "read units", prices.read_million),
        CostLine("Lambda, duration", busy, "GB-s", busy * prices.lambda_gb_second),
        CostLine("CloudWatch Logs", logged, "GB", logged * prices.log_gb),
        _millions("SQS", calls, "requests", prices.sqs_million),
        _millions("Lambda, requests", invocations, "requests", prices.lambda_million),
    ]


def around_costs(scenario: Scenario, prices: Prices) -> list[CostLine]:
    """Returns lines for a month of usage, one event a call, and for issuing every invoice."""
    around, tenants = scenario.measured.around, scenario.tenants
    events = tenants * scenario.assumed.usage_events
    write, read = ("write units", prices.write_million), ("read units", prices.read_million)
    return [
        _millions("Issuing, writes", tenants * around.issue_writes, *write),
        _millions("Issuing, reads", tenants * around.issue_reads, *read),
        _millions("Usage, writes", events * around.event_writes, *write),
        _millions("Usage, reads", events * around.event_reads, *read),
        _millions("Usage, API requests", events, "requests", prices.api_million),
        _millions("Usage, Lambda requests", events, "requests", prices.lambda_million),
    ]


def _millions(name: str, quantity: float, unit: str, price: float) -> CostLine:
    return CostLine(name, quantity, unit, quantity / MILLION * price)


def total(lines: list[CostLine]) -> float:
    """Returns the sum in US dollars."""
    return sum(line.dollars for line in lines)
