"""Usage that nobody pays for is named in its month's report, with an invoice and without one."""

import json
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.deployments import Deployment
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.invoices import invoice_item
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_lists_table import InvoiceLists
from invoicing.month_end.month_ends_table import MonthEndsTable
from quote_engine import Period
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.closing import Office
from tests.integration.month_end.test_rollup import set_status

OCTOBER = {"period": "2026-10", "run_at": "2026-11-01T03:00:00Z"}
IN_NOVEMBER = "2026-11-02T00:00:00+00:00"


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, with nobody to bill yet."""
    return Office(stack, rollup)


def use(stack: Stack, tenant_id: str, day: date, quantity: str, kind: str, **more: str) -> None:
    """Adds usage of the tenant's deployment, which is called as the tenant."""
    deployment_id = more.get("deployment_id", tenant_id)
    stack.usage.add(tenant_id, deployment_id, day, {kind: Decimal(quantity)})


def subscribe(tenant_id: str, deployment_id: str, starts_on: date, ends_on: date | None) -> None:
    """Adds a segment on the studio plan."""
    segment = Segment(tenant_id, deployment_id, starts_on, ends_on, "studio", 1)
    SubscriptionsTable("accounts").put(segment)


def take_back(tenant_id: str) -> None:
    """Takes all segments of a tenant's deployment back."""
    table = SubscriptionsTable("accounts")
    before = table.get(tenant_id, tenant_id)
    table.write(Deployment(tenant_id, tenant_id, ()), before)


def named(report: dict[str, Any]) -> list[tuple[str, str, str, str, str, str | None]]:
    """Returns the entries of the list of unbilled usage, each as a row."""
    entries = report["unbilled_usage"]["entries"]
    assert report["unbilled_usage"]["count"] == len(entries)
    fields = ["tenant_id", "deployment_id", "resource_kind", "period", "quantity", "invoice_id"]
    assert all(sorted(entry) == sorted(fields) for entry in entries)
    rows: list[Any] = [tuple(entry[name] for name in fields) for entry in entries]
    return rows


def test_five_hundred_hours_a_month_after_the_end(office: Office, stack: Stack) -> None:
    stack.add_tenant("surf", deployment_id="surf-web", ends_on=date(2026, 9, 10), hours=None)
    use(stack, "surf", date(2026, 10, 10), "500", "droplet_hours", deployment_id="surf-web")
    office.roll_up("surf", **OCTOBER)
    report = office.report("2026-10", at=IN_NOVEMBER)
    assert (report["due"], report["nothing_to_invoice"]["tenant_ids"]) == (0, ["surf"])
    assert named(report) == [("surf", "surf-web", "droplet_hours", "2026-10", "500", None)]
    # September has none of it.
    assert named(office.report("2026-09", at=IN_NOVEMBER)) == []


def test_usage_before_a_start_in_a_gap_and_of_subscriptions_that_were_taken_back(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("early", hours="7", starts_on=date(2026, 5, 2))
    stack.add_tenant("gap", hours="8", ends_on=date(2026, 3, 31))
    subscribe("gap", "gap", date(2026, 5, 1), None)
    stack.add_tenant("taken", hours="9")
    take_back("taken")
    report = office.report()
    assert report["nothing_to_invoice"]["tenant_ids"] == ["early", "gap", "taken"]
    assert named(report) == [
        ("early", "early", "droplet_hours", "2026-04", "7", None),
        ("gap", "gap", "droplet_hours", "2026-04", "8", None),
        ("taken", "taken", "droplet_hours", "2026-04", "9", None),
    ]


def test_an_invoice_that_bills_usage_nothing_is_read_for_what_it_is(
    office: Office, stack: Stack
) -> None:
    for name in ("acme", "pilot", "quiet"):
        stack.add_tenant(name)
    # Of pilot: a kind without a rate, a deployment that begins in May, and one that ended.
    use(stack, "pilot", date(2026, 4, 2), "2.5", "gpu_hours")
    subscribe("pilot", "pilot-next", date(2026, 5, 1), None)
    use(stack, "pilot", date(2026, 4, 9), "40", "droplet_hours", deployment_id="pilot-next")
    subscribe("pilot", "pilot-old", date(2026, 1, 1), date(2026, 4, 10))
    use(stack, "pilot", date(2026, 4, 20), "50", "droplet_hours", deployment_id="pilot-old")
    use(stack, "acme", date(2026, 4, 2), "3", "gpu_hours")
    office.roll_up("acme", "pilot", "quiet")
    set_status(stack, "acme", InvoiceStatus.ISSUED)
    report = office.report()
    assert named(report) == [
        ("acme", "acme", "gpu_hours", "2026-04", "3", "acme.2026-04"),
        ("pilot", "pilot", "gpu_hours", "2026-04", "2.5", "pilot.2026-04"),
        ("pilot", "pilot-next", "droplet_hours", "2026-04", "40", "pilot.2026-04"),
        ("pilot", "pilot-old", "droplet_hours", "2026-04", "50", "pilot.2026-04"),
    ]
    [entry] = [entry for entry in report["review"]["entries"] if entry["held"]]
    assert [finding["detail"] for finding in entry["findings"]][-1] == (
        "usage of 3 kinds is billed nothing: 2.5 gpu_hours of pilot, "
        "40 droplet_hours of pilot-next, 50 droplet_hours of pilot-old"
    )


def test_a_kind_is_named_once_though_it_has_no_rate_on_some_days_and_no_subscription_on_others(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("pilot", ends_on=date(2026, 4, 20))
    use(stack, "pilot", date(2026, 4, 10), "2", "gpu_hours")
    use(stack, "pilot", date(2026, 4, 25), "3", "gpu_hours")
    office.roll_up("pilot")
    assert named(office.report()) == [
        ("pilot", "pilot", "gpu_hours", "2026-04", "5", "pilot.2026-04")
    ]


def test_a_void_invoice_and_a_missing_one_name_no_usage(office: Office, stack: Stack) -> None:
    for name in ("missing", "void"):
        stack.add_tenant(name)
        use(stack, name, date(2026, 4, 2), "3", "gpu_hours")
    office.roll_up("void")
    set_status(stack, "void", InvoiceStatus.VOID)
    report = office.report()
    assert report["void_not_reissued"]["tenant_ids"] == ["void"]
    assert report["missing"]["tenant_ids"] == ["missing"]
    assert named(report) == []


def test_late_usage_that_an_invoice_names_is_told_apart_by_its_month(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("pilot")
    office.roll_up("pilot")
    set_status(stack, "pilot", InvoiceStatus.ISSUED)
    use(stack, "pilot", date(2026, 4, 2), "4", "gpu_hours")
    use(stack, "pilot", date(2026, 5, 2), "6", "gpu_hours")
    office.roll_up("pilot", period="2026-05", run_at="2026-06-01T03:00:00Z")
    report = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert named(report) == [
        ("pilot", "pilot", "gpu_hours", "2026-04", "4", "pilot.2026-05"),
        ("pilot", "pilot", "gpu_hours", "2026-05", "6", "pilot.2026-05"),
    ]


def test_what_was_named_and_is_taken_back_is_named_as_less(office: Office, stack: Stack) -> None:
    stack.add_tenant("pilot")
    use(stack, "pilot", date(2026, 4, 2), "4", "gpu_hours")
    office.roll_up("pilot")
    set_status(stack, "pilot", InvoiceStatus.ISSUED)
    # As a correction leaves it.
    for day in ("2026-04-02", "total"):
        key = {"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": day}}
        change = {
            "ExpressionAttributeValues": {":n": {"N": "1"}},
            "UpdateExpression": "SET gpu_hours = :n",
        }
        stack.dynamodb.update_item(TableName="usage", Key=key, **change)
    office.roll_up("pilot", period="2026-05", run_at="2026-06-01T03:00:00Z")
    report = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert named(report) == [("pilot", "pilot", "gpu_hours", "2026-04", "-3", "pilot.2026-05")]
    assert not [entry for entry in report["review"]["entries"] if entry["held"]]


def test_late_usage_of_another_month_is_not_named_by_a_month_without_an_invoice(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("pilot", ends_on=date(2026, 4, 30))
    office.roll_up("pilot")
    set_status(stack, "pilot", InvoiceStatus.ISSUED)
    use(stack, "pilot", date(2026, 4, 2), "4", "gpu_hours")
    use(stack, "pilot", date(2026, 5, 2), "6", "gpu_hours")
    report = office.report("2026-05", at="2026-06-02T00:00:00+00:00")
    assert named(report) == [("pilot", "pilot", "gpu_hours", "2026-05", "6", None)]


def test_an_invoice_of_many_pages_is_read_to_its_end(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 600)
    stack.add_tenant("pilot")
    for number in range(12):
        use(stack, "pilot", date(2026, 4, 2), f"{number + 1}", f"kind_{number:02}")
    office.roll_up("pilot")
    pages = [item for item in stack.raw_items("invoices") if "#" in item["tenant_id"]["S"]]
    assert len(pages) > 1
    rows = named(office.report())
    assert [(row[2], row[4]) for row in rows] == [
        (f"kind_{number:02}", f"{number + 1}") for number in range(12)
    ]


def test_what_the_index_does_not_show_yet_is_named_all_the_same(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")
    use(stack, "pilot", date(2026, 4, 2), "3", "gpu_hours")
    office.roll_up("pilot")
    prompt = office.report()

    def lagging(_lists: InvoiceLists, _period: Period) -> Any:
        return []

    monkeypatch.setattr(InvoiceLists, "whole_period", lagging)
    assert office.report() == prompt
    assert named(prompt) == [("pilot", "pilot", "gpu_hours", "2026-04", "3", "pilot.2026-04")]


def test_another_tenants_usage_is_not_named_as_this_ones(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme", hours=None, ends_on=date(2026, 3, 31))
    stack.usage.add("other", "acme", date(2026, 4, 2), {"droplet_hours": Decimal(5)})
    assert named(office.report()) == []


def test_a_stored_report_names_it_and_an_older_one_is_still_read(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("gone", hours="30", ends_on=date(2026, 3, 31))
    office.sweep()
    stored = office.report(stored="true")
    assert named(stored) == [("gone", "gone", "droplet_hours", "2026-04", "30", None)]
    older = json.loads(json.dumps(stored))
    del older["unbilled_usage"], older["late_usage"]
    MonthEndsTable("accounts").store_report(APRIL, older)
    again = office.report(stored="true")
    assert (again["unbilled_usage"], again["late_usage"]) == (None, None)
