"""A program in a fresh interpreter, and the CPU time that it takes."""

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

# `-S` keeps everything off the path that a start does not name: a built layer has to do without
# this venv, as on Lambda.
INTERPRETER = (sys.executable, "-S", "-s", "-P", "-c")
# Sources are compiled out of their folders, or `sam build` would ship what is left there.
COMPILED_APART = {"PYTHONPYCACHEPREFIX": str(STATE / "bench-pycache")}
# A built layer brings its compiled files, and on Lambda nothing can write more of them.
AS_SHIPPED = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class FreshStart:
    """A program, where it imports from, and whether that is what `sam build` made."""

    name: str
    program: str
    path: tuple[Path, ...] = ()
    shipped: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What the interpreter sees."""
        path = {"PYTHONPATH": os.pathsep.join(map(str, self.path))} if self.path else {}
        return child_environment() | path | (AS_SHIPPED if self.shipped else COMPILED_APART)


BARE = FreshStart("a bare interpreter", "pass")


@dataclass(frozen=True, slots=True)
class StartTimes:
    """Seconds of CPU and of the clock."""

    cpu: float
    wall: float

    def less(self, other: "StartTimes") -> "StartTimes":
        """What is left above another start."""
        return StartTimes(self.cpu - other.cpu, self.wall - other.wall)


def run(start: FreshStart) -> StartTimes:
    """One fresh interpreter; raises InvalidBenchmark with its words if it fails."""
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
