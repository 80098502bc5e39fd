"""Runs a program in a fresh interpreter and measures its CPU time."""

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.harness.environment import child_environment
from benchmarks.harness.results import InvalidBenchmark
from local.environment import STATE

# With `-S` the path holds only what a start names: a built layer has to do without this venv, as
# on Lambda.
INTERPRETER = (sys.executable, "-S", "-s", "-P", "-c")
# Compiled files go outside the sources' folders, or `sam build` would ship them.
COMPILED_APART = {"PYTHONPYCACHEPREFIX": str(STATE / "bench-pycache")}
# A built layer brings its compiled files, and on Lambda nothing can write more of them.
AS_SHIPPED = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class FreshStart:
    """A program, the folders it imports from, and whether `sam build` made these."""

    name: str
    program: str
    path: tuple[Path, ...] = ()
    shipped: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The interpreter's environment variables."""
        path = {"PYTHONPATH": os.pathsep.join(map(str, self.path))} if self.path else {}
        return child_environment() | path | (AS_SHIPPED if self.shipped else COMPILED_APART)


BARE = FreshStart("a bare interpreter", "pass")


@dataclass(frozen=True, slots=True)
class StartTimes:
    """Seconds of CPU time and seconds by the clock."""

    cpu: float
    wall: float

    def less(self, other: "StartTimes") -> "StartTimes":
        """Returns how much longer this start took than another."""
        return StartTimes(self.cpu - other.cpu, self.wall - other.wall)


def run(start: FreshStart) -> StartTimes:
    """Runs one fresh interpreter; raises InvalidBenchmark with its error output if it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    done = subprocess.run(
        [*INTERPRETER, start.program],
        env=start.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise InvalidBenchmark(f"{start.name} failed:\n{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return StartTimes(cpu, wall)
