"""Runs many small AWS calls at once, within a time limit: listing a month is mostly waiting."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from invoicing.foundation.dynamodb import connection

# As many as the connection keeps sockets for.
THREADS = 16


class TimeLimit:
    """A number of seconds from now. A stopwatch, not a clock: it never gives the time of day."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether the seconds have passed."""
        return monotonic() >= self._end


class OutOfTime(Exception):
    """A month is too large to be read within the time limit."""


def at_once[A, B](work: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Returns the result of `work` for each item, in order; raises the first item's error."""
    # Make the client here, once: otherwise each of the sixteen threads would make its own.
    assert connection().client
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(work, items))
