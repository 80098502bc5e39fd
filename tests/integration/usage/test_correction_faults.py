"""A correction when replies are lost and others are faster: once, and never by what is outdated.

Faults are put between botocore and moto, as in `test_storage_faults.py`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from invoicing.foundation import back_off
from invoicing.usage.usage_events_table import TOO_LARGE
from tests.integration.conftest import Stack
from tests.integration.month_end.test_storage_faults import Call, Fault, faults
from tests.integration.usage.correcting import RECEIVED, Desk, errors, hours, sent


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Ten events of 2 hours each, on 15 April; waiting takes no time."""
    monkeypatch.setattr(back_off, "sleep", lambda _: None)
    desk = Desk.over(stack)
    desk.count(*(sent(n) for n in range(10)))
    return desk


def cancelled(code: str, message: str = "") -> ClientError:
    """Returns DynamoDB's cancellation of a transaction, for this reason."""
    reasons = [{"Code": "None"}, {"Code": code, "Message": message}]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": code},
        "CancellationReasons": reasons,
    }
    return ClientError(answer, "TransactWriteItems")


def once(wanted: str, number: int, fault: Callable[[Call], Any]) -> Fault:
    """Returns a fault for the call of this number (from 1) of this operation alone."""
    seen = []

    def spoil(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation != wanted:
            return call()
        seen.append(operation)
        return fault(call) if len(seen) == number else call()

    return spoil


@pytest.mark.parametrize("form", ["day", "event"])
def test_a_reply_that_is_lost_for_good_is_found_by_the_repeat(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    body = desk.day("20", "18") if form == "day" else desk.event(3, "2", "0")

    def lose_reply(call: Call) -> Any:
        call()
        raise ReadTimeoutError(endpoint_url="dynamodb")

    with faults(monkeypatch, once("TransactWriteItems", 1, lose_reply)):
        assert desk.post(body)["status"] == 500
    answer = desk.post(body)
    assert (answer["status"], answer["repeated"]) == (200, True)
    assert answer["days"][0]["changes"] == {"droplet_hours": {"before": "20", "after": "18"}}
    assert desk.standing() == ({"2026-04-15": hours("18")}, hours("18"))


@pytest.mark.parametrize("form", ["day", "event", "events"])
def test_a_write_that_was_made_and_called_a_conflict_is_recognised(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    bodies = {
        "day": desk.day("20", "18"),
        "event": desk.event(3, "2", "0"),
        "events": desk.events([sent(3)]),
    }

    def deny(call: Call) -> Any:
        call()
        raise cancelled("TransactionConflict")

    with faults(monkeypatch, once("TransactWriteItems", 1, deny)):
        answer = desk.post(bodies[form])
    assert (answer["status"], answer["repeated"]) == (200, False)
    assert answer["days"][0]["changes"] == {"droplet_hours": {"before": "20", "after": "18"}}
    assert desk.standing() == ({"2026-04-15": hours("18")}, hours("18"))


def test_usage_that_comes_in_between_is_not_lost_and_a_day_is_judged_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        assert desk.count(sent(77)) == ["accepted"]
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.day("20", "5"))
    assert (answer["status"], errors(answer)) == (
        409,
        {"day.expect": "22 droplet_hours stand on 2026-04-15, not 20"},
    )
    assert desk.standing() == ({"2026-04-15": hours("22")}, hours("22"))


@pytest.mark.parametrize("form", ["event", "events"])
def test_usage_that_comes_in_between_stays_beside_what_is_taken_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        assert desk.count(sent(77)) == ["accepted"]
        return call()

    body = desk.event(3, "2", "0") if form == "event" else desk.events([sent(3)])
    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(body)
    assert answer["days"][0]["changes"] == {"droplet_hours": {"before": "22", "after": "20"}}
    assert desk.standing() == ({"2026-04-15": hours("20")}, hours("20"))


@pytest.mark.parametrize("form", ["day", "event", "events"])
@pytest.mark.parametrize(("operation", "number"), [("BatchGetItem", n) for n in range(1, 6)])
def test_a_twin_that_is_faster_is_told_as_a_repeat_and_never_as_a_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str, operation: str, number: int
) -> None:
    """The same correction is made by another call before one of this call's reads."""
    bodies = {
        "day": desk.day("20", "18"),
        "event": desk.event(3, "2", "0"),
        "events": desk.events([sent(3)]),
    }
    twins = []

    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        twins.append(desk.post(bodies[form]))
        return call()

    with faults(monkeypatch, once(operation, number, overtaken)):
        answer = desk.post(bodies[form])
    assert [answer["status"], *(twin["status"] for twin in twins)] == [200, *[200 for _ in twins]]
    assert all(answer["days"] == twin["days"] for twin in twins)
    if form != "events":
        assert answer["repeated"] == bool(twins)
    assert desk.standing() == ({"2026-04-15": hours("18")}, hours("18"))
    assert len(desk.raw("#corrections#")) == 1


def test_two_ids_that_expect_the_same_are_one_correction_and_one_conflict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        assert desk.post(desk.day("20", "18", "c-2"))["status"] == 200
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.day("20", "18"))
    assert errors(answer) == {"day.expect": "18 droplet_hours stand on 2026-04-15, not 20"}
    assert desk.standing() == ({"2026-04-15": hours("18")}, hours("18"))


@pytest.mark.parametrize("form", ["day", "event", "events"])
def test_a_slow_twin_does_not_undo_what_was_put_back_since(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Everything stands again as the slow one read it: only its id says that it was made."""
    bodies = {
        "day": desk.day("20", "18"),
        "event": desk.event(3, "2", "0"),
        "events": desk.events([sent(3)]),
    }
    back = desk.day("18", "20", "back") if form == "day" else desk.event(3, "0", "2", "back")

    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        # Of a list, what its id is used for was written by the slow one already.
        twin = desk.post(bodies[form], RECEIVED + timedelta(seconds=1))
        assert twin["repeated"] is (form == "events")
        assert desk.post(back)["status"] == 200
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(bodies[form])
    assert (answer["status"], answer["repeated"]) == (200, form != "events")
    assert desk.standing() == ({"2026-04-15": hours("20")}, hours("20"))
    assert len(desk.raw("#corrections#")) == 2


def test_an_event_that_is_corrected_in_between_is_judged_again_though_its_day_is_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        assert desk.post(desk.event(3, "2", "0.5", "other"))["status"] == 200
        assert desk.post(desk.day("18.5", "20", "day"))["status"] == 200
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.event(3, "2", "0"))
    said = "0.5 droplet_hours stand of it since correction other, not 2"
    assert errors(answer) == {"event.expect": said}
    assert desk.standing()[1] == hours("20")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        (
            {"droplet_hours": {"N": "1.9"}},
            "1.9 droplet_hours of pilot stand in 2026-04: 2 cannot be taken off",
        ),
        ({"tenant_id": {"S": "acme"}}, "usage of 2026-04 does not belong to tenant pilot"),
    ],
)
def test_a_total_that_changes_in_between_is_judged_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], refusal: str
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        set_in_total(desk, changes)
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.day("20", "18"))
    assert list(errors(answer).values()) == [refusal]
    assert desk.raw("#") == []


def set_in_total(desk: Desk, changes: dict[str, Any]) -> None:
    """Writes attributes of April's total, as nothing but a hand would."""
    key = {"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": "total"}}
    item = desk.stack.dynamodb.get_item(TableName="usage", Key=key)["Item"]
    desk.stack.dynamodb.put_item(TableName="usage", Item=item | changes)


def test_a_total_that_is_filled_in_between_is_judged_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        most = sent(77, quantity="999999999979", occurred_at="2026-04-16T00:00:00Z")
        assert desk.count(most) == ["accepted"]
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.day("20", "21"))
    assert "with 1 more it would have more than 12 digits" in errors(answer)["day.quantity"]
    assert desk.standing()[1] == hours("999999999999")


def test_a_day_of_a_kind_that_comes_in_between_is_judged_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(call: Call) -> Any:
        monkeypatch.undo()
        assert desk.count(sent(77, resource_kind="backup_gb")) == ["accepted"]
        return call()

    with faults(monkeypatch, once("TransactWriteItems", 1, overtaken)):
        answer = desk.post(desk.day("0", "5", resource_kind="backup_gb"))
    assert errors(answer) == {"day.expect": "2 backup_gb stand on 2026-04-15, not 0"}


@pytest.mark.parametrize("form", ["day", "events"])
def test_a_store_that_stays_busy_is_a_503_after_ever_longer_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(back_off, "sleep", pauses.append)

    def busy(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            raise cancelled("TransactionConflict")
        return call()

    body = desk.day("20", "18") if form == "day" else desk.events([sent(3)])
    with faults(monkeypatch, busy):
        assert desk.post(body)["status"] == 503
    assert len(pauses) == 8
    assert all(0.01 * 2**n <= pause <= 0.02 * 2**n for n, pause in enumerate(pauses))
    assert desk.standing()[1] == hours("20")
    assert desk.post(body)["status"] == 200
    assert desk.standing()[1] == hours("18")


def test_a_day_without_room_for_another_kind_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(_: Call) -> Any:
        raise cancelled("ValidationError", TOO_LARGE)

    with faults(monkeypatch, once("TransactWriteItems", 1, too_large)):
        answer = desk.post(desk.day("0", "1", resource_kind="backup_gb"))
    assert (answer["status"], errors(answer)) == (
        409,
        {"day.resource_kind": "too many resource kinds for this deployment's month"},
    )


def test_a_reason_that_nobody_knows_is_an_error(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(_: Call) -> Any:
        raise cancelled("ItemCollectionSizeLimitExceeded")

    with faults(monkeypatch, once("TransactWriteItems", 1, unknown)):
        assert desk.post(desk.day("20", "18"))["status"] == 500
    assert desk.standing()[1] == hours("20")
