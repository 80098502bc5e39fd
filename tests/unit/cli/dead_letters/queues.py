"""Queues for tests: moto's, with faults, and with the move tasks that moto lacks."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

from tests.unit.cli.month_end.office import aws

ACCOUNT, REGION = "123456789012", "ap-southeast-2"
NUMBERS = count()
NO_SUCH_CALL = ClientError({"Error": {"Code": "InvalidAction", "Message": "no"}}, "Move")
MOVE_CALLS = frozenset(("list_message_move_tasks", "start_message_move_task"))


def body(tenant_id: str, period: str = "2026-04") -> str:
    """Returns the body of a rollup message, as a run sends it."""
    message = {"version": 1, "tenant_id": tenant_id, "period": period, "run_id": "the-run"}
    return json.dumps(message | {"run_at": "2026-05-01T03:00:00Z"})


class Queues:
    """A rollup queue and its dead-letter queue, and their messages, hidden or not."""

    def __init__(self, *bodies: str) -> None:
        self.client = aws("sqs")
        self._names = [f"{name}-{next(NUMBERS)}" for name in ("rollup", "dead")]
        self.rollup, self.dead = (
            self.client.create_queue(QueueName=name)["QueueUrl"] for name in self._names
        )
        for text in bodies:
            self.client.send_message(QueueUrl=self.dead, MessageBody=text)

    def on_rollup(self) -> list[str]:
        return self._bodies(self._names[0])

    def on_dead(self) -> list[str]:
        return self._bodies(self._names[1])

    def _bodies(self, name: str) -> list[str]:
        queue = sqs_backends[ACCOUNT][REGION].queues[name]
        return sorted(message.body for message in queue._messages)

    def hidden(self) -> int:
        """Returns how many dead letters are hidden at the moment."""
        name = "ApproximateNumberOfMessagesNotVisible"
        answer = self.client.get_queue_attributes(QueueUrl=self.dead, AttributeNames=[name])
        return int(answer["Attributes"][name])


@dataclass
class Sqs:
    """The client that a command gets. It records calls; `before` and `after` may raise."""

    queues: Queues
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**words: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            self.before(number)
            try:
                return self.answer(name, words)
            finally:
                self.after(number)

        return call

    def answer(self, name: str, words: dict[str, Any]) -> Any:
        """Returns the answer of SQS, which has no move tasks here."""
        if name in MOVE_CALLS:
            raise NO_SUCH_CALL
        return getattr(self.queues.client, name)(**words)


@dataclass
class MovingSqs(Sqs):
    """An SQS with move tasks; each time they are listed, it moves a message."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    fails_after: int | None = None

    def answer(self, name: str, words: dict[str, Any]) -> Any:
        if name == "start_message_move_task":
            return self.start(words)
        if name == "list_message_move_tasks":
            listed = [dict(task) for task in self.tasks[:1]]
            self._go_on()
            return {"Results": listed}
        return super().answer(name, words)

    def start(self, words: dict[str, Any]) -> dict[str, Any]:
        assert words["SourceArn"].endswith(self.queues.dead.rpartition("/")[2])
        assert words["DestinationArn"].endswith(self.queues.rollup.rpartition("/")[2])
        started = 1000 + len(self.tasks)
        task: dict[str, Any] = {"Status": "RUNNING", "StartedTimestamp": started}
        self.tasks.insert(0, task | {"ApproximateNumberOfMessagesMoved": 0})
        return {"TaskHandle": "handle"}

    def _go_on(self) -> None:
        task: dict[str, Any] = self.tasks[0] if self.tasks else {"Status": "NONE"}
        if task["Status"] != "RUNNING":
            return
        if task["ApproximateNumberOfMessagesMoved"] == self.fails_after:
            task |= {"Status": "FAILED", "FailureReason": "AccessDenied"}
            return
        client, queues = self.queues.client, self.queues
        answer = client.receive_message(QueueUrl=queues.dead, VisibilityTimeout=60)
        messages = answer.get("Messages", [])
        if not messages:
            task["Status"] = "COMPLETED"
        for message in messages:
            client.send_message(QueueUrl=queues.rollup, MessageBody=message["Body"])
            client.delete_message(QueueUrl=queues.dead, ReceiptHandle=message["ReceiptHandle"])
            task["ApproximateNumberOfMessagesMoved"] += 1
