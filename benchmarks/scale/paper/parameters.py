"""Everything that the model takes on trust, each figure with its unit and where it comes from.

AWS's limits are those of the default quotas; prices are on-demand, before any free tier, in US
East (N. Virginia), as AWS's own examples give them. Other regions cost up to a third more.
"""

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

LAMBDA = "AWS Lambda Developer Guide"
SQS = "Amazon SQS Developer Guide"
DYNAMODB = "Amazon DynamoDB Developer Guide"
ASSUMED = "assumption"


def known(value: float, unit: str, source: str) -> Any:
    """Returns a field with this value, its unit, and the page or assumption behind it."""
    return field(default=value, metadata={"unit": unit, "source": source})


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that AWS sets by default."""

    vcpu_mb: float = known(1769, "MB a vCPU", f"{LAMBDA}, Configure Lambda function memory")
    account_concurrency: float = known(1000, "executions", f"{LAMBDA}, Lambda quotas")
    first_pollers: float = known(
        5, "batches", f"{LAMBDA}, Configuring scaling behavior for SQS event source mappings"
    )
    pollers_a_minute: float = known(300, "batches/min", "the same page, 2025")
    most_pollers: float = known(1250, "batches", "the same page, 2025 (1,000 before)")
    new_table_writes: float = known(
        4000, "write units/s", f"{DYNAMODB}, On-demand capacity mode, initial throughput"
    )
    new_table_reads: float = known(
        12000, "read units/s", "the same page; reads and writes share it (re:Post, on-demand)"
    )
    doubling_minutes: float = known(
        30, "min", "the same page: no more than double the peak within these"
    )
    table_writes: float = known(40000, "write units/s", f"{DYNAMODB}, Quotas, per table")
    table_reads: float = known(40000, "read units/s", f"{DYNAMODB}, Quotas, per table")
    partition_writes: float = known(
        1000, "write units/s", f"{DYNAMODB}, Burst and adaptive capacity, per partition"
    )


@dataclass(frozen=True, slots=True)
class Prices:
    """AWS's prices in US dollars."""

    lambda_million: float = known(0.20, "$/million requests", "AWS Lambda pricing, 2025")
    lambda_gb_second: float = known(
        0.0000133334, "$/GB-s, arm64", "AWS Lambda pricing, 2025, first tier"
    )
    sqs_million: float = known(0.40, "$/million requests", "Amazon SQS pricing, 2025, standard")
    write_million: float = known(
        0.625, "$/million write units", "Amazon DynamoDB pricing, since 1 November 2024"
    )
    read_million: float = known(
        0.125, "$/million read units", "Amazon DynamoDB pricing, since 1 November 2024"
    )
    api_million: float = known(
        3.50, "$/million requests", "Amazon API Gateway pricing, REST, 2025, first tier"
    )
    log_gb: float = known(0.50, "$/GB ingested", "Amazon CloudWatch pricing, Lambda logs, 2025")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Figures that only an AWS account could show; docs/scale.md says how each matters."""

    core: float = known(1.0, "x this machine's core", f"{ASSUMED}: a whole vCPU is worth one")
    query_ms: float = known(5, "ms", f"{ASSUMED}: AWS promises single-digit milliseconds")
    batch_get_ms: float = known(8, "ms", f"{ASSUMED}: the slowest of its keys")
    put_ms: float = known(7, "ms", f"{ASSUMED}: a write waits for two of three copies")
    other_ms: float = known(10, "ms", f"{ASSUMED}: any other DynamoDB call")
    list_page_ms: float = known(15, "ms", f"{ASSUMED}: one page of a thousand keys")
    send_batch_ms: float = known(15, "ms", f"{ASSUMED}: one SendMessageBatch")
    poll_gap_ms: float = known(50, "ms", f"{ASSUMED}: a poller, from one batch to its next")
    hand_over_s: float = known(2, "s", f"{ASSUMED}: a start's cold start or continuation")
    usage_events: float = known(
        180, "events a tenant", f"{ASSUMED}: one a day for each of the workload's six meters"
    )
    fullest_partition: float = known(
        7, "index keys of 16", f"{ASSUMED}: 16 hashes over 4 partitions; 6 on average, 7 in 1 of 3"
    )
    platform_log_lines: float = known(3, "lines a batch", "START, END and REPORT")
    platform_log_bytes: float = known(330, "bytes a batch", f"{ASSUMED}: those three lines")
    log_line_bytes: float = known(26, "bytes a line", "Amazon CloudWatch Logs, PutLogEvents")


def named(parameters: Any) -> Iterator[tuple[str, float, str, str]]:
    """Yields every parameter of a group: name, value, unit, source."""
    parameter: Field[Any]
    for parameter in fields(parameters):
        yield (
            parameter.name,
            getattr(parameters, parameter.name),
            parameter.metadata["unit"],
            parameter.metadata["source"],
        )
