"""Runs many small AWS calls at once: listing a month is mostly waiting."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from invoicing.foundation.dynamodb import connection

# As many as the connection keeps sockets for.
THREADS = 16


def at_once[A, B](work: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Returns the result of `work` for each item, in order; raises the first item's error."""
    # Make the client here, once: otherwise each of the sixteen threads would make its own.
    assert connection().client
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(work, items))
