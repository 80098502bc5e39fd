"""Measures functions turn by turn, so that a noisy moment hits all of them alike."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import process_time_ns
from typing import Any

NS_IN_A_US = 1_000


@dataclass(frozen=True, slots=True)
class Case:
    """A function and its argument. No lambda around it: that would cost a tenth of a bare loop."""

    name: str
    function: Callable[[Any], object]
    argument: Any


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: each round takes `turns` turns of about `turn_us` for every case."""

    rounds: int
    turns: int
    turn_us: int = 2_000


def cpu_ns(case: Case, calls: int) -> int:
    """Returns the CPU nanoseconds of `calls` calls; garbage collection is on, as in production."""
    function, argument = case.function, case.argument
    began = process_time_ns()
    for _ in repeat(None, calls):
        function(argument)
    return process_time_ns() - began


def calls_for(case: Case, turn_us: int) -> int:
    """Returns how many calls take about one turn; finding out warms every cache."""
    calls = 1
    while (spent_ns := cpu_ns(case, calls)) < turn_us * NS_IN_A_US // 2:
        calls *= 2
    return max(1, calls * turn_us * NS_IN_A_US // spent_ns)


def interleaved(cases: Sequence[Case], effort: Effort) -> dict[str, list[float]]:
    """Returns CPU microseconds per call, one figure for each round, by the case's name.

    Turns go A B A B and are added up over a round, so rounds differ only as the machine drifts.
    """
    calls = {case.name: calls_for(case, effort.turn_us) for case in cases}
    measured: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(effort.rounds):
        gc.collect()
        spent_ns = dict.fromkeys(measured, 0)
        for _ in range(effort.turns):
            for case in cases:
                spent_ns[case.name] += cpu_ns(case, calls[case.name])
        for name, total in spent_ns.items():
            measured[name].append(total / NS_IN_A_US / (effort.turns * calls[name]))
    return measured


def ratios(measured: Sequence[float], peer: Sequence[float]) -> list[float]:
    """Returns each round's figure divided by the peer's figure of the same round."""
    return [ours / theirs for ours, theirs in zip(measured, peer, strict=True)]
