"""A correction as it is asked for: one of three forms, and an id that keeps to its content."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.usage.correction import (
    Correction,
    InvalidCorrection,
    day_fault,
    month_fault,
    read_correction,
)

DAY: dict[str, Any] = {
    "deployment_id": "pilot",
    "resource_kind": "droplet_hours",
    "day": "2026-04-15",
    "expect": "20000",
    "quantity": "200",
}
EVENT: dict[str, Any] = {
    "deployment_id": "pilot",
    "source": "collector-1",
    "id": "e-1",
    "expect": "24",
    "quantity": "0",
}
SENT: dict[str, Any] = {
    "id": "e-1",
    "source": "collector-1",
    "deployment_id": "pilot",
    "resource_kind": "droplet_hours",
    "quantity": "24",
    "occurred_at": "2020-04-30T23:00:00Z",
}
TWELVE = "999999999999"


def body(**fields: Any) -> dict[str, Any]:
    """Returns a correction's body with these fields."""
    return {"id": "ticket-4711", "reason": "typed for 200"} | fields


def day(**changes: Any) -> Correction:
    """Reads the correction of a day, with these fields of it changed."""
    return read_correction(body(day=DAY | changes))


def reasons(sent: Any) -> dict[str, str]:
    """Returns why a body is refused, by field."""
    with pytest.raises(InvalidCorrection) as refusal:
        read_correction(sent)
    return dict(refusal.value.reasons)


def test_each_form_is_read() -> None:
    change = day().day
    assert change is not None
    assert (change.day, change.expect, change.quantity) == (
        date(2026, 4, 15),
        Decimal(20000),
        Decimal(200),
    )
    one = read_correction(body(event=EVENT)).event
    assert one is not None
    assert (one.key, one.expect, one.quantity) == ("collector-1#e-1", Decimal(24), Decimal(0))
    several = read_correction(body(events=[SENT, "noise", SENT | {"id": "e-2"}]))
    assert [event.id for event in several.valid_events] == ["e-1", "e-2"]
    assert [read_correction(body(**form)).form for form in ({"day": DAY}, {"event": EVENT})] == [
        "day",
        "event",
    ]
    assert several.form == "events"


@pytest.mark.parametrize(
    "forms",
    [
        {},
        {"day": DAY, "event": EVENT},
        {"day": DAY, "events": [SENT]},
        {"day": DAY, "event": EVENT, "events": [SENT]},
    ],
)
def test_exactly_one_form_is_needed(forms: dict[str, Any]) -> None:
    assert reasons(body(**forms)) == {"body": "exactly one of day, event and events is needed"}


@pytest.mark.parametrize(
    ("sent", "field", "reason"),
    [
        (body(day=DAY, id=""), "id", "String should match"),
        (body(day=DAY, id="a" * 65), "id", "String should match"),
        (body(day=DAY, id="a b"), "id", "String should match"),
        (body(day=DAY, id="a#b"), "id", "String should match"),
        (body(day=DAY, reason="   "), "reason", "at least 1 character"),
        (body(day=DAY, reason="a" * 501), "reason", "at most 500 characters"),
        (body(day=DAY, reason="a\nb"), "reason", "must be printable text on one line"),
        (body(day=DAY | {"expect": 20000}), "day.expect", "must be a decimal string"),
        (body(day=DAY | {"expect": "-1"}), "day.expect", "must not be negative"),
        (body(day=DAY | {"expect": "1" * 27}), "day.expect", "more than 26 digits"),
        (body(day=DAY | {"quantity": "1" + TWELVE}), "day.quantity", "more than 12 digits"),
        (body(day=DAY | {"quantity": "0." + "1" * 13}), "day.quantity", "more than 12 decimals"),
        (body(day=DAY | {"quantity": "-200"}), "day.quantity", "must not be negative"),
        (body(day=DAY | {"quantity": "20000.0"}), "day", "nothing to correct"),
        (body(day=DAY | {"resource_kind": "tenant_id"}), "day.resource_kind", "cannot be"),
        (body(day=DAY | {"resource_kind": "Imports"}), "day.resource_kind", "should match"),
        (body(day=DAY | {"day": "2026-4-15"}), "day.day", "must be a day such as"),
        (body(day=DAY | {"day": "2026-02-30"}), "day.day", "valid date"),
        (body(day=DAY | {"deployment_id": "a#b"}), "day.deployment_id", "should match"),
        (body(event=EVENT | {"id": "a" * 129}), "event.id", "should match"),
        (body(event=EVENT | {"source": "a#b"}), "event.source", "should match"),
        (body(event=EVENT | {"expect": "0.00"}), "event", "nothing to correct"),
        (body(events=[]), "events", "at least 1"),
        (body(events=[SENT] * 1001), "events", "must have at most 1000 in it"),
        (body(events="e-1"), "events", "must be a list"),
        (body(day=DAY, by="me"), "by", "not permitted"),
        ("noise", "body", "must be an object"),
    ],
)
def test_a_faulty_field_is_named(sent: Any, field: str, reason: str) -> None:
    refused = reasons(sent)
    assert refused.keys() == {field}
    assert reason in refused[field]


def test_the_bounds_of_what_is_expected_and_put_in_its_place() -> None:
    longest = day(expect="9" * 26 + "." + "9" * 12, quantity=TWELVE + "." + "9" * 12).day
    assert longest is not None
    assert longest.quantity == Decimal("999999999999.999999999999")
    assert longest.expect == Decimal("9" * 26 + "." + "9" * 12)
    assert len(read_correction(body(events=[SENT] * 1000)).valid_events) == 1000


def test_the_same_content_has_one_digest_however_it_is_written() -> None:
    assert day().digest == day(expect="20000.00", quantity="0200").digest
    assert day().digest == read_correction(body(id="another", day=DAY)).digest
    first = read_correction(body(events=[SENT, SENT | {"id": "e-2"}]))
    assert first.digest == read_correction(body(events=[SENT | {"id": "e-2"}, SENT])).digest


def test_other_content_has_another_digest() -> None:
    several = [SENT, SENT | {"id": "e-2"}]
    corrections = [
        day(),
        *(day(**{name: "1"}) for name in ("deployment_id", "resource_kind", "expect", "quantity")),
        day(day="2026-04-16"),
        read_correction(body(day=DAY, reason="another")),
        *(read_correction(body(event=EVENT | {name: "1"})) for name in EVENT),
        *(read_correction(body(events=events)) for events in (several, several[:1])),
        read_correction(body(events=[SENT | {"quantity": "23"}])),
    ]
    assert len({correction.digest for correction in corrections}) == len(corrections)


@pytest.mark.parametrize(
    ("wanted", "today", "fault"),
    [
        (date(2026, 11, 28), date(2026, 11, 28), None),
        (date(2026, 11, 29), date(2026, 11, 28), "2026-11-29 has not come yet"),
        # A year back, whatever the day of the month, and over New Year.
        (date(2025, 11, 1), date(2026, 11, 30), None),
        (date(2025, 10, 31), date(2026, 11, 1), "2025-10 is more than 12 months before 2026-11"),
        (date(2025, 1, 1), date(2026, 1, 31), None),
        (date(2024, 12, 31), date(2026, 1, 1), "2024-12 is more than 12 months before 2026-01"),
        (date(2025, 8, 31), date(2026, 1, 1), None),
        (date(1, 1, 1), date(2026, 1, 1), "0001-01 is more than 12 months before 2026-01"),
        (date(9999, 12, 31), date(2026, 1, 1), "9999-12-31 has not come yet"),
    ],
)
def test_a_day_is_corrected_within_a_year(wanted: date, today: date, fault: str | None) -> None:
    found = day_fault(wanted, today)
    assert (found or "").startswith(fault or "")
    assert (found is None) == (fault is None)


def test_an_event_counted_a_day_ahead_is_no_day_to_come() -> None:
    assert month_fault(date(2026, 12, 1), date(2026, 11, 30)) is None
