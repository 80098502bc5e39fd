"""Events that are given again are taken back: each once, day by day, and to the end if broken."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from invoicing.foundation.settings import settings
from invoicing.usage import taking_back
from quote_engine import Period
from tests.integration.conftest import Stack
from tests.integration.month_end.test_storage_faults import Call, faults
from tests.integration.usage.correcting import Desk, errors, hours, sent

STILL_STANDS = (
    "id: this correction left it, or it was counted or raised since; a new one takes it back"
)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    """Nothing counted yet."""
    return Desk.over(stack)


def outcomes(answer: Any) -> list[str]:
    """Returns the outcome of each event, in order."""
    return [result["outcome"] for result in answer["results"]]


def test_events_are_taken_back_whatever_their_order_and_number(desk: Desk) -> None:
    events = [sent(n) for n in range(3)]
    kept = sent(9, quantity="5")
    desk.count(*events, kept)
    answer = desk.post(desk.events([events[2], events[0], events[2], events[1]]))
    assert outcomes(answer) == ["corrected"] * 4
    assert answer["counts"]["corrected"] == 4
    assert answer["days"] == [
        {
            "tenant_id": "pilot",
            "deployment_id": "pilot",
            "day": "2026-04-15",
            "changes": {"droplet_hours": {"before": "11", "after": "5"}},
        }
    ]
    assert desk.standing() == ({"2026-04-15": hours("5")}, hours("5"))
    assert desk.count(*events, kept) == ["duplicate"] * 4
    assert desk.standing()[1] == hours("5")


def test_each_event_is_judged_by_itself(desk: Desk) -> None:
    desk.count(*(sent(n) for n in range(5)))
    desk.post(desk.event(1, "2", "0", "before"))
    desk.post(desk.event(2, "2", "1.5", "before-2"))
    key = {"deployment_period": {"S": "pilot#collector-1#e-3"}, "day": {"S": "event"}}
    forget = "REMOVE quantity, deployment_id, resource_kind, counted_on"
    desk.stack.dynamodb.update_item(TableName="usage", Key=key, UpdateExpression=forget)
    answer = desk.post(
        desk.events(
            [
                sent(0),
                sent(1),
                sent(2),
                sent(3),
                sent(4, quantity="3"),
                sent(77),
                sent(0, deployment_id="nobody"),
                sent(0, quantity="-1"),
                "noise",
            ]
        )
    )
    assert answer["status"] == 200
    assert [(result["outcome"], result["reason"]) for result in answer["results"]] == [
        ("corrected", None),
        ("unchanged", "id: nothing stands of it, since correction before"),
        ("corrected", None),
        (
            "conflict",
            "id: was counted by an earlier version, which did not keep its quantity: "
            "correct its day (`day`)",
        ),
        ("conflict", "id: is counted with other content"),
        ("unknown", "id: no such event is counted, or it is forgotten"),
        ("rejected", "deployment_id: no such deployment is known"),
        (
            "rejected",
            "quantity: must not be negative; POST /usage/corrections takes usage back",
        ),
        ("rejected", "event: must be an object"),
    ]
    # Of the five events' 10, before: 2 and 0.5. Now: 2 and 1.5.
    assert desk.standing() == ({"2026-04-15": hours("4")}, hours("4"))


def test_days_months_kinds_and_deployments_are_each_taken_back_from(desk: Desk) -> None:
    events = [
        sent(1),
        sent(2, resource_kind="egress_gb", quantity="0.25"),
        sent(3, occurred_at="2026-04-16T00:00:00Z"),
        sent(4, occurred_at="2026-03-31T23:59:59Z"),
        sent(5, deployment_id="acme", quantity="7"),
    ]
    desk.count(*events)
    answer = desk.post(desk.events(events))
    assert outcomes(answer) == ["corrected"] * 5
    assert [(day["deployment_id"], day["day"]) for day in answer["days"]] == [
        ("acme", "2026-04-15"),
        ("pilot", "2026-03-31"),
        ("pilot", "2026-04-15"),
        ("pilot", "2026-04-16"),
    ]
    assert answer["days"][2]["changes"] == {
        "droplet_hours": {"before": "2", "after": "0"},
        "egress_gb": {"before": "0.25", "after": "0"},
    }
    assert desk.standing()[1] == hours("0") | {"egress_gb": Decimal(0)}
    assert desk.standing(Period.month("2026-03"))[1] == hours("0")
    assert desk.standing(deployment_id="acme")[1] == hours("0")
    marks = {
        i["tenant_id"]["S"] + i["period_start"]["S"] for i in desk.stack.raw_items("invoices")
    }
    assert marks == {"acme2026-04~corrected", "pilot2026-03~corrected", "pilot2026-04~corrected"}


def test_a_day_with_many_events_goes_in_chunks(desk: Desk) -> None:
    # A transaction takes 100 actions, and four of them are no events.
    events = [sent(n) for n in range(97)]
    desk.count(*events)
    answer = desk.post(desk.events(events))
    assert answer["counts"]["corrected"] == 97
    changes = [day["changes"]["droplet_hours"] for day in answer["days"]]
    assert changes == [{"before": "194", "after": "2"}, {"before": "2", "after": "0"}]
    assert desk.standing() == ({"2026-04-15": hours("0")}, hours("0"))
    assert len(desk.raw("#corrections#")) == 2


def test_ninety_six_kinds_fit_into_one_chunk(desk: Desk) -> None:
    events = [sent(n, resource_kind=f"k{n:02}_{'x' * 60}") for n in range(96)]
    desk.count(*events)
    answer = desk.post(desk.events(events))
    assert len(answer["days"]) == 1
    assert set(desk.standing()[1].values()) == {Decimal(0)}


# The record, three chunks of a day, another day, and the note that all is done.
@pytest.mark.parametrize("broken", range(6))
@pytest.mark.parametrize("made", [True, False])
def test_what_is_broken_off_anywhere_is_finished_by_its_repeat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, broken: int, made: bool
) -> None:
    """A write is never made, or it is and its reply is lost; the rest never comes."""
    monkeypatch.setattr(taking_back, "EVENTS_A_CHUNK", 2)
    events = [sent(n) for n in range(5)] + [sent(500, occurred_at="2026-04-20T00:00:00Z")]
    desk.count(*events, sent(501, quantity="1"))
    writes = count()

    def break_off(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation not in ("PutItem", "TransactWriteItems", "UpdateItem"):
            return call()
        if next(writes) != broken:
            return call()
        if made:
            call()
        raise ReadTimeoutError(endpoint_url="dynamodb")

    with faults(monkeypatch, break_off):
        assert desk.post(desk.events(events))["status"] == 500
    assert next(writes) == broken + 1
    answer = desk.post(desk.events(list(reversed(events))))
    assert (answer["status"], answer["repeated"]) == (200, made or broken > 0)
    assert outcomes(answer) == ["corrected"] * 6
    after = [day["changes"]["droplet_hours"]["after"] for day in answer["days"]]
    assert after == ["7", "3", "1", "0"]
    assert desk.standing() == ({"2026-04-15": hours("1"), "2026-04-20": hours("0")}, hours("1"))
    before = desk.stack.raw_items("usage")
    again = desk.post(desk.events(events))
    assert again["days"] == answer["days"]
    assert outcomes(again) == ["corrected"] * 6
    assert desk.stack.raw_items("usage") == before


def test_a_repeat_takes_nothing_back_that_came_or_stands_again_since(desk: Desk) -> None:
    desk.count(sent(0), sent(1))
    another_day = sent(3, occurred_at="2026-04-16T00:00:00Z")
    events = [sent(0), sent(1), sent(2), another_day]
    first = desk.post(desk.events(events))
    assert outcomes(first) == ["corrected", "corrected", "unknown", "unknown"]
    desk.count(sent(2), another_day)
    desk.post(desk.event(1, "0", "1.5", "again"))
    answer = desk.post(desk.events(events))
    assert answer["days"] == first["days"]
    assert outcomes(answer) == ["corrected", *["conflict"] * 3]
    assert [result["reason"] for result in answer["results"]] == [None, *[STILL_STANDS] * 3]
    assert desk.standing()[1] == hours("5.5")
    assert outcomes(desk.post(desk.events(events, "c-2"))) == ["unchanged", *["corrected"] * 3]
    assert desk.standing()[1] == hours("0")


def test_a_repeat_is_not_refused_for_usage_that_left_the_day_since(desk: Desk) -> None:
    desk.count(sent(0), sent(1))
    desk.post(desk.events([sent(0), sent(1)]))
    desk.post(desk.event(1, "0", "1.5", "again"))
    # Another correction empties the day: what stands of the event cannot be taken off it.
    desk.post(desk.day("1.5", "0", "day"))
    assert outcomes(desk.post(desk.events([sent(0), sent(1)]))) == ["corrected", "conflict"]
    assert outcomes(desk.post(desk.events([sent(1)], "new"))) == ["conflict"]
    assert desk.standing() == ({"2026-04-15": hours("0")}, hours("0"))


def test_other_events_under_a_used_id_are_a_conflict(desk: Desk) -> None:
    desk.count(sent(0), sent(1))
    desk.post(desk.events([sent(0)]))
    answer = desk.post(desk.events([sent(0), sent(1)]))
    assert (answer["status"], list(errors(answer))) == (409, ["id"])
    assert desk.standing()[1] == hours("2")


def test_events_of_a_day_that_has_less_are_named_and_left(desk: Desk) -> None:
    events = [sent(0), sent(1), sent(2, resource_kind="egress_gb")]
    desk.count(*events)
    desk.post(desk.day("4", "3", "lower"))
    answer = desk.post(desk.events(events))
    assert outcomes(answer) == ["conflict", "conflict", "corrected"]
    assert answer["results"][0]["reason"] == (
        "quantity: 3 droplet_hours of pilot stand in 2026-04-15: 4 cannot be taken off"
    )
    assert desk.standing()[1] == hours("3") | {"egress_gb": Decimal(0)}
    # A repeat must not look as if nothing stood of them.
    again = desk.post(desk.events(events))
    assert outcomes(again) == ["conflict", "conflict", "corrected"]
    assert again["results"][0]["reason"] == STILL_STANDS


def test_a_month_of_another_tenant_and_one_too_far_back_are_left(desk: Desk) -> None:
    desk.count(sent(0), sent(1, occurred_at="2026-03-10T00:00:00Z"))
    desk.stack.dynamodb.update_item(
        TableName="usage",
        Key={"deployment_period": {"S": "pilot#2026-03"}, "day": {"S": "total"}},
        UpdateExpression="SET tenant_id = :acme",
        ExpressionAttributeValues={":acme": {"S": "acme"}},
    )
    events = [sent(0), sent(1, occurred_at="2026-03-10T00:00:00Z")]
    answer = desk.post(desk.events(events), datetime(2027, 4, 30, tzinfo=UTC))
    assert [result["reason"] for result in answer["results"]] == [
        None,
        "occurred_at: 2026-03 is more than 12 months before 2027-04: "
        "no invoice that is still to come looks at it",
    ]
    answer = desk.post(desk.events(events, "c-2"))
    assert answer["results"][1]["reason"] == (
        "deployment_id: usage of 2026-03 does not belong to tenant pilot"
    )
    assert outcomes(answer) == ["unchanged", "conflict"]


def test_an_event_counted_on_another_day_than_now_is_left(
    desk: Desk, environment: pytest.MonkeyPatch
) -> None:
    at_night = sent(0, occurred_at="2026-04-14T23:00:00Z")
    desk.count(at_night)
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    settings.cache_clear()
    answer = desk.post(desk.events([at_night]))
    settings.cache_clear()
    assert answer["results"][0]["reason"] == (
        "occurred_at: is counted on 2026-04-14, not on 2026-04-15"
    )
