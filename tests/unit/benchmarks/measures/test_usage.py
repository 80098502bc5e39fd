"""The usage rows count what DynamoDB would charge."""

import pytest

from benchmarks.measures.usage import units_an_event


@pytest.mark.parametrize(
    ("events", "deployments", "units"),
    [
        # A transacted write is two units: the event, its day, its month total.
        (1, 1, 6),
        # Two transactions of 98 and 2 events: 2 x (100 + 2 x 2) / 100.
        (100, 1, 2.08),
        # Eleven transactions: 2 x (1,000 + 11 x 2) / 1,000.
        (1000, 1, 2.044),
        # Fifty of 20 events: 2 x (1,000 + 50 x 2) / 1,000.
        (1000, 50, 2.2),
    ],
)
def test_units_an_event(events: int, deployments: int, units: float) -> None:
    assert units_an_event(events, deployments) == pytest.approx(units)
