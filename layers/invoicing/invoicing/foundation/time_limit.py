"""How much time is left for some work, and the error for when there is not enough."""

from time import monotonic


class TimeLimit:
    """A number of seconds from now. A stopwatch, not a clock: it never gives the time of day."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether the seconds have passed."""
        return monotonic() >= self._end


class OutOfTime(Exception):
    """Too little time is left: a month is too large to be read, or an invocation is about to end.

    Nothing is half-done, and the same can be asked for again.
    """
