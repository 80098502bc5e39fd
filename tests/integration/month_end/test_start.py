"""The start of a month-end: a message per tenant, and none is lost, whatever SQS answers."""

import json
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from invoicing.foundation.billing_calendar import PeriodStillOpen, TimeInFuture
from invoicing.foundation.parsing import InvalidMessage
from invoicing.month_end import send_messages
from invoicing.month_end import start as month_end_start
from invoicing.month_end.send_messages import MessagesNotSent
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack


@pytest.fixture
def start(stack: Stack) -> ModuleType:
    """The start function, freshly imported over the test's tables."""
    return load_handler("start_month_end")


def tenants_sent(stack: Stack) -> list[str]:
    """Receives the queued messages; returns their tenant ids, sorted."""
    return sorted(json.loads(body)["tenant_id"] for body in stack.received())


def test_the_scheduled_event_sends_one_message_per_tenant(stack: Stack, start: ModuleType) -> None:
    for number in range(23):
        stack.add_tenant(f"t{number:02}", hours=None)
    result = start.handler(event("start_month_end"), LambdaContext())
    assert result == {
        "run_id": "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11",
        "period": "2026-04",
        "sent": 23,
        "complete": True,
    }
    bodies = [json.loads(body) for body in stack.received()]
    assert sorted(body["tenant_id"] for body in bodies) == [f"t{n:02}" for n in range(23)]
    assert bodies[0] | {"tenant_id": "t00"} == {
        "version": 1,
        "tenant_id": "t00",
        "period": "2026-04",
        "run_id": "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11",
        "run_at": "2026-05-01T03:00:00Z",
        "force": False,
    }


def test_an_explicit_event_names_the_tenants_the_period_and_force(
    stack: Stack, start: ModuleType
) -> None:
    stack.add_tenant("other", hours=None)
    result = start.handler(event("start_month_end_explicit"), LambdaContext())
    assert (result["sent"], result["run_id"]) == (2, LambdaContext().aws_request_id)
    bodies = [json.loads(body) for body in stack.received()]
    assert sorted(body["tenant_id"] for body in bodies) == ["acme", "pilot"]
    assert {(body["period"], body["force"]) for body in bodies} == {("2026-04", True)}


def test_no_tenants_means_nothing_sent_and_complete(stack: Stack, start: ModuleType) -> None:
    result = start.handler(event("start_month_end"), LambdaContext())
    assert (result["sent"], result["complete"]) == (0, True)


@pytest.mark.parametrize(
    "request_", [{"period": "2025-05", "time": "2025-05-31T23:59:59Z"}, {"period": "2099-01"}]
)
def test_an_open_period_is_refused_and_nothing_sent(
    stack: Stack, start: ModuleType, request_: dict[str, Any]
) -> None:
    stack.add_tenant("acme", hours=None)
    with pytest.raises(PeriodStillOpen):
        start.handler(request_, LambdaContext())
    assert stack.received() == []


def test_the_billing_zone_decides_what_is_over(
    stack: Stack, start: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    moment = {"time": "2025-04-30T14:00:00Z", "tenant_ids": ["acme"]}
    assert start.handler(moment, LambdaContext())["period"] == "2025-04"


def test_west_of_the_schedule_the_month_is_refused_and_never_the_one_before_billed_again(
    stack: Stack, start: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "America/Los_Angeles")
    stack.add_tenant("acme", hours=None)
    with pytest.raises(PeriodStillOpen, match="period 2026-04 ends at 2026-05-01T07:00:00"):
        start.handler(event("start_month_end"), LambdaContext())
    assert stack.received() == []
    later = event("start_month_end") | {"time": "2026-05-01T07:00:00Z"}
    assert start.handler(later, LambdaContext())["period"] == "2026-04"


def test_a_run_at_a_time_that_has_not_come_is_refused(stack: Stack, start: ModuleType) -> None:
    future = {"time": "2099-01-01T00:00:00Z"}
    # Somebody can also type an event that looks like the schedule's own.
    for request in ({"period": "2026-04"} | future, event("start_month_end") | future):
        with pytest.raises(TimeInFuture, match="time: 2099-01-01"):
            start.handler(request, LambdaContext())
    assert stack.received() == []


def test_named_tenants_are_never_continued_with_everybody_else(
    stack: Stack, start: ModuleType
) -> None:
    for tenant_id in ("a", "b", "c"):
        stack.add_tenant(tenant_id, hours=None)
    named = {"period": "2025-04", "tenant_ids": ["a"], "force": True}
    result = start.handler(named, LambdaContext(remaining_ms=5_000))
    assert (result["sent"], result["complete"]) == (1, True)
    assert tenants_sent(stack) == ["a"]


def test_a_misspelt_request_starts_nothing(stack: Stack, start: ModuleType) -> None:
    stack.add_tenant("acme", hours=None)
    with pytest.raises(InvalidMessage, match="tenants"):
        start.handler({"period": "2026-04", "tenants": ["acme"]}, LambdaContext())
    assert stack.received() == []


def test_near_its_time_limit_it_hands_its_cursor_on_until_all_are_sent(
    stack: Stack, start: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        stack.add_tenant(f"t{number}", hours=None)
    handed: list[dict[str, Any]] = []
    monkeypatch.setattr(month_end_start, "TENANTS_PER_PAGE", 3)
    monkeypatch.setattr(start, "hand_over", lambda _name, cursor: handed.append(cursor))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "start")
    hurried = LambdaContext(remaining_ms=20_000)
    results = [start.handler(event("start_month_end"), hurried)]
    while not results[-1]["complete"]:
        results.append(start.handler({"continuation": handed[-1]}, hurried))
    assert [cursor["after"] for cursor in handed] == ["t2", "t5", "t6"]
    assert [result["sent"] for result in results] == [3, 3, 1, 0]
    assert {result["run_id"] for result in results} == {event("start_month_end")["id"]}
    assert tenants_sent(stack) == [f"t{number}" for number in range(7)]


def test_the_cursor_is_handed_to_this_very_function_asynchronously(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[dict[str, Any]] = []

    class Lambda:
        """Stands in for AWS Lambda, and records the call."""

        def invoke(self, **arguments: Any) -> None:
            calls.append(arguments)

    monkeypatch.setattr(send_messages, "aws_client", lambda _service: Lambda())
    send_messages.hand_over("monthend-start-month-end", {"after": "acme"})
    [call] = calls
    assert call["FunctionName"] == "monthend-start-month-end"
    assert call["InvocationType"] == "Event"
    assert json.loads(call["Payload"]) == {"continuation": {"after": "acme"}}


class FaultyQueue:
    """SQS in front of moto's, which fails the entries that `spoil` names at each call."""

    def __init__(self, real: Any, spoil: Callable[[int, list[Any]], set[str]]) -> None:
        self.real, self.spoil, self.calls = real, spoil, 0

    def send_message_batch(self, **arguments: Any) -> Any:
        """Delivers all entries except the spoilt ones, which it reports as Failed."""
        self.calls += 1
        spoilt = self.spoil(self.calls, arguments["Entries"])
        good = [entry for entry in arguments["Entries"] if entry["Id"] not in spoilt]
        answer: dict[str, Any] = {"Successful": []}
        if good:
            answer = self.real.send_message_batch(**arguments | {"Entries": good})
        failed = [{"Id": key, "Code": "InternalError", "SenderFault": False} for key in spoilt]
        return answer | {"Failed": failed}


def put_in_front(monkeypatch: pytest.MonkeyPatch, queue: FaultyQueue) -> None:
    """Makes the dispatcher send to the faulty queue."""
    monkeypatch.setattr(send_messages, "aws_client", cache(lambda _service: queue))


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, recorded instead of slept."""
    pauses: list[float] = []
    monkeypatch.setattr(send_messages, "sleep", pauses.append)
    return pauses


def test_entries_that_sqs_refuses_are_sent_again(
    stack: Stack, start: ModuleType, monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]
) -> None:
    for number in range(10):
        stack.add_tenant(f"t{number}", hours=None)
    queue = FaultyQueue(stack.sqs, lambda call, _: {"3", "7"} if call == 1 else set())
    put_in_front(monkeypatch, queue)
    assert start.handler(event("start_month_end"), LambdaContext())["sent"] == 10
    assert queue.calls == 2
    assert tenants_sent(stack) == [f"t{number}" for number in range(10)]


def test_a_run_whose_entries_keep_failing_is_not_called_complete(
    stack: Stack, start: ModuleType, monkeypatch: pytest.MonkeyPatch, no_waiting: list[float]
) -> None:
    for number in range(4):
        stack.add_tenant(f"t{number}", hours=None)
    queue = FaultyQueue(stack.sqs, lambda _, entries: {"2"} & {entry["Id"] for entry in entries})
    put_in_front(monkeypatch, queue)
    with pytest.raises(MessagesNotSent, match="not sent after 6 tries: t2"):
        start.handler(event("start_month_end"), LambdaContext())
    assert tenants_sent(stack) == ["t0", "t1", "t3"]
    assert no_waiting == sorted(no_waiting)
