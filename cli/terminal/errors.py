"""Errors that end a command early: one line for a person, and an exit code for a script."""

from collections.abc import Iterator
from enum import IntEnum

from botocore.exceptions import BotoCoreError, ClientError

from cli.terminal.text import harmless
from invoicing.foundation.dynamodb import KeysNotRead
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.usage.usage_events_table import UsageNotRecorded

BUSY = (UsageNotRecorded, KeysNotRead, RecordBusy)
# How botocore's bare ValueError for a faulty AWS_ENDPOINT_URL begins.
NO_ENDPOINT = "Invalid endpoint: "


class ExitCode(IntEnum):
    """The exit codes, as docs/cli.md promises them."""

    FINE = 0
    REFUSED = 1
    BAD_INPUT = 2
    NOT_REACHABLE = 3
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command with one line and an exit code."""

    exit_code = ExitCode.BAD_INPUT


class BadInput(CommandError):
    """A file or an argument that cannot be used at all."""


class NotAllowed(CommandError):
    """What is stored, or its state, does not allow the command."""

    exit_code = ExitCode.REFUSED


class NotReachable(CommandError):
    """AWS, or the stack, does not answer or does not exist."""

    exit_code = ExitCode.NOT_REACHABLE


class Stopped(CommandError):
    """Ctrl-C, in a command that knows what it left behind."""

    exit_code = ExitCode.INTERRUPTED


def _causes(error: BaseException) -> Iterator[BaseException]:
    # pynamodb keeps botocore's error in `cause`, and not always in `__cause__`.
    current: BaseException | None = error
    while current is not None:
        yield current
        current = getattr(current, "cause", None) or current.__cause__


def aws_fault(error: BaseException) -> str | None:
    """The text of an error that AWS, or the way to it, caused; None for any other error."""
    for cause in _causes(error):
        if isinstance(cause, (BotoCoreError, ClientError, *BUSY)):
            return str(cause)
        if isinstance(cause, ValueError) and str(cause).startswith(NO_ENDPOINT):
            return str(cause)
    return None


def one_line(text: str) -> str:
    """The text as one line that is harmless to a terminal, whatever it quotes."""
    return harmless(" ".join(text.split()))
