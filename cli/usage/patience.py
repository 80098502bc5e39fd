"""Calls again what found DynamoDB busy: an import has the time to wait."""

from collections.abc import Callable
from time import sleep

TRIES = 4
PAUSE_SECONDS = 2.0


def patiently[R](call: Callable[[], R], busy: type[Exception]) -> R:
    """Returns what the call returns; raises its `busy` error after the last try."""
    for attempt in range(1, TRIES):
        try:
            return call()
        except busy:
            sleep(PAUSE_SECONDS * attempt)
    return call()
