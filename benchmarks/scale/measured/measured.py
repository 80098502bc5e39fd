"""Measures on this machine before anything is worked out: half a minute, no AWS."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.dynamodb.recorded import Recording
from benchmarks.harness.fresh_start import run
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.harness.timing import Effort
from benchmarks.measures.cold_start import ROLLUP, comparisons
from benchmarks.measures.packages import functions
from benchmarks.scale.measured.around import Around, count_apart
from benchmarks.scale.measured.rollup_cost import rollup_cost
from benchmarks.scale.measured.start_cost import StartCost, start_cost
from benchmarks.scale.measured.tenant_cost import units
from local.environment import ROOT

YEAR = 12


@dataclass(frozen=True, slots=True)
class Thoroughness:
    """How long each piece may be measured. Once shows that all pieces work, and no more."""

    rollup: Effort
    start: Effort
    cold_starts: int


FULL = Thoroughness(
    rollup=Effort(rounds=25, turns=1, turn_us=80_000),
    start=Effort(rounds=15, turns=1, turn_us=100_000),
    cold_starts=3,
)
ONCE = Thoroughness(
    rollup=Effort(rounds=1, turns=1), start=Effort(rounds=1, turns=1), cold_starts=1
)


@dataclass(frozen=True, slots=True)
class TenantCost:
    """One tenant's cost in a full batch of a warm function, with `months` invoices behind it."""

    months: int
    cpu_ms: float
    calls: tuple[str, ...]
    reads: Mapping[str, float]
    writes: Mapping[str, float]
    log_lines: float
    log_bytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The costs of the first month-end, of one a year later, of the start, and of a cold start.

    `around`: of what surrounds them.
    """

    first: TenantCost
    later: TenantCost
    start: StartCost
    cold_start_ms: float
    around: Around


def recording_of(months: int) -> Recording:
    """Records in a child process, so that moto stays out of the process that is measured."""
    command = [sys.executable, "-m", "benchmarks.scale.measured.history", str(months)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidBenchmark(f"the rollup could not be recorded:\n{done.stderr}")
    return Recording.from_json(done.stdout)


def tenant_cost(recording: Recording, months: int, batch: int, effort: Effort) -> TenantCost:
    """Measures the cost of one tenant of this recording."""
    cost, counted = rollup_cost(recording, batch, effort), units(recording.warm)
    return TenantCost(
        months=months,
        cpu_ms=cost.cpu_ms / batch,
        calls=tuple(call.operation for call in recording.warm.calls),
        reads=counted.reads,
        writes=counted.writes,
        log_lines=cost.log_lines / batch,
        log_bytes=cost.log_bytes / batch,
    )


def cold_start_ms(runs: int) -> float:
    """Measures a fresh rollup_tenant's CPU milliseconds before an event; as built, if it is."""
    (rollup,) = (function for function in functions() if function.name == ROLLUP)
    starts = [comparison.start for comparison in comparisons(rollup) if comparison.target]
    return min(run(starts[-1]).cpu for _ in range(runs)) * 1_000


def measure(batch: int, how: Thoroughness = FULL) -> Measured:
    """Measures everything; raises InvalidBenchmark if a piece does not do what it should."""
    first, later = (
        tenant_cost(recording_of(months), months, batch, how.rollup) for months in (0, YEAR)
    )
    cold = cold_start_ms(how.cold_starts)
    return Measured(first, later, start_cost(how.start), cold, count_apart())
