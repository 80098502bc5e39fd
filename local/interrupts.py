"""Turns Ctrl-C, `kill` and a closed terminal into one exception, so that every `finally` runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The person or the system asked to stop. Not an Exception, so that nothing swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.exit_code = 128 + signum


class _State:
    held = 0
    pending: int | None = None


def _on_signal(signum: int, frame: FrameType | None) -> None:
    del frame
    if _State.held:
        _State.pending = signum
    else:
        raise Interrupted(signum)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside the block, the stopping signals raise Interrupted (main thread only)."""
    before = {signum: signal.signal(signum, _on_signal) for signum in STOPPING}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


@contextmanager
def held() -> Iterator[None]:
    """Holds a stopping signal back until the end of the block.

    Between starting a process and knowing its pid, and while stopping one, an exception would
    leave the process running. Only the main thread is ever interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
    if not _State.held and _State.pending is not None:
        pending, _State.pending = _State.pending, None
        raise Interrupted(pending)
