"""Many small AWS calls at once, and for how long: what lists a whole month is bound by waiting."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from invoicing.foundation.dynamodb import connection

# As many as the connection keeps sockets open for.
THREADS = 16


class TimeLimit:
    """So many seconds from now on. A stopwatch and no clock: it never says what time it is."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether they have passed."""
        return monotonic() >= self._end


class OutOfTime(Exception):
    """A month is too large to be looked at within the time that there is."""


def at_once[A, B](work: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """The result of the work for each item, in order; raises what the first that fails raises."""
    # Made here once: sixteen threads would each make a client of their own.
    assert connection().client
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(work, items))
