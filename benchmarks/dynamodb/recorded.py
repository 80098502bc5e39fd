"""The DynamoDB calls of one cold and one warm rollup, with their answers.

The rollup runs in its own process (`python -m benchmarks.dynamodb.record`), over the template's
tables in moto, so that moto stays out of the process whose CPU time is measured.
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
    """All calls of one tenant's rollup, retries included, and the invoice's total."""

    tenant_id: str
    total_cents: int
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """A cold rollup, which has to read the catalogue, and a warm one, which remembers it."""

    cold: RecordedRollup
    warm: RecordedRollup

    def to_json(self) -> str:
        """Returns the recording as `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Recording":
        """Reads a recording that another process printed."""
        return cls(**{name: _rollup(fields) for name, fields in json.loads(text).items()})


def _rollup(fields: dict[str, Any]) -> RecordedRollup:
    calls = tuple(Call(**call) for call in fields.pop("calls"))
    return RecordedRollup(calls=calls, **fields)


def record_apart() -> Recording:
    """Records in a child process; raises InvalidBenchmark with the child's error output."""
    command = [sys.executable, "-m", "benchmarks.dynamodb.record"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InvalidBenchmark(f"the rollup could not be recorded:\n{done.stderr}")
    return Recording.from_json(done.stdout)
