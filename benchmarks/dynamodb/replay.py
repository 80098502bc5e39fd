"""Replays DynamoDB's recorded answers below botocore, so that only the network is left out.

Serialising, signing, checksums, retry logic and parsing happen as in production. `before-send` is
the last event before the connection pool; what a handler returns there replaces the reply.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zlib import crc32

import botocore.session
from botocore.awsrequest import AWSResponse

from benchmarks.dynamodb.recorded import Call, Recording
from benchmarks.dynamodb.reply import reply_to
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.workloads.subject import message, rollup
from invoicing.foundation.dynamodb import connection
from invoicing.month_end.rollup import Rollup, RollupOutcome

READS = frozenset(("Query", "GetItem", "BatchGetItem"))


class CannedDynamoDB:
    """Answers every recorded request: a read by its body, a write by its operation alone."""

    def __init__(self, recording: Recording) -> None:
        self._replies: dict[tuple[str, bytes], tuple[bytes, dict[str, str]]] = {}
        for call in (*recording.cold.calls, *recording.warm.calls):
            body = json.dumps(call.request).encode() if call.operation in READS else b""
            answer = json.dumps(call.answer, separators=(",", ":")).encode()
            self._replies[call.operation, body] = (answer, _headers(answer))

    def attach(self, client: Any) -> None:
        """Makes a botocore client talk to this object instead of the network."""
        client.meta.events.register("before-send.dynamodb", self._reply)

    def _reply(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        key = (operation, request.body if operation in READS else b"")
        if key not in self._replies:
            raise InvalidBenchmark(f"not recorded: {operation} {request.body!r}")
        content, headers = self._replies[key]
        return reply_to(request, headers, content)


def _headers(content: bytes) -> dict[str, str]:
    return {
        "Server": "Server",
        "Date": "Fri, 01 May 2026 03:00:00 GMT",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(content)),
        "Connection": "keep-alive",
        "x-amzn-RequestId": "A" * 52,
        "x-amz-crc32": str(crc32(content)),
    }


@contextmanager
def replayed_rollup(recording: Recording) -> Iterator[Rollup]:
    """Yields the real rollup over recorded answers, warmed up.

    Raises InvalidBenchmark unless it rolls up both tenants to the recorded totals.
    """
    connection.cache_clear()
    try:
        CannedDynamoDB(recording).attach(connection().client)
        real = rollup()
        for recorded in (recording.cold, recording.warm):
            result = real.roll_up(message(recorded.tenant_id))
            total = result.header.total_cents if result.header else None
            if (result.outcome, total) != (RollupOutcome.ROLLED, recorded.total_cents):
                raise InvalidBenchmark(f"{recorded.tenant_id}: {result.outcome}, {total} cents")
        yield real
    finally:
        connection.cache_clear()


def plain_client(recording: Recording) -> Any:
    """Returns another botocore client with the rollup's configuration, over the same answers."""
    config = connection().client.meta.config
    client = botocore.session.get_session().create_client("dynamodb", config=config)
    CannedDynamoDB(recording).attach(client)
    return client


def repeat_calls(client_and_calls: tuple[Any, tuple[Call, ...]]) -> None:
    """Makes the calls and nothing else: their arguments are ready, and no answer is read."""
    client, calls = client_and_calls
    for call in calls:
        client._make_api_call(call.operation, call.request)
