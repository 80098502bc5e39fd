"""The simulator bites: each guard in docs/reliability.md is missed when it is taken away."""

import re

import pytest

from local.template import ROOT
from tests.simulation.guards import GUARDS, first_violation
from tests.simulation.world.functions import Functions

SEEDS = 100
ROW = re.compile(r"\| (?P<guard>[^|]+) \| (?P<invariants>(?:I\d+|scope)(?:, I\d+)*) \| \d+ \|")


def _documented() -> dict[str, str]:
    text = (ROOT / "docs" / "reliability.md").read_text()
    return {row["guard"].strip(): row["invariants"] for row in ROW.finditer(text)}


def test_every_guard_is_documented() -> None:
    assert list(_documented()) == list(GUARDS)


@pytest.mark.parametrize("guard", GUARDS)
def test_without_the_guard_the_documented_invariant_breaks(
    functions: Functions, guard: str
) -> None:
    violation = first_violation(guard, SEEDS, functions)
    assert violation is not None, f"nobody notices within {SEEDS} seeds"
    assert violation[1].invariant in _documented()[guard].split(", "), str(violation[1])
