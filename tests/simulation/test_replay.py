"""A seed is a story that can be told again: the same steps, in any process."""

import os
import re
import subprocess
import sys

import pytest

from local.template import ROOT
from tests.simulation.__main__ import many
from tests.simulation.guards import GUARDS, without
from tests.simulation.world.functions import Functions


def _trace_of(seed: int, hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed), "--verbose"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return process.stdout


@pytest.mark.parametrize("seed", [3, 11])
def test_a_seed_repeats_itself_step_by_step_in_another_process(seed: int) -> None:
    first = _trace_of(seed, "1")
    assert len(first.splitlines()) > 300
    # Seed 11 once changed the order of two writes under this very hash seed.
    assert first == _trace_of(seed, "3")


def test_a_failing_seed_says_which_invariant_and_how_to_replay_it(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = next(iter(GUARDS))
    with without(guard, functions):
        assert many(0, 5, functions) == 1
    output = capsys.readouterr().out
    [seed] = re.findall(r"^seed (\d+) breaks I1: two documents of ", output, re.MULTILINE)
    assert re.search(r"^ +\d+ rollup_tenant-\d+: PutItem invoices ", output, re.MULTILINE)
    assert output.endswith(f"replay it: python -m tests.simulation --seed {seed} --verbose\n")
