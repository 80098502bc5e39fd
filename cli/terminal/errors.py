"""What ends a command early: one line for a person, and an exit code for a script."""

from collections.abc import Iterator
from enum import IntEnum

from botocore.exceptions import BotoCoreError, ClientError

from cli.terminal.text import harmless
from invoicing.foundation.dynamodb import KeysNotRead
from invoicing.foundation.versions import RecordBusy
from invoicing.usage.usage_events_table import UsageNotRecorded

BUSY = (UsageNotRecorded, KeysNotRead, RecordBusy)
# What botocore says of an AWS_ENDPOINT_URL that is none, in a bare ValueError.
NO_ENDPOINT = "Invalid endpoint: "


class ExitCode(IntEnum):
    """What the shell is told; docs/cli.md promises these."""

    FINE = 0
    REFUSED = 1
    BAD_INPUT = 2
    NOT_REACHABLE = 3
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command: one line, and how the shell is told."""

    exit_code = ExitCode.BAD_INPUT


class BadInput(CommandError):
    """A file or an argument that cannot be used at all."""


class NotAllowed(CommandError):
    """What is stored, or its state, does not allow it."""

    exit_code = ExitCode.REFUSED


class NotReachable(CommandError):
    """AWS, or the stack, does not answer or does not exist."""

    exit_code = ExitCode.NOT_REACHABLE


class Stopped(CommandError):
    """Ctrl-C, where the command knows what that left behind."""

    exit_code = ExitCode.INTERRUPTED


def _causes(error: BaseException) -> Iterator[BaseException]:
    # pynamodb keeps what botocore raised in `cause`, and not always as the exception's own cause.
    found: BaseException | None = error
    while found is not None:
        yield found
        found = getattr(found, "cause", None) or found.__cause__


def aws_fault(error: BaseException) -> str | None:
    """What AWS, or the way to it, had against a call; None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, (BotoCoreError, ClientError, *BUSY)):
            return str(cause)
        if isinstance(cause, ValueError) and str(cause).startswith(NO_ENDPOINT):
            return str(cause)
    return None


def one_line(text: str) -> str:
    """Errors are one line each, whatever they quote."""
    return harmless(" ".join(text.split()))
