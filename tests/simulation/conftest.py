"""The functions that ship, over the simulation's AWS."""

from collections.abc import Iterator

import pytest

from tests.simulation.world.functions import Functions, simulated_functions


@pytest.fixture(scope="module")
def functions() -> Iterator[Functions]:
    """Loads the functions once; every seed starts them cold."""
    with simulated_functions() as loaded:
        yield loaded
