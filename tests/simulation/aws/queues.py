"""An SQS queue: at least once, in no order; after five receives a message is a dead letter."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

VISIBILITY = timedelta(seconds=360)
RECEIVES = 5
# Lambda takes up to ten; small batches keep several workers busy with one tenant.
BATCHES = (1, 1, 1, 2, 3, 10)


@dataclass(slots=True)
class Message:
    """A message until it is deleted. It may be received (again) from `visible_at` on."""

    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """Returns the record that Lambda hands to the function."""
        return {
            "messageId": self.message_id,
            "receiptHandle": f"{self.message_id}/{self.receives}",
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.receives),
                "SentTimestamp": str(int(self.sent_at.timestamp() * 1000)),
            },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
        }


@dataclass(slots=True)
class Queue:
    """A queue and its dead-letter queue."""

    name: str
    rng: Random
    messages: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    # The bodies of all messages ever sent to it.
    bodies: list[str] = field(default_factory=list)

    def send(self, body: str, now: datetime) -> None:
        """Puts a message on the queue."""
        self.bodies.append(body)
        self.messages.append(Message(f"{self.name}-{len(self.bodies)}", body, now, now))

    def visible(self, now: datetime) -> list[Message]:
        """Returns the messages that could be received now."""
        return [message for message in self.messages if message.visible_at <= now]

    def receive(self, now: datetime, *, twice: bool) -> list[Message]:
        """Receives some visible messages in any order; with `twice` they stay visible.

        A message that was received five times already becomes a dead letter instead.
        """
        visible = self.visible(now)
        self.rng.shuffle(visible)
        batch = []
        for message in visible[: self.rng.choice(BATCHES)]:
            if message.receives >= RECEIVES:
                self.messages.remove(message)
                self.dead.append(message)
                continue
            message.receives += 1
            if not twice:
                message.visible_at = now + VISIBILITY
            batch.append(message)
        return batch

    def delete(self, message: Message) -> None:
        """Deletes a message that was handled; deleting it again does nothing."""
        if message in self.messages:
            self.messages.remove(message)

    def redrive(self, now: datetime) -> int:
        """Moves the dead letters back to the queue; returns how many there were."""
        count = len(self.dead)
        for message in self.dead:
            message.receives, message.visible_at = 0, now
            self.messages.append(message)
        self.dead.clear()
        return count
