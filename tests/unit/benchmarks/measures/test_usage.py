"""The usage rows count what DynamoDB would charge and store."""

import pytest

from benchmarks.measures.usage import (
    longest_dedupe_bytes,
    units_an_event,
    usual_dedupe_bytes,
)


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


def test_what_is_stored_of_an_event_is_one_write_unit_whatever_its_names() -> None:
    # Names and values of all attributes; a number is half its digits and one more.
    names = len("deployment_perioddaytenant_iddigestdeployment_idresource_kind")
    names += len("counted_onquantityexpires_at")
    key = "tenant-0#collector-1#018f3c2a-7d0e-4e0f-9a39-000000000000"
    values = ["event", "tenant-0", "0" * 32, "deployment-0", "droplet_hours", "2026-04-30"]
    assert usual_dedupe_bytes() == names + len(key) + sum(map(len, values)) + 2 + 5
    assert longest_dedupe_bytes() <= 1024
