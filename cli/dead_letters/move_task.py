"""SQS's own move of a whole dead-letter queue: looked up, started, and followed to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import sleep
from typing import Any

from botocore.exceptions import ClientError

# The error codes of an SQS that lacks the call, such as the local emulator.
NO_SUCH_CALL = frozenset(("InvalidAction", "UnknownOperation", "UnknownOperationException"))
POLL_SECONDS = 2.0
UNDER_WAY = frozenset(("RUNNING", "CANCELLING"))
COMPLETED = "COMPLETED"
# A started task should be listed after this many looks at the list.
LISTED_AFTER = 15
# A task that moves nothing for so many looks, ten minutes, is not waited for.
STILL_LOOKS = 300


@dataclass(frozen=True, slots=True)
class MoveResult:
    """How a task ended: how many messages it moved, and why it did not move the rest."""

    moved: int
    failure: str


@dataclass(frozen=True, slots=True)
class MoveTasks:
    """The move tasks from one queue to another, by their ARNs."""

    sqs: Any
    source_arn: str
    destination_arn: str

    @property
    def exist(self) -> bool:
        """Whether this SQS can move messages itself."""
        try:
            self._newest()
        except ClientError as error:
            if error.response["Error"]["Code"].rpartition(".")[2] in NO_SUCH_CALL:
                return False
            raise
        return True

    @property
    def running(self) -> bool:
        """Whether any task is moving this queue already; SQS allows one at a time."""
        newest = self._newest()
        return newest is not None and newest["Status"] in UNDER_WAY

    def start(self) -> int | None:
        """Starts to move all visible messages; returns when the previous task began, if any.

        `follow` needs that to tell the new task from the old one, which may stay listed a while.
        """
        previous = self._newest()
        self.sqs.start_message_move_task(
            SourceArn=self.source_arn, DestinationArn=self.destination_arn
        )
        return previous["StartedTimestamp"] if previous else None

    def follow(
        self, before: int | None = None, advance: Callable[[int], None] = lambda _: None
    ) -> MoveResult:
        """Waits until the newest task has ended, or moves nothing any more.

        To stop waiting does not stop the task.
        """
        reported = unlisted = still = 0
        while unlisted < LISTED_AFTER and still < STILL_LOOKS:
            task = self._newest()
            if task is None or task["StartedTimestamp"] == before:
                unlisted += 1
                sleep(POLL_SECONDS)
                continue
            moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
            advance(moved - reported)
            still = still + 1 if moved == reported else 0
            reported = moved
            if task["Status"] not in UNDER_WAY:
                return MoveResult(moved, "" if task["Status"] == COMPLETED else _failure(task))
            sleep(POLL_SECONDS)
        if still:
            return MoveResult(reported, "SQS moves nothing any more; its task goes on by itself")
        return MoveResult(reported, "SQS does not list the task that it has started")

    def _newest(self) -> Mapping[str, Any] | None:
        answer = self.sqs.list_message_move_tasks(SourceArn=self.source_arn, MaxResults=1)
        return next(iter(answer.get("Results", ())), None)


def _failure(task: Mapping[str, Any]) -> str:
    return f"{task['Status'].lower()}: {task.get('FailureReason') or 'SQS gives no reason'}"
