"""The state of the queues, which a report made from the tables alone does not show."""

from collections.abc import Iterator

from cli.stack.queues import SOURCES, QueueName, depth
from cli.stack.stack import Stack
from cli.terminal.text import counted


def queue_lines(stack: Stack) -> Iterator[str]:
    """Counts the rollup's waiting messages and its dead letters, of any month; a line for each.

    There is no line for an empty queue. A message about a tenant that is not stored, or one that
    cannot be read, is in no report.
    """
    sqs, source = stack.client("sqs"), SOURCES[QueueName.ROLLUP]
    if source.came_from and (waiting := depth(sqs, stack.output(source.came_from))):
        yield f"On the queue: {counted(waiting, 'message')}, to be rolled up or tried again."
    if dead := depth(sqs, stack.output(source.dead_letters)):
        yield f"In the dead-letter queue: {counted(dead, 'letter')}: `monthend redrive --dry-run`."
