"""Gives dead letters back to the queue that they came from, so that none can be lost.

A letter is sent first and deleted then. What interrupts between the two leaves it on both queues,
which is harmless: a tenant that is invoiced is skipped.
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
    """What became of a letter. Unsure: SQS was moving it and stopped, for a reason it gives."""

    FOUND = "found"
    MOVED = "moved"
    DISCARDED = "discarded"
    LEFT = "left"
    UNSURE = "unsure"


@dataclass(slots=True)
class Redrive:
    """One redrive: what was found, and how far it got."""

    queue: DeadLetterQueue
    destination_url: str
    tasks: MoveTasks | None
    found: list[DeadLetter] = field(default_factory=list)
    results: dict[str, RedriveResult] = field(default_factory=dict)
    # Why the tenants' months failed, as far as the rollup has noted it.
    noted: Mapping[TenantMonth, str] = field(default_factory=dict)
    # Letters that the queue counts and this look did not get to see.
    unseen: int = 0
    # What SQS said it had moved before it stopped; which letters these are, it does not say.
    moved_of_unsure: int = 0
    failure: str = ""

    @classmethod
    def over(cls, stack: Stack, name: QueueName, whole: bool) -> "Redrive":
        """The dead letters of a queue; SQS moves a whole queue itself, where it can."""
        sqs, source = stack.client("sqs"), SOURCES[name]
        queue = DeadLetterQueue(sqs, stack.output(source.dead_letters), READERS[name])
        destination = stack.output(source.came_from) if source.came_from else ""
        tasks = None
        if whole and destination:
            tasks = MoveTasks(sqs, _arn(sqs, queue.url), _arn(sqs, destination))
        return cls(queue, destination, tasks if tasks is not None and tasks.exist else None)

    def look(self, wish: Wish, advance: Advance) -> Sequence[DeadLetter]:
        """Finds all letters, and lets go at once of those that are not wished for."""
        counted = self.queue.left()
        self.found = self.queue.look(advance)
        self.unseen = max(0, counted - len(self.found))
        wanted = list(filter(wish, self.found))
        self._note(self.found, RedriveResult.LEFT)
        self._note(wanted, RedriveResult.FOUND)
        kept = {letter.message_id for letter in wanted}
        self.queue.release(letter for letter in self.found if letter.message_id not in kept)
        return wanted

    def discard(self, letters: Iterable[DeadLetter], advance: Advance) -> None:
        """Deletes letters for good; an invoice that they were to make is still missing then."""
        for letter in letters:
            self.queue.delete(letter)
            self._note([letter], RedriveResult.DISCARDED)
            advance(1)

    def move(self, letters: Sequence[DeadLetter], advance: Advance) -> None:
        """Gives these letters back: by a task of SQS if there is one, or else one by one."""
        if self.tasks is None:
            self._move_one_by_one(letters, advance)
            return
        # A task moves what is visible.
        self.queue.release(letters)
        before = self.tasks.start()
        self._note(letters, RedriveResult.UNSURE)
        result: MoveResult = self.tasks.follow(before, advance)
        self.failure, self.moved_of_unsure = result.failure, result.moved
        if not result.failure:
            self._note(letters, RedriveResult.MOVED)

    def _move_one_by_one(self, letters: Iterable[DeadLetter], advance: Advance) -> None:
        self._note(letters, RedriveResult.LEFT)
        for letter in letters:
            if self.queue.hold_is_ending:
                self.failure = "there were too many for one go: run the same command again"
                return
            self._send(letter)
            self.queue.delete(letter)
            self._note([letter], RedriveResult.MOVED)
            advance(1)

    def _send(self, letter: DeadLetter) -> None:
        more = {"MessageAttributes": dict(letter.attributes)} if letter.attributes else {}
        self.queue.sqs.send_message(QueueUrl=self.destination_url, MessageBody=letter.body, **more)

    def _note(self, letters: Iterable[DeadLetter], result: RedriveResult) -> None:
        self.results |= {letter.message_id: result for letter in letters}

    @property
    def moved(self) -> int:
        """How many letters were given back; about how many, if SQS stopped in the middle."""
        known = self.count(RedriveResult.MOVED)
        return known + (self.moved_of_unsure if self.count(RedriveResult.UNSURE) else 0)

    def count(self, result: RedriveResult) -> int:
        """How many letters this became of."""
        return sum(each is result for each in self.results.values())


def _arn(sqs: Any, queue_url: str) -> str:
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])
