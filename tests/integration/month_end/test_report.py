"""The month's report accounts for everybody by name, read from the tables each time."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.foundation import time_limit
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_lists_table import InvoiceLists
from invoicing.month_end import month_ends_table, month_reader
from invoicing.month_end.month_ends_table import MonthEndsTable, RunRecord
from local.handlers import LambdaContext
from quote_engine import Period
from tests.events import event
from tests.integration.conftest import APRIL, STUDIO, Stack
from tests.integration.month_end.closing import DIGEST, Office
from tests.integration.month_end.test_rollup import set_status

MARCH = Period.month("2026-03")


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, with nobody to bill yet."""
    return Office(stack, rollup)


def test_everybody_is_in_exactly_one_place(office: Office, stack: Stack) -> None:
    for name in ("a-draft", "b-issued", "c-paid", "d-void"):
        stack.add_tenant(name)
    stack.add_tenant("e-poison", plan_version=7)
    stack.add_tenant("f-gone", ends_on=date(2026, 3, 31), hours=None)
    stack.add_tenant("g-missing")
    failed = office.roll_up("a-draft", "b-issued", "c-paid", "d-void", "e-poison", "f-gone")
    assert failed == ["e-poison"]
    set_status(stack, "b-issued", InvoiceStatus.ISSUED)
    set_status(stack, "c-paid", InvoiceStatus.PAID)
    set_status(stack, "d-void", InvoiceStatus.VOID)
    report = office.report()
    assert (report["tenants"], report["due"]) == (7, 6)
    assert report["invoiced"] == {"draft": 1, "issued": 1, "paid": 1, "void": 1}
    assert report["nothing_to_invoice"] == {"count": 1, "tenant_ids": ["f-gone"]}
    assert report["missing"] == {"count": 1, "tenant_ids": ["g-missing"]}
    assert report["void_not_reissued"] == {"count": 1, "tenant_ids": ["d-void"]}
    assert report["failed"] == {
        "count": 1,
        "tenants": [
            {
                "tenant_id": "e-poison",
                "reason": "UnknownPrice: plan studio v0007 is not in the catalogue",
                "run_id": "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11",
                "sent_at": "2026-05-01T03:00:01+00:00",
                "receive_count": 1,
            }
        ],
    }
    # 64.22 and 6.42 for each of the four; three are billed, one is void.
    sums = {"currency": "AUD", "invoices": 1, "subtotal_cents": 6422, "tax_cents": 642}
    assert report["by_status"] == [
        sums | {"status": status, "total_cents": 7064}
        for status in ("draft", "issued", "paid", "void")
    ]
    assert report["totals"] == [
        {
            "currency": "AUD",
            "invoices": 3,
            "subtotal_cents": 19266,
            "tax_cents": 1926,
            "total_cents": 21192,
        }
    ]
    assert (report["stored"], report["as_of"]) == (False, "2026-05-03T23:30:00+00:00")


def test_a_note_of_a_failure_is_forgotten_once_there_is_an_invoice(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("acme", plan_version=7)
    assert office.roll_up("acme") == ["acme"]
    assert office.report()["failed"]["count"] == 1
    PriceVersions(stack.accounts.name, PLANS).put(STUDIO, 7)
    assert office.roll_up("acme") == []
    report = office.report()
    assert (report["failed"]["count"], report["invoiced"]["draft"]) == (0, 1)


def test_late_usage_alone_makes_a_tenant_due(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme", ends_on=date(2026, 4, 30))
    office.roll_up("acme")
    set_status(stack, "acme", InvoiceStatus.ISSUED)
    may = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert (may["due"], may["nothing_to_invoice"]["tenant_ids"]) == (0, ["acme"])
    stack.usage.add("acme", "acme", date(2026, 4, 30), {"droplet_hours": Decimal(10)})
    may = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert (may["due"], may["missing"]["tenant_ids"]) == (1, ["acme"])


def test_books_in_disorder_are_due_and_do_not_look_like_a_customer_who_left(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("acme", ends_on=date(2026, 4, 30))
    office.roll_up("acme")
    set_status(stack, "acme", InvoiceStatus.ISSUED)
    key = {"deployment_period": {"S": "acme#2026-04"}, "day": {"S": "total"}}
    spoilt = key | {"tenant_id": {"S": "acme"}, "droplet_hours": {"N": "-1"}}
    stack.dynamodb.put_item(TableName="usage", Item=spoilt)
    may = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert may["missing"]["tenant_ids"] == ["acme"]


@pytest.mark.parametrize(
    "document",
    [
        '{"name": "Acme", "account_number": "1", "tax": "gst", "phone": "of a later version"}',
        '{"name": "Acme", "account_number": "1", "tax": "gst_free"}',
        '{"name": "Acme"}',
        "not json",
    ],
)
def test_an_account_that_cannot_be_read_is_missing_and_hides_nobody(
    office: Office, stack: Stack, document: str
) -> None:
    for tenant_id in ("acme", "pilot"):
        stack.add_tenant(tenant_id)
    stack.dynamodb.update_item(
        TableName="accounts",
        Key={"pk": {"S": "acme"}, "sk": {"S": "tenant"}},
        UpdateExpression="SET document = :document",
        ExpressionAttributeValues={":document": {"S": document}},
    )
    assert office.roll_up("acme", "pilot") == ["acme"]
    report = office.report()
    [failed] = report["failed"]["tenants"]
    assert failed["reason"].startswith("InvalidAccount: account of acme: tenant cannot be read: ")
    assert (report["due"], report["invoiced"]["draft"]) == (2, 1)
    previews = office.ask("preview_month_end")["body"]["previews"]
    assert [shown["outcome"] for shown in previews] == ["failed", "skipped"]
    assert office.sweep()["sent"] == 1


def test_a_lagging_index_calls_nobody_missing(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("acme", "pilot"):
        stack.add_tenant(name)
    office.roll_up("acme", "pilot")
    prompt = office.report()
    whole = InvoiceLists.whole_period

    def lagging(lists: InvoiceLists, period: Period) -> Any:
        return [listed for listed in whole(lists, period) if listed.header.tenant_id != "acme"]

    monkeypatch.setattr(InvoiceLists, "whole_period", lagging)
    assert office.report() == prompt
    assert prompt["missing"]["count"] == 0


def test_an_invoice_of_a_tenant_that_is_no_more_is_counted(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme")
    office.roll_up("acme")
    key = {"pk": {"S": "acme"}, "sk": {"S": "tenant"}}
    stack.dynamodb.delete_item(TableName="accounts", Key=key)
    report = office.report()
    assert (report["tenants"], report["due"], report["invoiced"]["draft"]) == (1, 1, 1)


def test_many_tenants_are_looked_at_page_by_page(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_reader, "TENANTS_A_PAGE", 3)
    monkeypatch.setattr(month_reader, "CHECKED_AT_ONCE", 4)
    monkeypatch.setattr(month_reader, "KEYED_AT_ONCE", 2)
    names = [f"t{number:02}" for number in range(11)]
    for name in names:
        stack.add_tenant(name, hours=None)
    office.roll_up("t03", "t04", "t10")
    report = office.report()
    missing = [name for name in names if name not in ("t03", "t04", "t10")]
    assert report["missing"]["tenant_ids"] == missing
    assert report["due"] == 11


def test_out_of_time_points_to_the_stored_report(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("acme")
    assert office.ask("get_month_end", query={"stored": "true"})["statusCode"] == 404
    office.sweep()
    monkeypatch.setattr(time_limit, "monotonic", iter(range(0, 10_000, 100)).__next__)
    answer = office.ask("get_month_end")
    assert answer["statusCode"] == 503
    assert "stored=true" in answer["body"]["detail"]
    stored = office.report(stored="true")
    assert (stored["stored"], stored["as_of"]) == (True, "2026-05-01T04:00:00+00:00")
    assert stored["missing"] == {"count": 1, "tenant_ids": ["acme"]}


def test_the_digest_survives_issuing_and_nothing_else(office: Office, stack: Stack) -> None:
    for name in ("acme", "pilot"):
        stack.add_tenant(name)
    office.roll_up("acme", "pilot")
    digest = office.report()["digest"]
    assert digest != DIGEST
    set_status(stack, "acme", InvoiceStatus.ISSUED)
    assert office.report()["digest"] == digest
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(1)})
    office.roll_up("pilot", force=True)
    changed = office.report()["digest"]
    stack.add_tenant("third")
    office.roll_up("third")
    assert len({digest, changed, office.report()["digest"]}) == 3


def test_runs_are_kept_with_who_started_them(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    start = office.functions["start_month_end"]
    for _ in range(2):
        start.handler(event("start_month_end"), LambdaContext())
    start.handler(event("start_month_end_explicit"), LambdaContext())
    start.handler({"period": "2026-04", "dry_run": True}, LambdaContext(aws_request_id="dry"))
    runs = office.report()["runs"]
    assert runs["count"] == 2
    by_hand, scheduled = runs["runs"]
    assert scheduled == {
        "run_id": "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11",
        "run_at": "2026-05-01T03:00:00+00:00",
        "by": "schedule",
        "force": False,
        "tenants": None,
        "tenant_ids": None,
    }
    assert (by_hand["by"], by_hand["force"], by_hand["tenants"]) == ("by hand", True, 2)
    assert by_hand["tenant_ids"] == ["acme", "pilot"]


def test_of_a_run_for_very_many_only_the_first_names_are_kept(stack: Stack) -> None:
    table = MonthEndsTable("accounts")
    names = tuple(f"t{number:04}" for number in range(5000))
    at = datetime(2026, 5, 1, 3, tzinfo=UTC)
    table.record(APRIL, RunRecord("big", at, "finance", force=False, tenants=5000, named=names))
    [recorded] = table.runs(APRIL)
    assert (recorded.tenants, recorded.named) == (5000, names[: month_ends_table.MOST_NAMED])
    assert table.runs(MARCH) == []


@pytest.mark.parametrize("period", ["2026-13", "april", "", "2026-05", "2099-01"])
def test_what_is_no_month_or_is_not_over_is_refused_by_name(office: Office, period: str) -> None:
    for name in ("get_month_end", "preview_month_end", "issue_month_end"):
        answer = office.ask(name, period)
        assert answer["statusCode"] == 400
        assert [fault["field"] for fault in answer["body"]["errors"]] == ["period"]


@pytest.mark.parametrize("groups", ["tenant:acme", "metering", "strangers"])
def test_only_admins_close_a_month(office: Office, stack: Stack, groups: str) -> None:
    stack.add_tenant("acme")
    for name in ("get_month_end", "preview_month_end", "issue_month_end", "request_month_end"):
        assert office.ask(name, groups=groups)["statusCode"] == 403


def test_unknown_parameters_are_refused(office: Office) -> None:
    assert office.ask("get_month_end", query={"stored": "yes"})["statusCode"] == 400
    assert office.ask("get_month_end", query={"fresh": "true"})["statusCode"] == 400


def test_a_failure_that_cannot_be_noted_is_logged_and_fails_all_the_same(
    office: Office, stack: Stack, log: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("acme", plan_version=7)

    def broken(*_: Any) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(office.rollup.FailuresTable, "note", broken)
    assert office.roll_up("acme") == ["acme"]
    assert "failure not noted" in log.getvalue()
    assert office.report()["missing"]["tenant_ids"] == ["acme"]


def test_a_dry_run_writes_nothing_and_its_failures_are_no_dead_letters(
    office: Office, stack: Stack, log: StringIO
) -> None:
    stack.add_tenant("acme")
    stack.add_tenant("poison", plan_version=7)
    before = [stack.raw_items(name) for name in ("accounts", "invoices", "usage")]
    assert office.roll_up("acme", "poison", dry_run=True) == []
    assert [stack.raw_items(name) for name in ("accounts", "invoices", "usage")] == before
    assert '"outcome":"rolled"' in log.getvalue()
    assert '"outcome":"failed"' in log.getvalue()
