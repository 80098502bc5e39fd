"""The review list, the invoices that it holds, and the issue of a whole month."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from invoicing.foundation import time_limit
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.month_end import bulk_issue
from invoicing.month_end.month_reader import standing_before
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.closing import DIGEST, Office
from tests.integration.month_end.test_rollup import set_status

REASON = "Their new warehouse opened."


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, over the rollup's tables."""
    return Office(stack, rollup)


def use(stack: Stack, tenant_id: str, day: date, hours: int, kind: str = "droplet_hours") -> None:
    """Meters usage of a tenant's deployment."""
    stack.usage.add(tenant_id, tenant_id, day, {kind: Decimal(hours)})


def two_months(office: Office, *tenant_ids: str) -> None:
    """Rolls up March at 63.25 each (50.00 and 7.50, and GST), then April as metered."""
    office.roll_up(*tenant_ids, period="2026-03")
    office.roll_up(*tenant_ids)


def reviewed(report: dict[str, Any]) -> list[tuple[str, list[str], bool]]:
    """Returns who is on the review list, by which rules, and whether they are held."""
    return [
        (entry["tenant_id"], [finding["rule"] for finding in entry["findings"]], entry["held"])
        for entry in report["review"]["entries"]
    ]


def issue(office: Office, digest: str, who: str = "finance", **overrides: str) -> dict[str, Any]:
    """POST /month-ends/2026-04/issue; overrides by tenant."""
    named = {f"{tenant_id}.2026-04": reason for tenant_id, reason in overrides.items()}
    body = {"reviewed": digest} | ({"overrides": named} if named else {})
    return office.ask("issue_month_end", body=body, who=who)


def test_the_review_lists_movers_new_and_stopped_and_what_an_invoice_says_itself(
    office: Office, stack: Stack
) -> None:
    for name in ("far", "little", "unpriced"):
        stack.add_tenant(name, hours=None)
    stack.add_tenant("stopped", hours=None, ends_on=date(2026, 3, 31))
    office.roll_up("far", "little", "unpriced", "stopped", period="2026-03")
    stack.add_tenant("new", hours=None)
    # 50,000 hours over the 1,488 included: 500.00 more before tax.
    use(stack, "far", date(2026, 4, 2), 51_488)
    use(stack, "little", date(2026, 4, 2), 2_488)
    use(stack, "unpriced", date(2026, 4, 2), 5, "gpu_hours")
    # 1,000,000 hours over the allowance at a cent are 10,000.00.
    stack.add_tenant("huge", hours="1001488")
    office.roll_up("far", "little", "unpriced", "stopped", "new", "huge")
    report = office.report()
    assert reviewed(report) == [
        ("huge", ["new", "huge_line"], True),
        ("far", ["moved"], True),
        ("unpriced", ["unpriced_usage"], True),
        ("new", ["new"], False),
        ("stopped", ["stopped"], False),
    ]
    assert (report["review"]["count"], report["review"]["held"]) == (5, 3)
    far = report["review"]["entries"][1]
    assert (far["last_total_cents"], far["total_cents"]) == (6325, 61325)
    assert far["findings"][0]["detail"] == "613.25 after 63.25 last month (+550.00)"
    stopped = report["review"]["entries"][4]
    assert (stopped["invoice_id"], stopped["total_cents"], stopped["last_total_cents"]) == (
        None,
        None,
        6325,
    )


def test_only_what_there_is_to_look_at_is_stored_beside_an_invoice(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("plain")
    stack.add_tenant("unpriced")
    use(stack, "unpriced", date(2026, 4, 2), 5, "gpu_hours")
    office.roll_up("plain", "unpriced")
    flags = {item["tenant_id"]["S"]: item.get("flags") for item in stack.raw_items("invoices")}
    assert flags == {"plain": None, "unpriced": {"S": "unpriced_usage=1"}}


def test_a_held_draft_is_issued_with_a_reason_and_never_without(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("pilot", hours="51488")
    two_months(office, "pilot")
    refused = office.issue_one("pilot", {"revision": 1})
    assert refused["statusCode"] == 409
    assert refused["body"]["detail"] == (
        "held by the review (moved: 613.25 after 63.25 last month (+550.00)): "
        "give a reason to issue it"
    )
    assert [finding["rule"] for finding in refused["body"]["held_by"]] == ["moved"]
    assert office.issue_one("pilot", {"revision": 1, "reason": REASON})["statusCode"] == 200
    # Here they all happen in one instant, so their order is open.
    assert set(office.history("pilot")) == {
        ("create", "done", None),
        ("issue", "refused", None),
        ("issue", "done", REASON),
    }
    # An issued invoice is no longer held: the repeat is answered like any other.
    assert office.issue_one("pilot", {"revision": 1})["statusCode"] == 200


def test_a_void_month_before_is_no_month_to_compare_with(office: Office, stack: Stack) -> None:
    stack.add_tenant("pilot", hours="51488")
    two_months(office, "pilot")
    key = {"tenant_id": {"S": "pilot"}, "period_start": {"S": "2026-03-01"}}
    stack.dynamodb.update_item(
        TableName="invoices",
        Key=key,
        UpdateExpression="SET #s = :void",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":void": {"S": "void"}},
    )
    assert reviewed(office.report()) == [("pilot", ["new"], False)]
    assert office.issue_one("pilot", {"revision": 1})["statusCode"] == 200


def test_the_first_month_that_there_can_be_has_none_before_it(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("old", hours=None, starts_on=date(2000, 1, 1))
    office.roll_up("old", period="2000-01", run_at="2000-02-01T03:00:00Z")
    report = office.report("2000-01")
    assert report["review"]["entries"][0]["findings"][0]["rule"] == "new"
    answer = office.ask("issue_month_end", "2000-01", body={"reviewed": report["digest"]})
    assert answer["body"]["issued"] == 1


def test_every_draft_is_issued_but_the_held_ones(office: Office, stack: Stack) -> None:
    for name in ("a", "b", "c"):
        stack.add_tenant(name)
    stack.add_tenant("far", hours="51488")
    two_months(office, "a", "b", "c", "far")
    office.issue_one("c", {"revision": 1})
    digest = office.report()["digest"]
    first = issue(office, digest)["body"]
    assert (first["issued"], first["already"], first["complete"]) == (2, 1, True)
    assert [(held["invoice_id"], held["revision"]) for held in first["held"]] == [
        ("far.2026-04", 1)
    ]
    again = issue(office, digest)["body"]
    assert (again["issued"], again["already"], again["held_count"]) == (0, 3, 1)
    last = issue(office, digest, far=REASON)["body"]
    assert (last["issued"], last["already"], last["held"]) == (1, 3, [])
    report = office.report()
    assert report["invoiced"] == {"draft": 0, "issued": 4, "paid": 0, "void": 0}
    assert report["digest"] == digest
    assert office.history("far")[-1] == ("issue", "done", REASON)
    header = stack.invoices.get("a", APRIL).header
    assert (str(header.issued_at), str(header.due_on)) == (
        "2026-05-03 23:30:00+00:00",
        "2026-05-17",
    )


def test_a_month_that_changed_since_the_review_is_not_issued(office: Office, stack: Stack) -> None:
    for name in ("a", "b"):
        stack.add_tenant(name)
    office.roll_up("a", "b")
    seen = office.report()["digest"]
    use(stack, "a", date(2026, 4, 3), 100)
    office.roll_up("a", force=True)
    refused = issue(office, seen)
    assert (refused["statusCode"], refused["body"]["digest"]) == (409, office.report()["digest"])
    assert office.report()["invoiced"]["issued"] == 0
    assert issue(office, refused["body"]["digest"])["body"]["issued"] == 2


def test_what_a_run_replaces_during_the_issue_is_refused(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        stack.add_tenant(name)
    office.roll_up("a", "b")
    digest = office.report()["digest"]

    def overtaken(*arguments: Any) -> Any:
        use(stack, "a", date(2026, 4, 3), 100)
        office.roll_up("a", force=True)
        return standing_before(*arguments)

    monkeypatch.setattr(bulk_issue, "standing_before", overtaken)
    body = issue(office, digest)["body"]
    assert (body["issued"], body["complete"]) == (1, True)
    assert body["refused"] == [
        {"invoice_id": "a.2026-04", "detail": "revision 2 stands, not 1"},
    ]
    assert stack.invoices.get("a", APRIL).header.status is InvoiceStatus.DRAFT


def test_an_index_that_lags_lets_no_held_draft_through(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("far", hours="51488")
    two_months(office, "far")
    digest = office.report()["digest"]
    monkeypatch.setattr(bulk_issue, "standing_before", lambda *_: {})
    body = issue(office, digest)["body"]
    assert (body["issued"], body["held_count"]) == (0, 1)
    assert body["held"][0]["findings"][0]["rule"] == "moved"


def test_out_of_time_the_issue_goes_on_at_the_next_request(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"t{number}" for number in range(5)]
    for name in names:
        stack.add_tenant(name, hours=None)
    office.roll_up(*names)
    digest = office.report()["digest"]
    monkeypatch.setattr(bulk_issue, "ISSUED_AT_ONCE", 2)
    # Each reading of the clock is 11 s after the one before; the limit is 20 s.
    seen = []
    for _ in range(3):
        clock = iter(range(0, 10_000, 11))
        monkeypatch.setattr(time_limit, "monotonic", clock.__next__)
        body = issue(office, digest)["body"]
        seen.append((body["issued"], body["already"], body["complete"]))
    assert seen == [(2, 0, False), (2, 2, False), (1, 4, True)]


def test_somebody_else_who_issued_it_meanwhile_is_no_refusal(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        stack.add_tenant(name)
    office.roll_up("a", "b")
    digest = office.report()["digest"]

    def overtaken(*arguments: Any) -> Any:
        office.issue_one("a", {"revision": 1}, "boss")
        return standing_before(*arguments)

    monkeypatch.setattr(bulk_issue, "standing_before", overtaken)
    body = issue(office, digest)["body"]
    assert (body["issued"], body["already"], body["refused_count"]) == (1, 1, 0)


def test_void_invoices_are_not_issued(office: Office, stack: Stack) -> None:
    stack.add_tenant("a")
    office.roll_up("a")
    set_status(stack, "a", InvoiceStatus.VOID)
    body = issue(office, office.report()["digest"])["body"]
    assert (body["issued"], body["already"], body["held_count"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reviewed"),
        ({"reviewed": "abc"}, "reviewed"),
        ({"reviewed": DIGEST, "override": {}}, "override"),
        ({"reviewed": DIGEST, "overrides": {"a.2026-04": ""}}, "overrides.a.2026-04"),
        ({"reviewed": DIGEST, "overrides": {"a.2026-04": "x" * 501}}, "overrides.a.2026-04"),
        ({"reviewed": DIGEST, "overrides": ["a"]}, "overrides"),
        ({"reviewed": DIGEST, "overrides": {"a.2026-04": " \n"}}, "overrides.a.2026-04"),
        ({"reviewed": DIGEST, "overrides": {"a.2026-04": "a\x07"}}, "overrides.a.2026-04"),
        ([], "body"),
        ("{", "body"),
    ],
)
def test_a_bad_order_names_the_field(office: Office, body: Any, field: str) -> None:
    answer = office.ask("issue_month_end", body=body)
    assert answer["statusCode"] == 400
    assert [fault["field"] for fault in answer["body"]["errors"]] == [field]


def test_an_override_of_an_invoice_that_is_not_of_the_month_issues_nothing(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("a")
    office.roll_up("a")
    answer = issue(office, office.report()["digest"], b="typing error")
    assert answer["statusCode"] == 400
    assert answer["body"]["errors"] == [
        {"field": "overrides.b.2026-04", "detail": "is no invoice of this month"}
    ]
    assert office.report()["invoiced"]["issued"] == 0


def test_the_log_of_a_months_issue_has_the_subject_of_who_asked(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("a")
    office.roll_up("a")
    digest, written = office.report()["digest"], StringIO()
    office.functions["issue_month_end"].logger.registered_handler.setStream(written)
    issue(office, digest)
    assert json.loads(written.getvalue())["by"] == "sub-finance"
