"""What one cold and one warm rollup said to DynamoDB, and what it answered.

The rollup runs in a process of its own (`python -m benchmarks.dynamodb.record`), over the
template's tables in moto: nothing of moto is then in the process in which CPU time is measured.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.harness.results import InvalidBenchmark
from local.environment import ROOT


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request of botocore, and the JSON that came back."""

    operation: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordedRollup:
    """All calls of one tenant's rollup, retries included, and the total it came to."""

    tenant_id: str
    total_cents: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A cold rollup, which has to read the catalogue, and a warm one, which remembers it."""

    cold: RecordedRollup
    warm: RecordedRollup

    def to_json(self) -> str:
        """What `from_json` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Recording":
        """The recording of another process."""
        return cls(**{name: _rollup(found) for name, found in json.loads(text).items()})


def _rollup(found: dict[str, Any]) -> RecordedRollup:
    calls = tuple(Call(**call) for call in found.pop("calls"))
    return RecordedRollup(calls=calls, **found)


def record_apart() -> Recording:
    """A recording made by a child process; raises InvalidBenchmark with what the child said."""
    command = [sys.executable, "-m", "benchmarks.dynamodb.record"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidBenchmark(f"the rollup could not be recorded:\n{done.stderr}")
    return Recording.from_json(done.stdout)
