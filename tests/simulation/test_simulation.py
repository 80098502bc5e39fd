"""Month-ends under faults on 300 seeds. More: `make simulate SEEDS=100000 FROM=300`."""

from collections import Counter

import pytest

from tests.simulation.aws.faults import Fault, every_fault
from tests.simulation.stage.report import InvariantViolated, replay_command
from tests.simulation.story import tell
from tests.simulation.world.functions import Functions

SEEDS, PARTS = 300, 2


@pytest.mark.parametrize("part", range(PARTS))
def test_no_fault_breaks_an_invariant_and_every_tenant_is_invoiced(
    functions: Functions, part: int
) -> None:
    faults: Counter[tuple[Fault, str]] = Counter()
    looks = repeated = 0
    for seed in range(part, SEEDS, PARTS):
        try:
            outcome = tell(seed, functions)
        except InvariantViolated as error:
            trace = "\n".join(getattr(error, "__notes__", ()))
            pytest.fail(f"{trace}\nseed {seed} breaks {error}\n{replay_command(seed)}")
        faults += outcome.faults
        looks += outcome.looks
        repeated += outcome.repeated
    # A simulator that injects nothing, reads nothing and repeats nothing would pass as well.
    assert sorted(every_fault() - faults.keys()) == []
    assert looks > SEEDS
    assert repeated > SEEDS / PARTS
