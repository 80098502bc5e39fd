"""Programs that send usage by the API and the queue, again until they are answered."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from tests.simulation.aws.queues import Message
from tests.simulation.books.usage import Sent, judge, too_old_after
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.functions import USAGE_QUEUE
from tests.simulation.world.world import World

BATCH = 6
PROCESSES = 2
AGAIN = 0.25
WAIT = timedelta(minutes=5)


def api_event(groups: str, now_ms: int, **fields: Any) -> dict[str, Any]:
    """Returns an event of API Gateway's REST API, as far as the functions read it."""
    claims = {"sub": "simulated", "cognito:groups": groups}
    context = {"authorizer": {"claims": claims}, "requestTimeEpoch": now_ms}
    return {"httpMethod": "GET", "headers": {}, "requestContext": context, **fields}


@dataclass(slots=True)
class Producers:
    """Events on their way. An event is done when it is answered, not when it is sent."""

    world: World
    waiting: list[Sent] = field(default_factory=list)
    # The events of each message, and the step at which it was sent.
    queued: dict[str, tuple[list[Sent], int]] = field(default_factory=dict)
    posting: int = 0
    # A client that got no answer waits before it tries again.
    not_before: datetime | None = None

    def plan(self, sent: Sent) -> None:
        """Adds an event to those that wait to be sent."""
        self.world.books.add(sent)
        self.waiting.append(sent)

    def could_send(self) -> bool:
        """Whether there is something to send, and a process free to send it."""
        patient = self.not_before is not None and self.world.now < self.not_before
        return bool(self.waiting) and self.posting < PROCESSES and not patient

    def send(self) -> None:
        """Sends some events, now and then one twice or one that is recorded already."""
        rng = self.world.rng
        events = rng.sample(self.waiting, min(len(self.waiting), rng.randint(1, BATCH)))
        if rng.random() < AGAIN:
            events += rng.sample(self.waiting, 1)
        recorded = list(self.world.books.recorded.values())
        if recorded and rng.random() < AGAIN:
            events.append(rng.choice(recorded))
        if rng.random() < 0.3:
            self._enqueue(events)
        else:
            self.post(events)

    def _enqueue(self, events: list[Sent]) -> None:
        body = json.dumps({"events": [sent.document for sent in events]})
        self.queued.setdefault(body, (events, self.world.clock.step))
        self.waiting = [sent for sent in self.waiting if sent not in events]
        self.world.cloud.queues[USAGE_QUEUE].send(body, self.world.now)

    def post(self, events: list[Sent]) -> None:
        """Posts the events to /usage; without an answer they go on waiting."""
        world = self.world
        body = json.dumps({"events": [sent.document for sent in events]})
        now_ms = int(world.now.timestamp() * 1000)
        event = api_event("metering", now_ms, httpMethod="POST", body=body)
        self.posting += 1
        began_at = world.clock.step

        def done(result: Any, error: BaseException | None) -> None:
            self.posting -= 1
            if error is None and result["statusCode"] == HTTPStatus.OK:
                self._answered(events, json.loads(result["body"])["results"], began_at)
                self.not_before = None
                return
            self.not_before = world.now + WAIT
            if error is None and result["statusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise InvariantViolated("I9", f"usage was refused: {result['body']}")

        world.invoke(world.functions.record, event, done, seconds=15)

    def _answered(self, events: list[Sent], results: list[dict[str, Any]], began_at: int) -> None:
        for sent, result in zip(events, results, strict=True):
            self._judge(sent, result, began_at)
        self.waiting = [sent for sent in self.waiting if sent not in events]

    def _judge(self, sent: Sent, result: dict[str, Any], began_at: int) -> None:
        outcome, books = result["outcome"], self.world.books
        if not sent.acceptable and outcome != "rejected":
            raise InvariantViolated("I17", f"{sent.quantity} was taken: {result}")
        if outcome != "rejected":
            fault = judge(sent, outcome, books)
            if fault is not None:
                raise InvariantViolated("I9", fault)
        elif self.world.now <= too_old_after(sent):
            named = re.search(r"quantity: .*12 digits before the point", result["reason"])
            if not named or not books.reject(sent, began_at):
                raise InvariantViolated("I9", f"{sent.key} was rejected: {result['reason']}")

    def handled(self, message: Message) -> None:
        """I9: a message of the usage queue may be deleted once all of its events are recorded.

        Those that a total had no room for are not: the log names them.
        """
        events, sent_at = self.queued[message.body]
        for sent in events:
            recorded = sent.identity in self.world.books.recorded
            if not recorded and not self.world.books.reject(sent, sent_at):
                raise InvariantViolated("I9", f"{sent.key} was taken from the queue and lost")
