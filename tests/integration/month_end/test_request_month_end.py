"""POST /month-ends: the runs that a person may start by hand."""

import json
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from local.handlers import LambdaContext
from tests.integration.conftest import Stack
from tests.integration.month_end.closing import Office


@pytest.fixture
def invoked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """The asynchronous invocations that the route made: function and event of each."""
    monkeypatch.setenv("START_MONTH_END_FUNCTION", "monthend-start-month-end")
    return []


@pytest.fixture
def office(
    stack: Stack,
    rollup: ModuleType,
    invoked: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> Office:
    """Finance, with two tenants, and a Lambda that takes invocations."""
    finance = Office(stack, rollup)
    for name in ("acme", "pilot"):
        stack.add_tenant(name)

    def take(function: str, start: dict[str, Any]) -> None:
        invoked.append((function, json.loads(json.dumps(start))))

    monkeypatch.setattr(finance.functions["request_month_end"], "invoke_later", take)
    return finance


def test_a_run_is_handed_to_start_month_end_with_who_asked(
    office: Office, invoked: list[tuple[str, dict[str, Any]]]
) -> None:
    answer = office.ask("request_month_end", None, body={"period": "2026-04", "force": True})
    assert answer["statusCode"] == 202
    run_id = answer["body"]["run_id"]
    assert answer["body"] == {
        "run_id": run_id,
        "period": "2026-04",
        "tenant_ids": None,
        "force": True,
        "dry_run": False,
    }
    [(function, start)] = invoked
    assert function == "monthend-start-month-end"
    for _ in range(2):
        # Lambda delivers at least once.
        sent = office.functions["start_month_end"].handler(start, LambdaContext())
        assert (sent["run_id"], sent["sent"]) == (run_id, 2)
    bodies = office.sent()
    assert [body["tenant_id"] for body in bodies] == ["acme", "acme", "pilot", "pilot"]
    assert {body["run_at"] for body in bodies} == {"2026-05-03T23:30:00Z"}
    assert {body["force"] for body in bodies} == {True}
    runs = office.report()["runs"]
    assert runs["count"] == 1
    assert runs["runs"][0] == {
        "run_id": run_id,
        "run_at": "2026-05-03T23:30:00+00:00",
        "by": "finance",
        "force": True,
        "tenants": None,
        "tenant_ids": None,
    }


def test_the_log_has_the_subject_of_who_asked_and_the_run_the_name(
    office: Office, invoked: list[tuple[str, dict[str, Any]]]
) -> None:
    written = StringIO()
    office.functions["request_month_end"].logger.registered_handler.setStream(written)
    office.ask("request_month_end", None, body={"period": "2026-04"})
    assert json.loads(written.getvalue())["by"] == "sub-finance"
    assert invoked[0][1]["by"] == "finance"


def test_a_dry_run_for_some_leaves_no_trace_but_its_log(
    office: Office, stack: Stack, invoked: list[tuple[str, dict[str, Any]]]
) -> None:
    request = {"period": "2026-04", "tenant_ids": ["pilot"], "dry_run": True}
    assert office.ask("request_month_end", None, body=request)["statusCode"] == 202
    before = stack.raw_items("accounts")
    office.functions["start_month_end"].handler(invoked[0][1], LambdaContext())
    [body] = office.sent()
    assert (body["tenant_id"], body["dry_run"]) == ("pilot", True)
    office.roll_up("pilot", **{"dry_run": True, "run_id": body["run_id"]})
    assert stack.raw_items("invoices") == []
    assert stack.raw_items("accounts") == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "period"),
        ({"period": "2026-05"}, "period"),
        ({"period": "2099-01"}, "period"),
        ({"period": "May"}, "period"),
        ({"period": "2026-04", "tenant_ids": []}, "tenant_ids"),
        ({"period": "2026-04", "tenant_ids": ["pilot", "nobody"]}, "tenant_ids"),
        ({"period": "2026-04", "tenant_ids": "pilot"}, "tenant_ids"),
        ({"period": "2026-04", "tenant_ids": ["PILOT"]}, "tenant_ids.0"),
        ({"period": "2026-04", "tenants": ["pilot"]}, "tenants"),
        ({"period": "2026-04", "time": "2026-05-01T00:00:00Z"}, "time"),
        ({"period": "2026-04", "force": "yes"}, "force"),
        ({"period": "2026-04", "by": "somebody else"}, "by"),
        ([], "body"),
        ('{"period": "2026-04", "period": "2026-03"}', "body"),
        ("{", "body"),
    ],
)
def test_a_bad_order_names_the_field_and_starts_nothing(
    office: Office, invoked: list[tuple[str, dict[str, Any]]], body: Any, field: str
) -> None:
    answer = office.ask("request_month_end", None, body=body)
    assert answer["statusCode"] == 400
    assert [fault["field"] for fault in answer["body"]["errors"]] == [field]
    assert invoked == []


def test_unknown_tenants_are_named(office: Office) -> None:
    request = {"period": "2026-04", "tenant_ids": ["nobody", "pilot", "anybody"]}
    answer = office.ask("request_month_end", None, body=request)
    assert answer["body"]["errors"] == [
        {"field": "tenant_ids", "detail": "no such tenant: anybody, nobody"}
    ]


def test_a_run_of_everybody_that_is_continued_stays_a_dry_run(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = office.functions["start_month_end"]
    handed: list[dict[str, Any]] = []
    monkeypatch.setattr("invoicing.month_end.start.TENANTS_PER_PAGE", 1)
    monkeypatch.setattr(start, "hand_over", lambda _name, cursor: handed.append(cursor))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "start")
    hurried = LambdaContext(remaining_ms=5_000)
    dry = {"period": "2026-04", "dry_run": True, "time": "2026-05-01T03:00:00Z"}
    start.handler(dry, hurried)
    start.handler({"continuation": handed[0]}, LambdaContext())
    assert [body["dry_run"] for body in office.sent()] == [True, True]
    assert office.report()["runs"]["count"] == 0


def test_a_tenant_that_is_named_twice_is_run_once(
    office: Office, invoked: list[tuple[str, dict[str, Any]]]
) -> None:
    body = {"period": "2026-04", "tenant_ids": ["pilot", "acme", "pilot"]}
    answer = office.ask("request_month_end", None, body=body)
    assert (answer["statusCode"], answer["body"]["tenant_ids"]) == (202, ["pilot", "acme"])
    assert [start["tenant_ids"] for _, start in invoked] == [["pilot", "acme"]]
