"""Ctrl-C at a good moment: between two calls to AWS, not in the middle of one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# A closed terminal and a polite kill ask for the same as Ctrl-C.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Asked:
    """Whether somebody has asked to stop; a second signal stops at once."""

    def __init__(self) -> None:
        self.stop = False

    def on_signal(self, signum: int, frame: FrameType | None) -> None:
        del signum, frame
        if self.stop:
            raise KeyboardInterrupt
        self.stop = True

    def stop_if_asked(self) -> None:
        if self.stop:
            raise KeyboardInterrupt


@contextmanager
def stopping_gently() -> Iterator[Callable[[], None]]:
    """Delays a stop until the yielded function is called, which then raises KeyboardInterrupt."""
    asked = _Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked.stop_if_asked
        return
    before = {signum: signal.signal(signum, asked.on_signal) for signum in STOPPING}
    try:
        yield asked.stop_if_asked
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
