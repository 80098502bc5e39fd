"""What came after a month was invoiced is named in the month's report, until an invoice has it."""

from datetime import date
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation import time_limit
from invoicing.foundation.billing_calendar import TimeInFuture
from invoicing.foundation.parsing import InvalidMessage
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.month_end import late_usage_sweep
from local.handlers import LambdaContext
from quote_engine import Period
from tests.integration.conftest import Stack
from tests.integration.month_end.closing import Office
from tests.integration.month_end.test_rollup import set_status

# Of the studio plan 1,488 hours are included; the pilot has used 2,160 in April.
MAY_20 = "2026-05-20T02:00:00Z"
LATE_MAY = "2026-05-20T09:00:00+00:00"


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, with nobody to bill yet."""
    return Office(stack, rollup)


def use(
    stack: Stack, tenant_id: str, day: date, quantity: int, kind: str = "droplet_hours"
) -> None:
    """Adds usage, which arrives now; a negative quantity takes back, as a correction does."""
    client = stack.dynamodb
    key = f"{tenant_id}#{day:%Y-%m}"
    for sort_key in (day.isoformat(), "total"):
        client.update_item(
            TableName="usage",
            Key={"deployment_period": {"S": key}, "day": {"S": sort_key}},
            UpdateExpression="SET tenant_id = :owner ADD #k :q",
            ExpressionAttributeNames={"#k": kind},
            ExpressionAttributeValues={":owner": {"S": tenant_id}, ":q": {"N": str(quantity)}},
        )


def invoiced(office: Office, *tenant_ids: str, status: str = "issued") -> None:
    """Invoices April for the tenants, and gives the invoices this state."""
    office.roll_up(*tenant_ids)
    for tenant_id in tenant_ids:
        set_status(office.stack, tenant_id, InvoiceStatus(status))


def late(report: dict[str, Any]) -> list[tuple[str, str, str, str, str | None]]:
    """Returns tenant, kind, quantity, fate and invoice month of each entry of late usage."""
    body = report["late_usage"]
    assert body["count"] == len(body["entries"])
    return [
        (
            entry["tenant_id"],
            entry["resource_kind"],
            entry["quantity"],
            entry["fate"],
            entry["billed_on"],
        )
        for entry in body["entries"]
    ]


def test_late_usage_is_named_until_the_next_invoice_has_it(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme")
    invoiced(office, "acme")
    assert office.report(at=LATE_MAY)["late_usage"] is None
    use(stack, "acme", date(2026, 4, 30), 50)
    assert office.sweep_late_usage(MAY_20) == {
        "tenants": 1,
        "waiting": {"2026-04": 1},
        "failed": 0,
        "complete": True,
    }
    report = office.report(at=LATE_MAY)
    assert report["late_usage"] == {
        "as_of": "2026-05-20T02:00:00+00:00",
        "complete": True,
        "count": 1,
        "entries": [
            {
                "tenant_id": "acme",
                "deployment_id": "acme",
                "resource_kind": "droplet_hours",
                "quantity": "50",
                "fate": "next_invoice",
                "billed_on": "2026-05",
            }
        ],
        "failed": {"count": 0, "tenants": []},
    }
    office.roll_up("acme", period="2026-05", run_at="2026-06-01T03:00:00Z")
    office.sweep_late_usage("2026-06-02T02:00:00Z")
    april = office.report(at="2026-06-02T09:00:00+00:00")["late_usage"]
    assert (april["as_of"], april["entries"]) == ("2026-06-02T02:00:00+00:00", [])


def test_a_correction_takes_usage_off_the_next_invoice(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme", hours="20000")
    invoiced(office, "acme")
    use(stack, "acme", date(2026, 4, 15), -19_800)
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == [
        ("acme", "droplet_hours", "-19800", "next_invoice", "2026-05")
    ]


def test_a_drafts_usage_waits_for_a_forced_run_of_its_own_month(
    office: Office, stack: Stack
) -> None:
    for name in ("less", "more"):
        stack.add_tenant(name)
    invoiced(office, "less", "more", status="draft")
    use(stack, "less", date(2026, 4, 15), -60)
    use(stack, "more", date(2026, 4, 30), 20)
    use(stack, "more", date(2026, 4, 30), 3, "gpu_hours")
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == [
        ("less", "droplet_hours", "-60", "forced_run", "2026-04"),
        ("more", "droplet_hours", "20", "forced_run", "2026-04"),
        ("more", "gpu_hours", "3", "unpriced", None),
    ]
    office.roll_up("less", "more", force=True)
    # Seven months later a draft may still wait: no look-back ends for a draft.
    use(stack, "more", date(2026, 4, 30), 5)
    office.sweep_late_usage("2026-11-20T02:00:00Z")
    assert late(office.report(at="2026-11-20T09:00:00+00:00")) == [
        ("more", "droplet_hours", "5", "forced_run", "2026-04")
    ]


def test_late_usage_that_nothing_prices_or_that_costs_nothing_is_told_apart(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("small", hours="100")
    stack.add_tenant("gpus", hours="100")
    stack.add_tenant("left", hours="100", ends_on=date(2026, 4, 30))
    invoiced(office, "small", "gpus", "left")
    use(stack, "gpus", date(2026, 4, 30), 4, "gpu_hours")
    use(stack, "small", date(2026, 4, 30), 8)
    # An invoice would name the GPUs and take the 8 with it, but none is to come.
    use(stack, "left", date(2026, 4, 30), 4, "gpu_hours")
    use(stack, "left", date(2026, 4, 30), 8)
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == [
        ("gpus", "gpu_hours", "4", "unpriced", None),
        ("left", "droplet_hours", "8", "no_charge", None),
        ("left", "gpu_hours", "4", "unpriced", None),
        ("small", "droplet_hours", "8", "no_charge", None),
    ]


def test_usage_of_a_month_too_long_ago_is_named_as_billed_by_nobody(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("acme", ends_on=date(2026, 4, 30))
    invoiced(office, "acme")
    use(stack, "acme", date(2026, 4, 30), 50)
    # August is the fourth month after April, September the fifth.
    for at, fate, billed_on in (
        ("2026-08-20T02:00:00Z", "next_invoice", "2026-08"),
        ("2026-09-20T02:00:00Z", "too_old", None),
    ):
        office.sweep_late_usage(at)
        report = office.report(at="2026-09-20T09:00:00+00:00")
        assert late(report) == [("acme", "droplet_hours", "50", fate, billed_on)]


@pytest.mark.parametrize(
    ("at", "ends_on", "billed_on"),
    [
        # On the first, May's invoice is still to be made, of everybody.
        ("2026-06-01T02:00:00Z", None, "2026-05"),
        ("2026-06-05T02:00:00Z", date(2026, 4, 30), "2026-05"),
        # Later it is missing only where there is a subscription.
        ("2026-06-06T02:00:00Z", None, "2026-05"),
        ("2026-06-06T02:00:00Z", date(2026, 4, 30), "2026-06"),
    ],
)
def test_it_is_on_the_month_that_is_invoiced_next(
    office: Office, stack: Stack, at: str, ends_on: date | None, billed_on: str
) -> None:
    stack.add_tenant("acme", ends_on=ends_on)
    invoiced(office, "acme")
    use(stack, "acme", date(2026, 4, 30), 50)
    office.sweep_late_usage(at)
    report = office.report(at="2026-06-08T00:00:00+00:00")
    assert late(report) == [("acme", "droplet_hours", "50", "next_invoice", billed_on)]


def test_a_month_begins_and_ends_in_the_billing_zone(
    office: Office, stack: Stack, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    settings.cache_clear()
    stack.add_tenant("acme")
    invoiced(office, "acme")
    use(stack, "acme", date(2026, 4, 29), 50)
    # In Sydney it is June from 14:00 UTC on, and May's invoice comes next.
    office.sweep_late_usage("2026-05-31T15:00:00Z")
    assert [row[-1] for row in late(office.report(at=LATE_MAY))] == ["2026-05"]


def test_a_month_divided_by_its_subscription_is_looked_at_by_day(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("acme", ends_on=date(2026, 4, 20))
    invoiced(office, "acme")
    use(stack, "acme", date(2026, 4, 20), 50)
    use(stack, "acme", date(2026, 4, 21), 7)
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == [
        ("acme", "droplet_hours", "50", "next_invoice", "2026-05"),
        ("acme", "droplet_hours", "7", "unpriced", None),
    ]


def test_who_cannot_be_priced_is_named_and_hides_nobody(office: Office, stack: Stack) -> None:
    for name in ("acme", "spoilt"):
        stack.add_tenant(name)
    invoiced(office, "acme", "spoilt")
    use(stack, "acme", date(2026, 4, 30), 50)
    use(stack, "spoilt", date(2026, 4, 30), -9999)
    assert office.sweep_late_usage(MAY_20)["failed"] == 1
    report = office.report(at=LATE_MAY)
    assert [row[0] for row in late(report)] == ["acme"]
    reason = "InvalidUsage: usage of spoilt, droplet_hours: negative (-7839)"
    failed = {"count": 1, "tenants": [{"tenant_id": "spoilt", "reason": reason}]}
    assert report["late_usage"]["failed"] == failed


def test_out_of_time_it_says_that_it_has_not_looked_at_everybody(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        stack.add_tenant(name)
    invoiced(office, "a", "b", "c")
    for name in ("a", "c"):
        use(stack, name, date(2026, 4, 30), 50)
    monkeypatch.setattr(late_usage_sweep, "CHECKED_AT_ONCE", 2)
    clock: Any = iter([0, 100, 900])
    monkeypatch.setattr(time_limit, "monotonic", clock.__next__)
    answer = office.sweep_late_usage(MAY_20)
    assert (answer["tenants"], answer["complete"]) == (2, False)
    monkeypatch.undo()
    report = office.report(at=LATE_MAY)
    assert (report["late_usage"]["complete"], [row[0] for row in late(report)]) == (False, ["a"])


def test_a_subscription_that_was_moved_since_the_draft_moves_its_usage(
    office: Office, stack: Stack
) -> None:
    stack.add_tenant("acme")
    invoiced(office, "acme", status="draft")
    # All 2,160 hours are of the 15th.
    segment = Segment("acme", "acme", date(2026, 1, 10), date(2026, 4, 14), "studio", 1)
    SubscriptionsTable("accounts").put(segment)
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == [
        ("acme", "droplet_hours", "-2160", "forced_run", "2026-04"),
        ("acme", "droplet_hours", "2160", "unpriced", None),
    ]
    office.roll_up("acme", force=True)
    office.sweep_late_usage(MAY_20)
    assert late(office.report(at=LATE_MAY)) == []


def test_what_waits_is_named_as_far_back_as_the_invoice_that_is_still_to_come_looks(
    office: Office, stack: Stack
) -> None:
    """On 2 November, October is still to be invoiced: that looks at October of the year before."""
    stack.add_tenant("acme", hours=None, starts_on=date(2025, 1, 10))
    use(stack, "acme", date(2025, 10, 15), 2160)
    office.roll_up("acme", period="2025-10", run_at="2025-11-01T03:00:00Z")
    set_status(stack, "acme", InvoiceStatus.ISSUED, Period.month("2025-10"))
    use(stack, "acme", date(2025, 10, 15), -100)
    stack.dynamodb.update_item(
        TableName="invoices",
        Key={"tenant_id": {"S": "acme"}, "period_start": {"S": "2025-10~corrected"}},
        UpdateExpression="SET corrected_at = :at",
        ExpressionAttributeValues={":at": {"S": "2026-10-31T12:00:00.000+00:00"}},
    )
    office.sweep_late_usage("2026-11-02T02:00:00Z")
    assert late(office.report("2025-10", at="2026-11-02T09:00:00+00:00")) == [
        ("acme", "droplet_hours", "-100", "next_invoice", "2026-10")
    ]
    office.roll_up("acme", period="2026-10", run_at="2026-11-02T10:00:00Z")
    office.sweep_late_usage("2026-11-03T02:00:00Z")
    assert late(office.report("2025-10", at="2026-11-03T09:00:00+00:00")) == []


def test_each_month_that_an_invoice_looks_back_to_is_kept_and_no_other(
    office: Office, stack: Stack
) -> None:
    office.sweep_late_usage("2026-11-20T02:00:00Z")
    kept = [item["pk"]["S"] for item in stack.raw_items("accounts") if "month" in item["pk"]["S"]]
    assert sorted(kept) == [
        "month-end#2025-10",
        "month-end#2025-11",
        "month-end#2025-12",
        *(f"month-end#2026-{month:02}" for month in range(1, 11)),
    ]


def test_a_time_that_has_not_come_and_what_is_no_event_sweep_nothing(office: Office) -> None:
    with pytest.raises(TimeInFuture, match="time: 2099-01-01"):
        office.sweep_late_usage("2099-01-01T02:00:00Z")
    with pytest.raises(InvalidMessage, match="time"):
        office.functions["sweep_late_usage"].handler({"id": "x"}, LambdaContext())
