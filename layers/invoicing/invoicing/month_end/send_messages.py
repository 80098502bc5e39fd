"""Puts one message per tenant on the queue, in parallel; sends every failed entry again."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import batched
from time import sleep
from typing import Any

import botocore.session
from botocore.config import Config

from invoicing.month_end.rollup_message import RollupMessage

# SQS takes ten messages a call; a single thread would need 20 minutes for a million tenants.
ENTRIES = 10
THREADS = 10
TRIES = 6


class MessagesNotSent(Exception):
    """SQS kept refusing entries; names the tenants, whose run is not complete."""


@cache
def aws_client(service: str) -> Any:
    """Returns this process's client of an AWS service, with short timeouts."""
    return botocore.session.get_session().create_client(
        service,
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            max_pool_connections=THREADS,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )


def send_messages(queue_url: str, messages: Iterable[RollupMessage]) -> int:
    """Puts every message on the queue and returns how many there were.

    A lost reply sends a message twice, which is harmless. Raises MessagesNotSent when entries
    still fail after the last try.
    """
    batches = list(batched(messages, ENTRIES, strict=False))
    # Made here first: a cache does not keep ten threads from making ten clients.
    aws_client("sqs")
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(lambda batch: _send_batch(queue_url, batch), batches))


def _send_batch(queue_url: str, messages: Sequence[RollupMessage]) -> int:
    unsent = {str(n): message for n, message in enumerate(messages)}
    for attempt in range(TRIES):
        answer = aws_client("sqs").send_message_batch(
            QueueUrl=queue_url,
            Entries=[{"Id": key, "MessageBody": message.body} for key, message in unsent.items()],
        )
        # HTTP 200 says nothing about the entries: each is in Successful or in Failed.
        for entry in answer.get("Successful", ()):
            unsent.pop(entry["Id"])
        if not unsent:
            return len(messages)
        sleep(0.1 * 2**attempt)
    tenants = ", ".join(message.tenant_id for message in unsent.values())
    raise MessagesNotSent(f"not sent after {TRIES} tries: {tenants}")


def hand_over(function_name: str, continuation: dict[str, Any]) -> None:
    """Starts the next invocation of this same function, which continues where this one stopped."""
    invoke_later(function_name, {"continuation": continuation})


def invoke_later(function_name: str, event: dict[str, Any]) -> None:
    """Invokes a function without waiting for it; Lambda itself tries three times."""
    aws_client("lambda").invoke(
        FunctionName=function_name, InvocationType="Event", Payload=json.dumps(event)
    )
