"""The dead letters of a queue: looked at without loss, held for a while, and let go again.

A look receives every letter, which hides it from everybody else for `HOLD_SECONDS`. Nothing is
ever deleted that is not safely on another queue (or was named to be discarded), so whatever
interrupts leaves, at worst, letters that show again when that time is over.
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

# SQS lets a message be hidden for longer, but who kills this program waits that long.
HOLD_SECONDS = 600
# Of the hold: the rest is for moving what was found.
LOOK_SECONDS = 300
MARGIN_SECONDS = 60
# Waiting makes SQS ask all of its servers, not just some.
WAIT_SECONDS = 2
BATCH = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed too often, as it was received.

    Of the rollup queue it is about a tenant (`message`); `reason` is what the letter itself says
    about why it is here, and `about` what it is about. Either may be empty.
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
        """Whose letter it is; None if it cannot be read."""
        return self.message.tenant_id if self.message else None


@dataclass(slots=True)
class DeadLetterQueue:
    """A dead-letter queue, and the letters of it that this program holds.

    As a context manager it lets go, on the way out, of all that is still held.
    """

    sqs: Any
    url: str
    read: Reader = read_rollup
    held: dict[str, DeadLetter] = field(default_factory=dict)
    _held_since: float = field(default_factory=monotonic)

    def look(self, advance: Callable[[int], None] = lambda _: None) -> list[DeadLetter]:
        """Every letter that can be seen, each once, in order of tenant; all are held then."""
        self._held_since = monotonic()
        while monotonic() - self._held_since < LOOK_SECONDS:
            received = list(self._receive())
            # A letter that comes back has its newer receipt; only that one lets it go.
            new = [letter for letter in received if letter.message_id not in self.held]
            self.held |= {letter.message_id: letter for letter in received}
            advance(len(new))
            if not new:
                break
        return sorted(self.held.values(), key=_by_tenant)

    @property
    def hold_is_ending(self) -> bool:
        """Whether letters may show again soon, and somebody else take them."""
        return monotonic() - self._held_since > HOLD_SECONDS - MARGIN_SECONDS

    def delete(self, letter: DeadLetter) -> None:
        """The end of a letter."""
        self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=letter.receipt)
        del self.held[letter.message_id]

    def release(self, letters: Iterable[DeadLetter]) -> None:
        """Makes letters visible at once. One that SQS does not let go shows again by itself."""
        for some in batched(list(letters), BATCH, strict=False):
            entries = [
                {"Id": str(n), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                for n, letter in enumerate(some)
            ]
            answer = self.sqs.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            for entry in answer.get("Successful", ()):
                del self.held[some[int(entry["Id"])].message_id]

    def left(self) -> int:
        """How many letters the queue has, visible or held by anybody; SQS says about how many."""
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
        return map(self._letter, answer.get("Messages", ()))

    def _letter(self, received: Mapping[str, Any]) -> DeadLetter:
        attributes, system = received.get("MessageAttributes", {}), received["Attributes"]
        found = self.read(received["Body"], attributes)
        return DeadLetter(
            message_id=received["MessageId"],
            receipt=received["ReceiptHandle"],
            body=received["Body"],
            message=found.message,
            reason=found.reason,
            about=found.about,
            first_sent=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
            received=int(system["ApproximateReceiveCount"]),
            attributes=attributes,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release(self.held.values())


def _by_tenant(letter: DeadLetter) -> tuple[str, str, datetime]:
    message = letter.message
    if message is None:
        return "~", letter.message_id, letter.first_sent
    return message.tenant_id, message.period, letter.first_sent


def excerpt(body: str, characters: int = 60) -> str:
    """What an unreadable message says, harmless to a terminal."""
    text = body.encode("unicode_escape").decode("ascii")
    return text if len(text) <= characters else f"{text[:characters]}..."
