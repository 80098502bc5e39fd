"""What is on the queues: a report made from the tables alone does not know of it."""

from collections.abc import Iterator

from cli.stack.queues import SOURCES, QueueName, depth
from cli.stack.stack import Stack
from cli.terminal.text import counted


def queue_lines(stack: Stack) -> Iterator[str]:
    """What waits to be rolled up and what has failed for good, of whatever month; or nothing.

    A letter of a tenant that is not stored, or one that nobody can read, is in no report.
    """
    sqs, source = stack.client("sqs"), SOURCES[QueueName.ROLLUP]
    if source.came_from and (waiting := depth(sqs, stack.output(source.came_from))):
        yield f"On the queue: {counted(waiting, 'message')}, to be rolled up or tried again."
    if dead := depth(sqs, stack.output(source.dead_letters)):
        yield f"In the dead-letter queue: {counted(dead, 'letter')}: `monthend redrive --dry-run`."
