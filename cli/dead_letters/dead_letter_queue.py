"""A queue's dead letters: received without loss, held for a while, and made visible again.

`look` receives every dead letter, which hides it from other consumers for `HOLD_SECONDS`. None is
deleted unless it is safely on another queue, or was named to be discarded. So at worst, an
interruption leaves dead letters hidden until that time is over.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import batched
from time import monotonic
from typing import Any, Self

from cli.dead_letters.message_readers import Reader, read_rollup
from cli.stack.queues import depth
from invoicing.month_end.rollup_message import RollupMessage

# SQS could hide a message for longer; but if this program is killed, it stays hidden that long.
HOLD_SECONDS = 600
# The part of the hold that is for receiving; the rest is for moving what was received.
LOOK_SECONDS = 300
MARGIN_SECONDS = 60
# Waiting makes SQS query all of its servers, not just some.
WAIT_SECONDS = 2
BATCH = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed too often, as it was received.

    One from the rollup queue is about a tenant (`message`). `reason` says why it failed, `about`
    what it is about, both as far as the dead letter itself states it. Either may be empty.
    """

    message_id: str
    receipt: str
    body: str
    message: RollupMessage | None
    reason: str
    first_sent: datetime
    received: int
    about: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tenant_id(self) -> str | None:
        """The tenant of its rollup message; None without a readable one."""
        return self.message.tenant_id if self.message else None


@dataclass(slots=True)
class DeadLetterQueue:
    """A dead-letter queue, and the dead letters that this program holds.

    As a context manager it releases, on exit, all that are still held.
    """

    sqs: Any
    url: str
    read: Reader = read_rollup
    held: dict[str, DeadLetter] = field(default_factory=dict)
    _held_since: float = field(default_factory=monotonic)

    def look(self, advance: Callable[[int], None] = lambda _: None) -> list[DeadLetter]:
        """Receives every visible dead letter once and holds it; returns all in order of tenant."""
        self._held_since = monotonic()
        while monotonic() - self._held_since < LOOK_SECONDS:
            received = list(self._receive())
            # A message received again has a newer receipt; only the newest one can release it.
            new = [
                dead_letter for dead_letter in received if dead_letter.message_id not in self.held
            ]
            self.held |= {dead_letter.message_id: dead_letter for dead_letter in received}
            advance(len(new))
            if not new:
                break
        return sorted(self.held.values(), key=_by_tenant)

    @property
    def hold_is_ending(self) -> bool:
        """Whether dead letters may soon be visible again, for another consumer to take."""
        return monotonic() - self._held_since > HOLD_SECONDS - MARGIN_SECONDS

    def delete(self, dead_letter: DeadLetter) -> None:
        """Deletes a dead letter from the queue."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=dead_letter.receipt)
        del self.held[dead_letter.message_id]

    def release(self, dead_letters: Iterable[DeadLetter]) -> None:
        """Makes dead letters visible at once. One that SQS refuses stays held to the end."""
        for batch in batched(list(dead_letters), BATCH, strict=False):
            entries = [
                {"Id": str(n), "ReceiptHandle": dead_letter.receipt, "VisibilityTimeout": 0}
                for n, dead_letter in enumerate(batch)
            ]
            answer = self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            for entry in answer.get("Successful", ()):
                del self.held[batch[int(entry["Id"])].message_id]

    def left(self) -> int:
        """How many messages the queue has, visible or held by any consumer, as SQS estimates."""
        return depth(self.sqs, self.url)

    def _receive(self) -> Iterator[DeadLetter]:
        answer = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            MessageAttributeNames=["All"],
        )
        return map(self._dead_letter, answer.get("Messages", ()))

    def _dead_letter(self, message: Mapping[str, Any]) -> DeadLetter:
        attributes, system = message.get("MessageAttributes", {}), message["Attributes"]
        reading = self.read(message["Body"], attributes)
        return DeadLetter(
            message_id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            body=message["Body"],
            message=reading.message,
            reason=reading.reason,
            about=reading.about,
            first_sent=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
            received=int(system["ApproximateReceiveCount"]),
            attributes=attributes,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release(self.held.values())


def _by_tenant(dead_letter: DeadLetter) -> tuple[str, str, datetime]:
    message = dead_letter.message
    if message is None:
        return "~", dead_letter.message_id, dead_letter.first_sent
    return message.tenant_id, message.period, dead_letter.first_sent


def excerpt(body: str, characters: int = 60) -> str:
    """The start of an unreadable message, escaped so that it is harmless to a terminal."""
    text = body.encode("unicode_escape").decode("ascii")
    return text if len(text) <= characters else f"{text[:characters]}..."
