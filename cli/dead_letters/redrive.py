"""Gives dead letters back to the queue that they came from, without losing any.

A message is sent first and deleted afterwards. An interruption between the two leaves it on both
queues, which is harmless: a tenant that is invoiced already is skipped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cli.dead_letters.dead_letter_queue import DeadLetter, DeadLetterQueue
from cli.dead_letters.failures import TenantMonth
from cli.dead_letters.message_readers import Reader, read_rollup, read_schedule, read_usage
from cli.dead_letters.move_task import MoveResult, MoveTasks
from cli.stack.queues import SOURCES, QueueName
from cli.stack.stack import Stack

type Advance = Callable[[int], None]
type Wish = Callable[[DeadLetter], bool]


READERS: Mapping[QueueName, Reader] = {
    QueueName.ROLLUP: read_rollup,
    QueueName.USAGE: read_usage,
    QueueName.SCHEDULE: read_schedule,
}


class RedriveResult(StrEnum):
    """The result of a redrive for one dead letter.

    Unsure: SQS began to move it and was not seen to finish; `Redrive.failure` says why.
    """

    FOUND = "found"
    MOVED = "moved"
    DISCARDED = "discarded"
    LEFT = "left"
    UNSURE = "unsure"


@dataclass(slots=True)
class Redrive:
    """One redrive: the dead letters that it found, and how far it got."""

    queue: DeadLetterQueue
    destination_url: str
    tasks: MoveTasks | None
    found: list[DeadLetter] = field(default_factory=list)
    results: dict[str, RedriveResult] = field(default_factory=dict)
    # Why the tenants' months failed, where the rollup noted it.
    noted: Mapping[TenantMonth, str] = field(default_factory=dict)
    # How many more dead letters the queue counted than `look` received.
    unseen: int = 0
    # How many messages SQS moved before it stopped; it does not say which ones.
    moved_of_unsure: int = 0
    failure: str = ""

    @classmethod
    def over(cls, stack: Stack, name: QueueName, whole: bool) -> "Redrive":
        """A redrive of a queue's dead letters; SQS itself moves a `whole` queue, where it can."""
        sqs, source = stack.client("sqs"), SOURCES[name]
        queue = DeadLetterQueue(sqs, stack.output(source.dead_letters), READERS[name])
        destination = stack.output(source.came_from) if source.came_from else ""
        tasks = None
        if whole and destination:
            tasks = MoveTasks(sqs, _arn(sqs, queue.url), _arn(sqs, destination))
        return cls(queue, destination, tasks if tasks is not None and tasks.exist else None)

    def look(self, wish: Wish, advance: Advance) -> Sequence[DeadLetter]:
        """Receives all dead letters; returns the wanted ones and releases the others at once."""
        queued = self.queue.left()
        self.found = self.queue.look(advance)
        self.unseen = max(0, queued - len(self.found))
        wanted = list(filter(wish, self.found))
        self._note(self.found, RedriveResult.LEFT)
        self._note(wanted, RedriveResult.FOUND)
        wanted_ids = {dead_letter.message_id for dead_letter in wanted}
        self.queue.release(
            dead_letter for dead_letter in self.found if dead_letter.message_id not in wanted_ids
        )
        return wanted

    def discard(self, dead_letters: Iterable[DeadLetter], advance: Advance) -> None:
        """Deletes dead letters for good; an invoice that one should have made stays missing."""
        for dead_letter in dead_letters:
            self.queue.delete(dead_letter)
            self._note([dead_letter], RedriveResult.DISCARDED)
            advance(1)

    def move(self, dead_letters: Sequence[DeadLetter], advance: Advance) -> None:
        """Gives these dead letters back: with a move task where SQS has them, else one by one."""
        if self.tasks is None:
            self._move_one_by_one(dead_letters, advance)
            return
        # A task moves visible messages only.
        self.queue.release(dead_letters)
        before = self.tasks.start()
        self._note(dead_letters, RedriveResult.UNSURE)
        result: MoveResult = self.tasks.follow(before, advance)
        self.failure, self.moved_of_unsure = result.failure, result.moved
        if not result.failure:
            self._note(dead_letters, RedriveResult.MOVED)

    def _move_one_by_one(self, dead_letters: Iterable[DeadLetter], advance: Advance) -> None:
        self._note(dead_letters, RedriveResult.LEFT)
        for dead_letter in dead_letters:
            if self.queue.hold_is_ending:
                self.failure = "there were too many for one go: run the same command again"
                return
            self._send(dead_letter)
            self.queue.delete(dead_letter)
            self._note([dead_letter], RedriveResult.MOVED)
            advance(1)

    def _send(self, dead_letter: DeadLetter) -> None:
        optional = (
            {"MessageAttributes": dict(dead_letter.attributes)} if dead_letter.attributes else {}
        )
        self.queue.sqs.send_message(
            QueueUrl=self.destination_url, MessageBody=dead_letter.body, **optional
        )

    def _note(self, dead_letters: Iterable[DeadLetter], result: RedriveResult) -> None:
        self.results |= {dead_letter.message_id: result for dead_letter in dead_letters}

    @property
    def moved(self) -> int:
        """How many dead letters were given back; an estimate if SQS stopped half-way."""
        known = self.count(RedriveResult.MOVED)
        return known + (self.moved_of_unsure if self.count(RedriveResult.UNSURE) else 0)

    def count(self, result: RedriveResult) -> int:
        """How many dead letters have this result."""
        return sum(outcome is result for outcome in self.results.values())


def _arn(sqs: Any, queue_url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])
