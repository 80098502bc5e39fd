"""Issue, pay and void: as reviewed, once, and with a history of who did it and who tried."""

import json
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from invoicing.invoices.lifecycle_table import LifecycleTable
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.test_rollup import batch
from tests.openapi import assert_promised

FINANCE, BOSS = "finance", "boss"
# 2026-05-03T23:30:00Z: in Sydney it is the 4th already.
LATE_EVENING = 1777851000000


class People:
    """The two functions, called by people who are admins unless a test sets other groups."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.changes = load_handler("change_invoice")
        self.histories = load_handler("get_invoice_history")

    def do(
        self, action: str, body: Any, who: str = FINANCE, groups: str = "platform_admin"
    ) -> dict[str, Any]:
        """POST /invoices/pilot.2026-04/<action>."""
        call = event("change_invoice")
        call["resource"] = f"/api/v1/invoices/{{id}}/{action}"
        call["body"] = body if isinstance(body, str) else json.dumps(body)
        call["requestContext"]["requestTimeEpoch"] = LATE_EVENING
        claims = {"sub": f"sub-{who}", "cognito:username": who, "cognito:groups": groups}
        call["requestContext"]["authorizer"]["claims"] = claims
        return self._answer(self.changes, call, f"/invoices/{{id}}/{action}", "post")

    def history(self, groups: str = "platform_admin") -> Any:
        """Returns the entries of GET /invoices/pilot.2026-04/history, or a refusal's status."""
        call = event("get_invoice_history")
        claims = {"sub": "sub-a", "cognito:groups": groups}
        call["requestContext"]["authorizer"]["claims"] = claims
        answer = self._answer(self.histories, call, "/invoices/{id}/history", "get")
        return answer["body"].get("entries", answer["statusCode"])

    def _answer(
        self, function: ModuleType, call: dict[str, Any], path: str, method: str
    ) -> dict[str, Any]:
        answer: dict[str, Any] = function.handler(call, LambdaContext())
        body = json.loads(answer["body"])
        kind = answer["headers"]["Content-Type"]
        assert_promised(path, answer["statusCode"], kind, body, method=method)
        return answer | {"body": body}

    def item(self) -> dict[str, Any]:
        """Returns the April invoice as it is stored."""
        key = {"tenant_id": {"S": "pilot"}, "period_start": {"S": "2026-04-01"}}
        item: dict[str, Any]
        item = self.stack.dynamodb.get_item(TableName="invoices", Key=key)["Item"]
        return item


@pytest.fixture
def people(stack: Stack, rollup: ModuleType) -> People:
    """People, and the pilot's April as a draft."""
    stack.add_tenant("pilot", account_number="1001")
    rollup.handler(batch("pilot"), LambdaContext())
    return People(stack)


def test_a_draft_is_issued_paid_and_that_is_all(people: People) -> None:
    draft = people.item()
    issued = people.do("issue", {"revision": 1})
    assert issued["statusCode"] == 200
    header = issued["body"]
    assert (header["status"], header["issued_at"], header["due_on"]) == (
        "issued",
        "2026-05-03T23:30:00+00:00",
        "2026-05-17",
    )
    paid = people.do("pay", {"fingerprint": header["fingerprint"]}, BOSS)
    assert (paid["statusCode"], paid["body"]["status"]) == (200, "paid")
    changed = {"status", "issued_at", "due_on"}
    stored = people.item()
    assert {n: v for n, v in stored.items() if n not in changed} == {
        n: v for n, v in draft.items() if n not in changed
    }
    refused = people.do("void", {"revision": 1, "reason": "typing error"})
    assert (refused["statusCode"], refused["body"]["detail"]) == (
        409,
        "a paid invoice: cannot void",
    )
    assert people.item() == stored


def test_due_dates_are_of_the_billing_zone(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from invoicing.foundation.settings import settings  # noqa: PLC0415  the environment is read again

    monkeypatch.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    settings.cache_clear()
    assert people.do("issue", {"revision": 1})["body"]["due_on"] == "2026-05-18"
    settings.cache_clear()


def test_a_repeat_by_the_same_person_is_no_conflict_and_no_change(people: People) -> None:
    first = people.do("issue", {"revision": 1})
    before = people.stack.raw_items("invoices")
    again = people.do("issue", {"revision": 1})
    assert (again["statusCode"], again["body"]) == (200, first["body"])
    assert people.stack.raw_items("invoices") == before


def test_somebody_else_is_told_who_was_first(people: People) -> None:
    people.do("issue", {"revision": 1})
    answer = people.do("issue", {"revision": 1}, BOSS)
    assert answer["statusCode"] == 409
    assert answer["body"]["detail"] == ("issued already, by finance at 2026-05-03T23:30:00+00:00")
    assert answer["body"]["current"]["status"] == "issued"
    entries = [(e["action"], e["by"], e["outcome"]) for e in people.history()]
    assert entries == [
        ("create", "run 5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11", "done"),
        ("issue", "finance", "done"),
        ("issue", "boss", "refused"),
    ]


def test_what_a_forced_run_replaced_is_not_issued(people: People, rollup: ModuleType) -> None:
    reviewed = people.item()["fingerprint"]["S"]
    people.stack.usage.add("pilot", "pilot", APRIL.start, {"droplet_hours": Decimal(100)})
    rollup.handler(batch("pilot", force=True), LambdaContext())
    for body in ({"revision": 1}, {"fingerprint": reviewed}):
        answer = people.do("issue", body)
        assert answer["statusCode"] == 409
        assert answer["body"]["current"]["revision"] == 2
    create, replace, *refused = people.history()
    assert create["changes"] == []
    changed = [(c["before"]["kind"], c["cents"]) for c in replace["changes"]]
    assert changed == [("overage", 100), ("tax", 10)]
    assert {entry["outcome"] for entry in refused} == {"refused"}
    assert people.do("issue", {"revision": 2})["statusCode"] == 200


def test_a_void_invoice_stays_readable_and_its_month_is_billed_again(
    people: People, rollup: ModuleType
) -> None:
    people.do("issue", {"revision": 1})
    voided = people.do("void", {"revision": 1, "reason": "wrong address"})
    assert voided["body"]["status"] == "void"
    rollup.handler(batch("pilot"), LambdaContext())
    assert people.item()["status"]["S"] == "void"
    # A late copy of a message that a forced run sent before the void, such as a dead letter.
    rollup.handler(batch("pilot", force=True), LambdaContext())
    assert people.item()["status"]["S"] == "void"
    again = batch("pilot", force=True, run_at="2026-05-04T00:00:00Z", run_id="again")
    rollup.handler(again, LambdaContext())
    header = people.stack.invoices.get("pilot", APRIL).header
    assert (header.status, header.revision, header.number) == ("draft", 2, "2604-1001B")
    old = people.stack.invoices.get("pilot", APRIL, 1).header
    assert (old.status, old.total_cents) == ("void", 7064)
    entries = [(e["action"], e["revision"], e["reason"]) for e in people.history()]
    assert entries == [
        ("create", 1, None),
        ("issue", 1, None),
        ("void", 1, "wrong address"),
        ("replace", 2, None),
    ]


def test_issued_money_never_changes_a_byte(people: People, rollup: ModuleType) -> None:
    people.do("issue", {"revision": 1})
    before = people.item()
    people.stack.usage.add("pilot", "pilot", APRIL.start, {"droplet_hours": Decimal(100)})
    for fields in ({}, {"force": True}, {"force": True, "run_id": "again"}, {"dry_run": True}):
        rollup.handler(batch("pilot", "pilot", **fields), LambdaContext())
    assert people.item() == before


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("issue", {}, "revision or fingerprint"),
        ("issue", {"revision": "1"}, "revision"),
        ("issue", {"revision": 0}, "revision"),
        ("issue", {"revision": True}, "revision"),
        ("issue", {"revision": 1, "due_on": "2026-05-01"}, "due_on"),
        ("pay", {"fingerprint": "abc"}, "fingerprint"),
        ("void", {"revision": 1}, "reason"),
        ("void", {"revision": 1, "reason": ""}, "reason"),
        ("void", {"revision": 1, "reason": " \t\n"}, "reason"),
        ("void", {"revision": 1, "reason": "wrong\naddress"}, "reason"),
        ("void", {"revision": 1, "reason": "wrong\x00address"}, "reason"),
        ("void", {"revision": 1, "reason": "x" * 501}, "reason"),
        ("void", [], "body: must be an object"),
        ("issue", '{"revision": 1, "revision": 2}', "body: field 'revision' is given twice"),
        ("void", "{", "body"),
    ],
)
def test_a_bad_order_names_the_field_and_changes_nothing(
    people: People, action: str, body: Any, field: str
) -> None:
    before = people.stack.raw_items("invoices")
    answer = people.do(action, body)
    assert answer["statusCode"] == 400
    assert field in answer["body"]["detail"]
    assert people.stack.raw_items("invoices") == before


@pytest.mark.parametrize("groups", ["tenant:pilot", "metering", "strangers"])
def test_only_admins_change_and_see_the_history(people: People, groups: str) -> None:
    assert people.do("issue", {"revision": 1}, groups=groups)["statusCode"] == 403
    assert people.history(groups) == 403
    assert people.item()["status"]["S"] == "draft"


def test_an_invoice_that_is_not_there(people: People) -> None:
    for invoice_id in ("pilot.2026-03", "nobody.2026-04", "pilot", "PILOT.2026-04", "a.2026-13"):
        for name in ("change_invoice", "get_invoice_history"):
            call = event(name) | {"pathParameters": {"id": invoice_id}}
            answer = load_handler(name).handler(call, LambdaContext())
            assert answer["statusCode"] == 404, (name, invoice_id)


def test_a_lost_reply_is_settled_by_the_repeat(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = LifecycleTable._write

    def lost(*arguments: Any) -> Any:
        written(*arguments)
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(LifecycleTable, "_write", lost)
        assert people.do("issue", {"revision": 1})["statusCode"] == 500
    assert people.do("issue", {"revision": 1})["statusCode"] == 200
    done = [entry for entry in people.history() if entry["action"] == "issue"]
    assert [entry["outcome"] for entry in done] == ["done"]


def test_a_reason_is_kept_without_the_space_around_it(people: People) -> None:
    answer = people.do("void", {"revision": 1, "reason": " wrong address\n"})
    assert answer["statusCode"] == 200
    assert people.history()[-1]["reason"] == "wrong address"


def test_the_log_names_people_by_what_says_nothing_of_them(people: People) -> None:
    written = StringIO()
    people.changes.logger.registered_handler.setStream(written)
    people.do("issue", {"revision": 1})
    people.do("issue", {"revision": 2})
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["message"], line["by"]) for line in lines] == [
        ("done", "sub-finance"),
        ("refused", "sub-finance"),
    ]
    assert {entry["by"] for entry in people.history()[1:]} == {"finance"}
