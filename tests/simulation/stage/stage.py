"""Threads that take turns: one runs at a time, from one AWS call to the next.

A strand is a thread of the code under test. It gives up its turn before each AWS call and at each
sleep; the seed says whose turn is next. So two workers interleave call by call, and the same seed
gives the same interleaving.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Self


class Killed(BaseException):
    """The process of this strand was killed. Not an Exception, so that no handler catches it."""


class Process:
    """One invocation of a function with all of its threads, which die together."""

    def __init__(self, name: str, began_at: int, *, steady: bool = False) -> None:
        self.name = name
        self.began_at = began_at
        # No faults are drawn for a steady process; only an outage hits it.
        self.steady = steady
        # The queue messages that it works on.
        self.batch: Sequence[Any] = ()
        self.killed = False


class _Hand:
    """An operating-system thread that serves one strand after another: starting one is slow."""

    free: ClassVar[list["_Hand"]] = []

    def __init__(self) -> None:
        self._work: Callable[[], None] | None = None
        self._called = threading.Lock()
        self._called.acquire()
        threading.Thread(target=self._serve, daemon=True).start()

    def take(self, work: Callable[[], None]) -> None:
        """Starts this work on the thread."""
        self._work = work
        self._called.release()

    def _serve(self) -> None:
        while True:
            self._called.acquire()
            assert self._work is not None
            self._work()


class Strand:
    """One thread of a process. It runs only when it is given a turn."""

    def __init__(self, stage: "Stage", process: Process, work: Callable[[], Any]) -> None:
        self.process = process
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.waits_for: tuple[Strand, ...] = ()
        # How many turns it sits out, as long as anybody else has something to do.
        self.held = 0
        # Tenant and month of the invoice that it is about to write, for those who interfere.
        self.commits: tuple[str, str] | None = None
        # The id of the correction that it is about to make, for the same purpose.
        self.corrects: str | None = None
        self._stage, self._work = stage, work
        self._turn = threading.Lock()
        self._turn.acquire()
        self._hand: _Hand | None = None

    @property
    def ready(self) -> bool:
        """Whether it could use a turn."""
        return not self.done and (
            self.process.killed or all(strand.done for strand in self.waits_for)
        )

    def _run(self) -> None:
        try:
            self._live()
            self.result = self._work()
        except BaseException as error:
            # Kept for the strand that waits for this one, as a future keeps it.
            self.error = error
        self.done = True
        assert self._hand is not None
        _Hand.free.append(self._hand)
        self._stage.back.release()

    def pause(self) -> None:
        """Gives up the turn; returns with the next one. Raises Killed if the process is dead."""
        self._stage.back.release()
        self._turn.acquire()
        self._live()

    def _live(self) -> None:
        if self.process.killed:
            raise Killed(self.process.name)

    def take_turn(self) -> None:
        """Runs until it pauses or is done. The stage calls this, from the main thread."""
        if self._hand is None:
            self._hand = _Hand.free.pop() if _Hand.free else _Hand()
            self._hand.take(self._run)
        else:
            self._turn.release()
        self._stage.back.acquire()

    def join(self, strands: Iterable["Strand"]) -> None:
        """Waits until these strands are done."""
        self.waits_for = tuple(strands)
        self.pause()


class Stage:
    """All strands, and whose turn it is (None: the simulation itself)."""

    def __init__(self) -> None:
        self.back = threading.Lock()
        self.back.acquire()
        self.strands: list[Strand] = []
        self.current: Strand | None = None

    def start(self, process: Process, work: Callable[[], Any]) -> Strand:
        """Adds a strand. It begins with its first turn."""
        strand = Strand(self, process, work)
        self.strands.append(strand)
        return strand

    def ready(self) -> list[Strand]:
        """Returns the strands that could have the next turn, oldest first."""
        return [strand for strand in self.strands if strand.ready]

    def prompt(self) -> list[Strand]:
        """Returns the ready strands that are not held, oldest first."""
        return [strand for strand in self.strands if strand.held <= 0 and strand.ready]

    def run(self, strand: Strand) -> None:
        """Gives the strand a turn, and unwinds every process that was killed in it."""
        self.current = strand
        strand.take_turn()
        self.current = None
        for other in self.strands:
            other.held -= 1
            # Unwinding may take several turns: `finally` and `with` blocks may pause again.
            while other.process.killed and not other.done:
                self.current = other
                other.take_turn()
                self.current = None
        self.strands = [other for other in self.strands if not other.done]

    def clear(self) -> None:
        """Ends every strand: nothing of a simulation may outlive it."""
        for strand in self.strands:
            strand.process.killed = True
        if self.strands:
            self.run(self.strands[0])


class Threads:
    """Stands in for ThreadPoolExecutor: its threads are strands and take turns like all others."""

    stage: Stage | None = None

    def __init__(self, _max_workers: int | None = None) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yields the results in order, once all are done; raises the first error among them."""
        stage = Threads.stage
        parent = stage.current if stage else None
        if stage is None or parent is None:
            yield from map(work, items)
            return
        strands = [stage.start(parent.process, lambda item=item: work(item)) for item in items]  # type: ignore[misc]
        parent.join(strands)
        for strand in strands:
            if strand.error is not None:
                raise strand.error
            yield strand.result


@contextmanager
def on_one_processor() -> Iterator[None]:
    """Keeps this process on one processor: turns pass between threads at twice the speed."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    processors = os.sched_getaffinity(0)
    # Processes of a parallel test run (gw0, gw1, ...) use different ones, as long as they last.
    number = int(os.environ.get("PYTEST_XDIST_WORKER", f"gw{os.getpid()}").removeprefix("gw"))
    os.sched_setaffinity(0, {sorted(processors)[number % len(processors)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)
