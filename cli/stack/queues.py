"""The stack's queues: where dead letters are, where they came from, and how deep a queue is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class QueueName(StrEnum):
    """The queues that have dead letters."""

    ROLLUP = "rollup"
    USAGE = "usage"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class QueueOutputs:
    """The stack's outputs for a dead-letter queue and the queue that its messages came from."""

    dead_letters: str
    came_from: str | None


SOURCES = {
    QueueName.ROLLUP: QueueOutputs("RollupDeadLetterQueueUrl", "RollupQueueUrl"),
    QueueName.USAGE: QueueOutputs("UsageDeadLetterQueueUrl", "UsageQueueUrl"),
    # Events that could not be delivered to a function: there is no queue to give them back to.
    QueueName.SCHEDULE: QueueOutputs("ScheduleDeadLetterQueueUrl", None),
}


def depth(sqs: Any, queue_url: str) -> int:
    """How many messages a queue has, visible or held by any consumer, as SQS estimates."""
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(DEPTHS))
    return sum(int(answer["Attributes"][name]) for name in DEPTHS)
