"""The deployed handler's cost for each tenant: CPU and log, measured a full batch at a time.

In this package the least of several rounds counts: whatever else runs on a machine only adds.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from benchmarks.dynamodb.recorded import Recording
from benchmarks.dynamodb.replay import CannedDynamoDB
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.harness.timing import Case, Effort, interleaved
from benchmarks.workloads.subject import message
from invoicing.foundation.dynamodb import connection
from invoicing.foundation.settings import settings
from local.handlers import LambdaContext, load_handler

US_IN_A_MS = 1_000


@dataclass(frozen=True, slots=True)
class RollupCost:
    """One invocation with a full batch: CPU milliseconds, log lines, and their bytes."""

    cpu_ms: float
    log_lines: int
    log_bytes: int


class _Log(io.TextIOBase):
    """Counts what Lambda would send to CloudWatch Logs, and keeps nothing."""

    def __init__(self) -> None:
        self.lines = self.bytes = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        self.bytes += len(text.encode()) - text.count("\n")
        return len(text)


@contextmanager
def _deployed(recording: Recording, log: _Log) -> Iterator[ModuleType]:
    """Yields the function's own module over recorded answers; its log goes to `log`."""
    connection.cache_clear()
    settings.cache_clear()
    with redirect_stdout(log):
        module = load_handler("rollup_tenant")
        # A process has one logger of this name, which may have been made before.
        stream = module.logger.registered_handler.setStream(log)
        try:
            CannedDynamoDB(recording).attach(connection().client)
            yield module
        finally:
            if stream is not None:
                module.logger.registered_handler.setStream(stream)
            connection.cache_clear()
            settings.cache_clear()


def batch_event(tenant_id: str, size: int) -> dict[str, Any]:
    """Returns an event of SQS with `size` messages, as the month-end's own run sends them."""
    sent = message(tenant_id)
    body = sent.model_dump_json()
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": f"{sent.run_at.timestamp() * 1000:.0f}",
    }
    return {
        "Records": [
            {"messageId": f"{n:036}", "body": body, "attributes": attributes} for n in range(size)
        ]
    }


def rollup_cost(recording: Recording, batch_size: int, effort: Effort) -> RollupCost:
    """Measures batches of a warm function; raises InvalidBenchmark if a tenant fails."""
    log = _Log()
    with _deployed(recording, log) as module:

        def invoke(event: dict[str, Any]) -> None:
            if module.handler(event, LambdaContext())["batchItemFailures"]:
                raise InvalidBenchmark("rollup: a tenant failed over its recorded answers")

        invoke(batch_event(recording.cold.tenant_id, 1))
        event = batch_event(recording.warm.tenant_id, batch_size)
        log.lines = log.bytes = 0
        invoke(event)
        lines, size = log.lines, log.bytes
        batch_us = interleaved([Case("batch", invoke, event)], effort)["batch"]
    return RollupCost(min(batch_us) / US_IN_A_MS, lines, size)
