"""Events that start a run and messages to a rollup are read whole or refused by field."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from invoicing.foundation.parsing import InvalidMessage
from invoicing.month_end.rollup_message import parse_rollup_message
from invoicing.month_end.start_event import parse_start
from tests.events import event

GOOD = {
    "version": 1,
    "tenant_id": "acme",
    "period": "2026-04",
    "run_id": "r1",
    "run_at": "2026-05-01T13:00:00+10:00",
    "force": False,
}


def test_a_rollup_message_is_read_with_its_moment_in_utc() -> None:
    message = parse_rollup_message(json.dumps(GOOD))
    assert message.run_at == datetime(2026, 5, 1, 3, tzinfo=UTC)
    assert (message.tenant_id, message.period, message.force) == ("acme", "2026-04", False)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2}, "version"),
        ({"force": "true"}, "force"),
        ({"version": None}, "version"),
        ({"tenant_id": "ACME"}, "tenant_id"),
        ({"tenant_id": "acme#pages"}, "tenant_id"),
        ({"tenant_id": "acme\n"}, "tenant_id"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"period": "2026-13"}, "period"),
        ({"period": "2026-4"}, "period"),
        ({"period": "٢٠٢٦-٠٤"}, "period"),
        ({"run_at": "2026-05-01T03:00:00"}, "run_at"),
        ({"run_at": "9999-12-31T23:59:59-14:00"}, "run_at"),
        ({"run_at": "0001-01-01T00:00:00+14:00"}, "run_at"),
        ({"run_id": ""}, "run_id"),
        ({"tennant_id": "acme"}, "tennant_id"),
    ],
)
def test_a_faulty_field_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidMessage, match=f"^{named}: "):
        parse_rollup_message(json.dumps(GOOD | change))


@pytest.mark.parametrize("body", ["", "{not json", "[]", "null", '"text"'])
def test_what_is_no_message_is_refused(body: str) -> None:
    with pytest.raises(InvalidMessage):
        parse_rollup_message(body)


def test_the_scheduled_event_brings_its_own_time_and_id() -> None:
    request = parse_start(event("start_month_end"))
    assert request.time == datetime(2026, 5, 1, 3, tzinfo=UTC)
    assert request.run_id == "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11"
    assert (request.period, request.tenant_ids, request.force) == (None, None, False)


def test_an_explicit_event_overrides() -> None:
    request = parse_start(event("start_month_end_explicit"))
    assert request.period == "2026-04"
    assert request.tenant_ids == ("pilot", "acme")
    assert request.force


def test_an_empty_event_asks_for_the_month_before_now() -> None:
    request = parse_start({})
    assert (request.period, request.time, request.tenant_ids) == (None, None, None)


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ({"tenant_id": "acme"}, "tenant_id"),
        ({"tenant_ids": []}, "tenant_ids"),
        ({"tenant_ids": "acme"}, "tenant_ids"),
        ({"tenant_ids": ["a b"]}, "tenant_ids.0"),
        ({"period": "April"}, "period"),
        ({"time": "2026-05-01T03:00:00"}, "time"),
        ({"time": "9999-12-31T23:59:59-14:00"}, "time"),
        ({"force": "perhaps"}, "force"),
        ({"force": "yes"}, "force"),
        ({"force": 1}, "force"),
        ([], "event"),
        ({"continuation": {"period": "2026-04"}}, "run_id"),
        ({"detail-type": "Scheduled Event", "id": "x"}, "time"),
    ],
)
def test_a_misspelt_start_starts_nothing(start: Any, named: str) -> None:
    with pytest.raises(InvalidMessage, match=f"{named}: "):
        parse_start(start)
