"""A correction of a day or of an event: once for its id, and only of what is expected to stand."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation.settings import settings
from invoicing.usage.corrections_table import CorrectionsTable
from local.handlers import LambdaContext, load_handler
from quote_engine import Period
from tests.events import event
from tests.integration.conftest import APRIL, Stack
from tests.integration.usage.correcting import Desk, errors, hours, sent

TWELVE = "999999999999"


@pytest.fixture
def desk(stack: Stack) -> Desk:
    """Ten events of 2 hours each, on 15 April."""
    desk = Desk.over(stack)
    assert desk.count(*(sent(n) for n in range(10))) == ["accepted"] * 10
    return desk


def test_a_day_is_set_to_what_it_should_be_and_everything_says_so(desk: Desk) -> None:
    answer = desk.post(desk.day("20", "0.2"))
    assert answer == {
        "status": 200,
        "id": "c-1",
        "form": "day",
        "reason": "typo",
        "by": "someone",
        "at": "2026-05-01T00:00:00.000+00:00",
        "repeated": False,
        "days": [
            {
                "tenant_id": "pilot",
                "deployment_id": "pilot",
                "day": "2026-04-15",
                "changes": {"droplet_hours": {"before": "20", "after": "0.2"}},
            }
        ],
        "results": [],
        "counts": dict.fromkeys(("corrected", "unchanged", "unknown", "conflict", "rejected"), 0),
    }
    assert desk.standing() == ({"2026-04-15": hours("0.2")}, hours("0.2"))


def test_the_items_of_a_correction_are_stored_as_they_are_described(desk: Desk) -> None:
    desk.post(desk.day("20", "0.2"))
    who = {
        "actor_id": {"S": "6d0f5c0e-5b2a-4d37-9a37-c0ffee000001"},
        "actor_name": {"S": "someone"},
        "reason": {"S": "typo"},
    }
    at = "2026-05-01T00:00:00.000+00:00"
    [record] = desk.raw("#correction#")
    assert [len(record.pop(name)["S"]) for name in ("digest", "attempt")] == [32, 32]
    assert record == who | {
        "deployment_period": {"S": "#correction#c-1"},
        "day": {"S": "correction"},
        "form": {"S": "day"},
        "at": {"S": at},
        "tenant_id": {"S": "pilot"},
        "deployment_id": {"S": "pilot"},
        "counted_on": {"S": "2026-04-15"},
    }
    changes = {"M": {"before": {"N": "20"}, "after": {"N": "0.2"}}}
    assert desk.raw("#corrections#") == [
        who
        | {
            "deployment_period": {"S": "#corrections#pilot#2026-04"},
            "day": {"S": f"2026-04-15#{at}#c-1#0000"},
            "tenant_id": {"S": "pilot"},
            "changes": {"M": {"droplet_hours": changes}},
        }
    ]
    assert desk.stack.raw_items("invoices") == [
        {
            "tenant_id": {"S": "pilot"},
            "period_start": {"S": "2026-04~corrected"},
            "corrected_at": {"S": at},
        }
    ]


def test_a_repeat_changes_nothing_and_answers_as_the_first_did(desk: Desk) -> None:
    first = desk.post(desk.day("20", "5"))
    before = desk.stack.raw_items("usage")
    # A year and a half later the month is too old for a correction, but this one was made.
    for at in (datetime(2026, 5, 1, 1, tzinfo=UTC), datetime(2027, 10, 1, tzinfo=UTC)):
        again = desk.post(desk.day("20.0", "5.00"), at)
        assert again == first | {"repeated": True}
    assert desk.stack.raw_items("usage") == before


def test_an_id_keeps_to_its_content(desk: Desk) -> None:
    desk.post(desk.day("20", "5"))
    for other in (
        desk.day("5", "4"),
        desk.day("20", "5", day="2026-04-16"),
        desk.day("20", "5") | {"reason": "another"},
        desk.event(1, "2", "0"),
        desk.events([sent(1)]),
    ):
        answer = desk.post(other)
        assert answer["status"] == 409
        assert errors(answer) == {
            "id": "was used at 2026-05-01T00:00:00.000+00:00 for another correction, by someone"
        }
    assert desk.standing() == ({"2026-04-15": hours("5")}, hours("5"))


def test_the_same_content_under_another_id_is_judged_by_what_it_expects(desk: Desk) -> None:
    desk.post(desk.day("20", "5"))
    answer = desk.post(desk.day("20", "5", "c-2"))
    assert answer["status"] == 409
    said = "5 droplet_hours stand on 2026-04-15, not 20"
    assert errors(answer) == {"day.expect": said}
    desk.post(desk.day("5", "20", "c-3"))
    assert desk.post(desk.day("20", "5", "c-2"))["repeated"] is False
    assert desk.standing() == ({"2026-04-15": hours("5")}, hours("5"))
    traces = CorrectionsTable("usage").of_month("pilot", APRIL)
    told = [
        (trace.correction_id, *(str(figure) for figure in (change.before, change.after)))
        for trace in traces
        for change in trace.changes.values()
    ]
    assert told == [("c-1", "20", "5"), ("c-2", "20", "5"), ("c-3", "5", "20")]


def test_a_refused_correction_leaves_its_id_free(desk: Desk) -> None:
    before = desk.stack.raw_items("usage")
    assert desk.post(desk.day("19", "5"))["status"] == 409
    assert desk.stack.raw_items("usage") == before
    assert desk.post(desk.day("20", "5"))["repeated"] is False


def test_usage_that_nobody_metered_is_added_with_a_trace(desk: Desk) -> None:
    added = desk.post(desk.day("0", "7.5", resource_kind="backup_gb", day="2026-04-02"))
    assert added["days"][0]["changes"] == {"backup_gb": {"before": "0", "after": "7.5"}}
    backup = {"backup_gb": Decimal("7.5")}
    days = {"2026-04-02": backup, "2026-04-15": hours("20")}
    assert desk.standing() == (days, backup | hours("20"))
    # In a month without any usage, too: from now on the month is the tenant's.
    desk.post(desk.day("0", "1", "c-2", day="2026-03-31"))
    assert desk.standing(Period.month("2026-03")) == ({"2026-03-31": hours("1")}, hours("1"))
    assert [i["tenant_id"]["S"] for i in desk.raw("pilot#2026-03")] == ["pilot", "pilot"]


def test_what_is_taken_to_nothing_stands_as_nothing(desk: Desk) -> None:
    desk.post(desk.day("20", "0"))
    assert desk.standing() == ({"2026-04-15": hours("0")}, hours("0"))
    assert desk.post(desk.day("0", "3", "c-2"))["status"] == 200
    assert desk.standing() == ({"2026-04-15": hours("3")}, hours("3"))


def test_other_days_kinds_and_deployments_stay_as_they_are(desk: Desk) -> None:
    other_day = sent(20, occurred_at="2026-04-16T00:00:00Z")
    desk.count(sent(21, resource_kind="egress_gb"), other_day, sent(22, deployment_id="acme"))
    desk.post(desk.day("20", "1"))
    egress = {"egress_gb": Decimal(2)}
    days = {"2026-04-15": hours("1") | egress, "2026-04-16": hours("2")}
    assert desk.standing() == (days, hours("3") | egress)
    assert desk.standing(deployment_id="acme")[1] == hours("2")


def test_an_event_is_corrected_and_a_resend_of_it_is_a_duplicate(desk: Desk) -> None:
    answer = desk.post(desk.event(3, "2", "0.5"))
    assert answer["days"][0]["changes"] == {"droplet_hours": {"before": "20", "after": "18.5"}}
    assert desk.standing() == ({"2026-04-15": hours("18.5")}, hours("18.5"))
    [item] = desk.raw("pilot#collector-1#e-3")
    assert (item["quantity"], item["corrected_by"]) == ({"N": "0.5"}, {"S": "c-1"})
    assert desk.count(sent(3)) == ["duplicate"]
    assert desk.standing()[1] == hours("18.5")
    again = desk.post(desk.event(3, "2", "0.5"))
    assert again == answer | {"repeated": True}
    refused = desk.post(desk.event(3, "2", "0", "c-2"))
    said = "0.5 droplet_hours stand of it since correction c-1, not 2"
    assert (refused["status"], errors(refused)) == (409, {"event.expect": said})
    assert desk.post(desk.event(3, "0.5", "2", "c-3"))["status"] == 200
    assert desk.standing()[1] == hours("20")


def test_a_repeat_of_an_events_correction_is_answered_when_the_event_is_forgotten(
    desk: Desk,
) -> None:
    first = desk.post(desk.event(3, "2", "0"))
    key = {"deployment_period": {"S": "pilot#collector-1#e-3"}, "day": {"S": "event"}}
    desk.stack.dynamodb.delete_item(TableName="usage", Key=key)
    assert desk.post(desk.event(3, "2", "0")) == first | {"repeated": True}
    assert desk.post(desk.event(3, "0", "2", "c-2"))["status"] == 404


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": "e-77"}, "event: it was never counted, or it is forgotten. Correct its day"),
        ({"source": "collector-2"}, "event: it was never counted"),
        ({"deployment_id": "acme"}, "event: it was never counted"),
        ({"deployment_id": "nobody"}, "deployment."),
    ],
)
def test_what_is_not_there_is_a_404(desk: Desk, changes: dict[str, str], what: str) -> None:
    answer = desk.post(desk.event(3, "2", "0", **changes))
    assert answer["status"] == 404
    assert answer["detail"].startswith(f"There is no such {what}")
    assert desk.raw("#") == []


def test_a_day_of_an_unknown_deployment_is_a_404(desk: Desk) -> None:
    answer = desk.post(desk.day("0", "1", deployment_id="nobody"))
    assert (answer["status"], answer["detail"]) == (404, "There is no such deployment.")


def test_an_event_of_the_tenants_other_deployment_is_named(desk: Desk) -> None:
    second = Segment("pilot", "second", date(2026, 1, 1), None, "studio", 1)
    SubscriptionsTable(desk.stack.accounts.name).put(second)
    answer = desk.post(desk.event(3, "2", "0", deployment_id="second"))
    assert answer["status"] == 409
    assert errors(answer) == {"event.deployment_id": "the event is counted for pilot"}


def test_an_event_that_an_earlier_version_counted_needs_its_day(desk: Desk) -> None:
    key = {"deployment_period": {"S": "pilot#collector-1#e-3"}, "day": {"S": "event"}}
    desk.stack.dynamodb.update_item(
        TableName="usage",
        Key=key,
        UpdateExpression="REMOVE quantity, deployment_id, resource_kind, counted_on",
    )
    answer = desk.post(desk.event(3, "2", "0"))
    assert answer["status"] == 409
    assert errors(answer) == {
        "event.id": "was counted by an earlier version, which did not keep its quantity: "
        "correct its day (`day`)"
    }
    assert desk.post(desk.day("20", "18"))["status"] == 200


def test_a_day_never_falls_below_nothing(desk: Desk) -> None:
    desk.post(desk.day("20", "1"))
    answer = desk.post(desk.event(3, "2", "0", "c-2"))
    said = "1 droplet_hours of pilot stand in 2026-04-15: 2 cannot be taken off"
    assert (answer["status"], errors(answer)) == (409, {"event.quantity": said})
    # By exactly what stands it can be lowered.
    desk.post(desk.day("1", "2", "c-3"))
    assert desk.post(desk.event(3, "2", "0", "c-2"))["status"] == 200
    assert desk.standing() == ({"2026-04-15": hours("0")}, hours("0"))


def test_a_total_never_falls_below_nothing(desk: Desk) -> None:
    set_total(desk.stack, "5")
    answer = desk.post(desk.day("20", "14.9"))
    said = "5 droplet_hours of pilot stand in 2026-04: 5.1 cannot be taken off"
    assert (answer["status"], errors(answer)) == (409, {"day.quantity": said})
    assert desk.post(desk.day("20", "15"))["status"] == 200
    assert desk.standing() == ({"2026-04-15": hours("15")}, hours("0"))


def set_total(stack: Stack, quantity: str) -> None:
    """Sets April's total, as nothing but a hand would."""
    stack.dynamodb.update_item(
        TableName="usage",
        Key={"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": "total"}},
        UpdateExpression="SET droplet_hours = :q",
        ExpressionAttributeValues={":q": {"N": quantity}},
    )


def test_a_total_keeps_twelve_digits_before_the_point(desk: Desk) -> None:
    more = "999999999979.999999999999"
    full = desk.post(desk.day("0", "999999999980", day="2026-04-16"))
    assert full["status"] == 409
    assert errors(full) == {
        "day.quantity": "20 droplet_hours of pilot stand in 2026-04: with 999999999980 more it "
        "would have more than 12 digits before the point"
    }
    assert desk.post(desk.day("0", more, day="2026-04-16"))["status"] == 200
    assert desk.standing()[1] == hours(f"{TWELVE}.999999999999")
    answer = desk.post(desk.day("20", "20.000000000001", "c-2"))
    assert answer["status"] == 409
    assert desk.post(desk.day("20", "19", "c-3"))["status"] == 200


def test_more_than_twelve_digits_that_an_earlier_version_counted_are_taken_back(
    desk: Desk,
) -> None:
    twenty = "99999999999999999999"
    for sort_key in ("2026-04-15", "total"):
        desk.stack.dynamodb.update_item(
            TableName="usage",
            Key={"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": sort_key}},
            UpdateExpression="SET droplet_hours = :q",
            ExpressionAttributeValues={":q": {"N": twenty}},
        )
    assert desk.post(desk.day(twenty, "20"))["status"] == 200
    assert desk.standing() == ({"2026-04-15": hours("20")}, hours("20"))


def test_a_month_of_another_tenant_is_not_touched(desk: Desk) -> None:
    desk.stack.usage.add("acme", "pilot", date(2026, 3, 3), hours("4"))
    answer = desk.post(desk.day("4", "0", day="2026-03-03"))
    said = "usage of 2026-03 does not belong to tenant pilot"
    assert (answer["status"], errors(answer)) == (409, {"day.deployment_id": said})


@pytest.mark.parametrize(
    ("day", "at", "reason"),
    [
        ("2026-05-01", datetime(2026, 4, 30, 23, 59, tzinfo=UTC), "2026-05-01 has not come yet"),
        (
            "2025-04-30",
            datetime(2026, 5, 1, tzinfo=UTC),
            "2025-04 is more than 12 months before 2026-05: "
            "no invoice that is still to come looks at it",
        ),
    ],
)
def test_days_to_come_and_months_too_far_back_are_refused(
    desk: Desk, day: str, at: datetime, reason: str
) -> None:
    answer = desk.post(desk.day("0", "1", day=day), at)
    assert (answer["status"], errors(answer)) == (400, {"day.day": reason})
    assert desk.raw("#") == []


@pytest.mark.parametrize(
    ("day", "at"),
    [
        ("2026-05-01", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2025-05-01", datetime(2026, 5, 31, 23, 59, tzinfo=UTC)),
    ],
)
def test_today_and_a_month_a_year_back_are_corrected(desk: Desk, day: str, at: datetime) -> None:
    assert desk.post(desk.day("0", "1", day=day), at)["status"] == 200


def test_an_event_too_far_back_is_refused_by_the_day_it_was_counted_on(desk: Desk) -> None:
    late = datetime(2027, 5, 1, tzinfo=UTC)
    answer = desk.post(desk.event(3, "2", "0"), late)
    assert answer["status"] == 409
    assert errors(answer)["event.id"].startswith(
        "is counted on 2026-04-15: 2026-04 is more than 12 months before 2027-05"
    )
    assert desk.post(desk.event(3, "2", "0"), datetime(2027, 4, 30, tzinfo=UTC))["status"] == 200


def test_days_are_those_of_the_billing_zone(stack: Stack, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    settings.cache_clear()
    desk = Desk.over(stack)
    # 14:30 UTC on 30 April is 00:30 on 1 May in Sydney, and 1 May has come there.
    desk.count(sent(1, occurred_at="2026-04-30T14:30:00Z"))
    at = datetime(2026, 4, 30, 15, tzinfo=UTC)
    assert desk.post(desk.day("2", "1", day="2026-05-01"), at)["status"] == 200
    assert desk.standing(Period.month("2026-05")) == ({"2026-05-01": hours("1")}, hours("1"))
    answer = desk.post(desk.day("0", "1", "c-2", day="2026-05-02"), at)
    assert errors(answer) == {"day.day": "2026-05-02 has not come yet"}
    settings.cache_clear()


def test_only_admins_may_correct_usage(desk: Desk) -> None:
    before = desk.stack.raw_items("usage")
    for groups in ("metering", "tenant:pilot", ""):
        assert desk.post(desk.day("20", "0"), groups=groups)["status"] == 403
    stranger = desk.function.handler(event("correct_usage_stranger"), LambdaContext())
    assert stranger["statusCode"] == 403
    assert desk.stack.raw_items("usage") == before


def test_the_log_says_who_did_what(desk: Desk) -> None:
    log = StringIO()
    desk.function.logger.registered_handler.setStream(log)
    desk.post(desk.day("20", "0.2"))
    desk.post(desk.day("20", "0.1", "c-2"))
    done, refused = (json.loads(line) for line in log.getvalue().splitlines())
    who: dict[str, Any] = {"by": "6d0f5c0e-5b2a-4d37-9a37-c0ffee000001", "form": "day"}
    assert done | who | {"correction_id": "c-1", "repeated": False} == done
    assert done["message"] == "usage corrected"
    assert done["days"][0]["changes"] == {"droplet_hours": {"before": "20", "after": "0.2"}}
    reason = "day.expect: 0.2 droplet_hours stand on 2026-04-15, not 20"
    assert refused | who | {"correction_id": "c-2", "reason": reason} == refused
    assert refused["message"] == "refused"


@pytest.mark.parametrize("name", ["correct_usage", "correct_usage_day"])
def test_the_event_files_correct_what_the_event_of_usage_counted(stack: Stack, name: str) -> None:
    desk = Desk.over(stack)
    desk.count(
        sent(1, quantity="24", occurred_at="2026-04-30T23:00:00Z"),
    )
    answer = load_handler("correct_usage").handler(event(name), LambdaContext())
    assert answer["statusCode"] == 200
    assert desk.standing() == ({"2026-04-30": hours("2")}, hours("2"))


def test_a_faulty_body_is_told_by_field(desk: Desk) -> None:
    answer = desk.post({"id": "c 1", "day": {"deployment_id": "pilot"}})
    assert answer["status"] == 400
    assert errors(answer).keys() == {
        *("id", "reason", "day.resource_kind", "day.day", "day.expect", "day.quantity")
    }
    assert errors(desk.post([]))["body"] == "must be an object"
