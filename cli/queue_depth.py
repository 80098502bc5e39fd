"""How many messages a queue holds."""

from typing import Any

DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def depth(sqs: Any, queue_url: str) -> int:
    """All that there are, visible or held by anybody; SQS says about how many."""
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(DEPTHS))
    return sum(int(answer["Attributes"][name]) for name in DEPTHS)
