"""One metered event: read whole, or rejected with the field named."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.usage.metering import results_json
from invoicing.usage.usage_event import UsageEvent, UsageOutcome, UsageResult, read_event, rejected

RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)
GOOD = {
    "id": "e-1",
    "source": "collector-1",
    "deployment_id": "pilot",
    "resource_kind": "droplet_hours",
    "quantity": "24",
    "occurred_at": "2026-04-30T23:00:00Z",
}


def read(**changes: Any) -> UsageEvent | UsageResult:
    """Reads the good event with these changes, as received on 1 May 2026."""
    return read_event(GOOD | changes, RECEIVED)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({}, "quantity", Decimal(24)),
        ({"quantity": "0"}, "quantity", Decimal(0)),
        ({"quantity": "0.000000000001"}, "quantity", Decimal("0.000000000001")),
        ({"quantity": "999999999999"}, "quantity", Decimal("999999999999")),
        (
            {"quantity": "999999999999.999999999999"},
            "quantity",
            Decimal("999999999999.999999999999"),
        ),
        ({"id": "x" * 128}, "id", "x" * 128),
        ({"source": "x" * 64}, "source", "x" * 64),
        ({"deployment_id": "x" * 64}, "deployment_id", "x" * 64),
        ({"resource_kind": "x" * 64}, "resource_kind", "x" * 64),
        ({"quantity": "0000999999999999.0"}, "quantity", Decimal("999999999999.0")),
        (
            {"occurred_at": "2026-05-01T09:00:00+10:00"},
            "occurred_at",
            datetime(2026, 4, 30, 23, tzinfo=UTC),
        ),
        (
            {"occurred_at": "2026-04-30T23:00:00.25Z"},
            "occurred_at",
            datetime(2026, 4, 30, 23, 0, 0, 250_000, tzinfo=UTC),
        ),
        ({"occurred_at": "2026-05-02T00:00:00Z"}, "id", "e-1"),
        ({"occurred_at": "2026-01-31T00:00:00Z"}, "id", "e-1"),
    ],
)
def test_a_good_event_is_read(changes: dict[str, Any], field: str, value: Any) -> None:
    event = read(**changes)
    assert isinstance(event, UsageEvent)
    assert getattr(event, field) == value


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": "-1"}, "quantity: must not be negative"),
        ({"quantity": "many"}, "quantity: must be a decimal string"),
        ({"quantity": 24}, "quantity: must be a decimal string"),
        ({"quantity": 24.5}, "quantity: must be a decimal string"),
        ({"quantity": True}, "quantity: must be a decimal string"),
        ({"quantity": "1e3"}, "quantity: must be a decimal string"),
        ({"quantity": "NaN"}, "quantity: must be a decimal string"),
        ({"quantity": "٣"}, "quantity: must be a decimal string"),
        ({"quantity": ".5"}, "quantity: must be a decimal string"),
        ({"quantity": "1\n"}, "quantity: must be a decimal string"),
        ({"quantity": "0.0000000000001"}, "quantity: has more than 12 decimals"),
        ({"quantity": "1000000000000"}, "quantity: has more than 12 digits before the point"),
        ({"occurred_at": "2026-04-30T23:00:00"}, "occurred_at: must be an RFC 3339"),
        ({"occurred_at": "2026-04-30"}, "occurred_at: must be an RFC 3339"),
        ({"occurred_at": 1777590000}, "occurred_at: must be an RFC 3339"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at: "),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at: must be between "),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at: must be between "),
        ({"occurred_at": "0001-01-01T00:00:00Z"}, "occurred_at: more than 90 days ago"),
        ({"occurred_at": "2026-01-30T23:59:59Z"}, "occurred_at: more than 90 days ago"),
        ({"occurred_at": "2026-05-02T00:00:01Z"}, "occurred_at: more than 24 hours ahead"),
        ({"id": ""}, "id: "),
        ({"id": "a b"}, "id: "),
        ({"id": "x" * 129}, "id: "),
        ({"source": "x" * 65}, "source: "),
        ({"deployment_id": "x" * 65}, "deployment_id: "),
        ({"resource_kind": "x" * 65}, "resource_kind: "),
        ({"source": "a#b"}, "source: "),
        ({"deployment_id": "a#2026-04"}, "deployment_id: "),
        ({"resource_kind": "tenant_id"}, "resource_kind: "),
        ({"resource_kind": "GPU"}, "resource_kind: "),
        ({"tenant_id": "acme"}, "tenant_id: Extra inputs are not permitted"),
    ],
)
def test_a_faulty_event_is_rejected_by_field(changes: dict[str, Any], reason: str) -> None:
    result = read(**changes)
    assert isinstance(result, UsageResult)
    assert result.outcome is UsageOutcome.REJECTED
    assert result.reason.startswith(reason)


@pytest.mark.parametrize("raw", [None, 5, "text", [], {}, {"id": 5, "source": None}])
def test_what_is_no_event_is_rejected_and_breaks_nothing(raw: Any) -> None:
    result = read_event(raw, RECEIVED)
    assert isinstance(result, UsageResult)
    assert (result.id, result.source) == (None, None)


def test_what_is_accepted_is_remembered_for_longer_than_it_is_acceptable() -> None:
    event = read(occurred_at="2026-05-02T00:00:00Z")
    assert isinstance(event, UsageEvent)
    last_accepted = event.occurred_at + timedelta(days=90)
    # A message that was sent then may wait on its queues for 14 days before it is read.
    assert event.expires_at > last_accepted + timedelta(days=14)
    assert isinstance(read_event(GOOD, RECEIVED + timedelta(days=91)), UsageResult)


def test_the_same_event_has_the_same_digest_however_it_is_written() -> None:
    texts = ({"quantity": "24.0"}, {"occurred_at": "2026-05-01T09:00:00+10:00"}, {"id": "e-2"})
    events = [read(), *(read(**change) for change in texts)]
    assert len({event.digest for event in events if isinstance(event, UsageEvent)}) == 1
    near = [read(quantity=f"123456789012.1234567{end}") for end in ("81111", "84444")]
    assert len({event.digest for event in near if isinstance(event, UsageEvent)}) == 2
    more = read(quantity="24.000000000001")
    assert isinstance(more, UsageEvent)
    assert isinstance(events[0], UsageEvent)
    assert more.digest != events[0].digest


def test_only_the_beginning_of_a_very_long_id_is_returned() -> None:
    result = rejected({"id": "x" * 10_000_000, "source": "s"}, "id: too long")
    assert (len(result.id or ""), result.source) == (200, "s")


@pytest.mark.parametrize(
    ("received", "reason"),
    [
        (datetime(1, 1, 2, tzinfo=UTC), "occurred_at: more than 24 hours ahead"),
        (datetime(9999, 12, 31, tzinfo=UTC), "occurred_at: more than 90 days ago"),
    ],
)
def test_the_ends_of_the_calendar_are_no_limit_to_when_an_event_comes(
    received: datetime, reason: str
) -> None:
    result = read_event(GOOD, received)
    assert isinstance(result, UsageResult)
    assert result.reason == reason


@pytest.mark.parametrize("raw", [None, 5, "text", []])
def test_what_is_no_object_is_rejected_as_such(raw: Any) -> None:
    result = read_event(raw, RECEIVED)
    assert isinstance(result, UsageResult)
    assert result.reason == "event: must be an object"


@pytest.mark.parametrize("character", ["x", '"', "\\", "\x01", "ж", "\U0001f600"])
def test_a_thousand_rejections_fit_into_one_answer(character: str) -> None:
    raw = {"id": character * 5000, "source": character * 5000, character * 5000: 1}
    result = read_event(raw, RECEIVED)
    assert isinstance(result, UsageResult)
    # As Lambda sends it: JSON in JSON, of at most 6 MB.
    answer = json.dumps({"body": json.dumps(results_json([result] * 1000))})
    assert len(answer) < 6 * 1024 * 1024


def test_only_the_beginning_of_a_long_reason_is_returned() -> None:
    result = read_event(GOOD | {"x" * 5000: 1}, RECEIVED)
    assert isinstance(result, UsageResult)
    assert result.reason == "x" * 500
