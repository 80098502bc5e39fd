"""Signals raise one exception, except while something must not be left half done."""

import os
import signal
import threading

import pytest

from local.interrupts import STOPPING, Interrupted, held, interruptible


@pytest.mark.parametrize("signum", STOPPING)
def test_every_stopping_signal_raises(signum: signal.Signals) -> None:
    with pytest.raises(Interrupted) as caught, interruptible():
        os.kill(os.getpid(), signum)
    assert caught.value.exit_code == 128 + signum


def test_a_held_signal_waits_for_the_end_of_the_outermost_block() -> None:
    reached = []
    with pytest.raises(Interrupted), interruptible():
        with held():
            with held():
                os.kill(os.getpid(), signal.SIGTERM)
                reached.append("inner")
            reached.append("outer")
        reached.append("after")
    assert reached == ["inner", "outer"]


def test_other_threads_hold_nothing_back() -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with held():
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(5)
    try:
        with pytest.raises(Interrupted), interruptible():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        leave.set()
        thread.join()


def test_the_previous_handlers_are_put_back() -> None:
    before = [signal.getsignal(signum) for signum in STOPPING]
    with interruptible():
        pass
    assert [signal.getsignal(signum) for signum in STOPPING] == before
