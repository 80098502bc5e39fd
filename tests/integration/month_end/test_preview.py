"""The preview does the rollup's own work and writes nothing."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from invoicing.invoices.invoice import InvoiceStatus
from invoicing.month_end.preview import Previews
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.closing import Office
from tests.integration.month_end.test_rollup import set_status


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, with nobody to bill yet."""
    return Office(stack, rollup)


def preview(office: Office, tenant_id: str) -> dict[str, Any]:
    """Returns the preview of one tenant's April; asserts that the tables stay the same."""
    tables = ("accounts", "invoices", "usage")
    before = [office.stack.raw_items(name) for name in tables]
    answer = office.ask("preview_month_end", query={"tenant_id": tenant_id})
    assert answer["statusCode"] == 200, answer
    assert answer["body"]["next_cursor"] is None
    assert [office.stack.raw_items(name) for name in tables] == before
    [shown] = answer["body"]["previews"]
    only: dict[str, Any] = shown
    return only


def cents(shown: dict[str, Any]) -> list[tuple[str, int]]:
    """Returns the kind of each changed line, and what it adds to the total, in cents."""
    return [
        ((change["after"] or change["before"])["kind"], change["cents"])
        for change in shown["changes"]
    ]


def test_a_first_invoice_is_all_new_lines(office: Office, stack: Stack) -> None:
    stack.add_tenant("pilot")
    shown = preview(office, "pilot")
    assert (shown["outcome"], shown["before"], shown["after"]["total_cents"]) == (
        "rolled",
        None,
        7064,
    )
    assert cents(shown) == [("plan_base", 5000), ("addon", 750), ("overage", 672), ("tax", 642)]


def test_it_promises_what_the_forced_run_then_does(office: Office, stack: Stack) -> None:
    stack.add_tenant("pilot")
    office.roll_up("pilot")
    used = {"droplet_hours": Decimal(28), "gpu_hours": Decimal(2)}
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), used)
    shown = preview(office, "pilot")
    # 28 hours more at a cent: 64.22 + 0.28 = 64.50, and GST 6.45.
    assert shown["before"] == {
        "status": "draft",
        "revision": 1,
        "subtotal_cents": 6422,
        "tax_cents": 642,
        "total_cents": 7064,
    }
    assert (shown["after"]["revision"], shown["after"]["total_cents"]) == (2, 7095)
    assert cents(shown) == [("overage", 28), ("tax", 3)]
    assert [usage["resource_kind"] for usage in shown["unpriced"]] == ["gpu_hours"]
    office.roll_up("pilot", force=True)
    header = stack.invoices.get("pilot", APRIL).header
    assert (header.revision, header.total_cents) == (2, 7095)
    again = preview(office, "pilot")
    assert (again["outcome"], again["reason"], again["changes"]) == ("skipped", "unchanged", [])


@pytest.mark.parametrize(
    ("status", "outcome", "revision"),
    [
        (InvoiceStatus.ISSUED, "refused", 1),
        (InvoiceStatus.PAID, "refused", 1),
        (InvoiceStatus.VOID, "replaced", 2),
    ],
)
def test_what_is_issued_stays_and_what_is_void_is_billed_again(
    office: Office, stack: Stack, status: InvoiceStatus, outcome: str, revision: int
) -> None:
    stack.add_tenant("pilot")
    office.roll_up("pilot")
    set_status(stack, "pilot", status)
    shown = preview(office, "pilot")
    assert (shown["outcome"], shown["after"]["revision"]) == (outcome, revision)
    assert shown["before"]["status"] == status


def test_who_has_nothing_to_invoice(office: Office, stack: Stack) -> None:
    stack.add_tenant("gone", hours=None, ends_on=date(2026, 3, 31))
    shown = preview(office, "gone")
    assert shown["outcome"] == "nothing_to_invoice"
    assert (shown["before"], shown["after"]) == (None, None)


def test_everybody_page_by_page_and_errors_stop_nobody(office: Office, stack: Stack) -> None:
    names = [f"t{number}" for number in range(5)]
    for name in names:
        stack.add_tenant(name, hours=None, plan_version=7 if name == "t2" else 1)
    seen: list[tuple[str, str]] = []
    query = {"limit": "2"}
    while True:
        page = office.ask("preview_month_end", query=query)["body"]
        seen += [(shown["tenant_id"], shown["outcome"]) for shown in page["previews"]]
        if page["next_cursor"] is None:
            break
        query = {"limit": "2", "cursor": page["next_cursor"]}
    outcomes = dict.fromkeys(names, "rolled") | {"t2": "failed"}
    assert seen == list(outcomes.items())
    failed = preview(office, "t2")
    assert failed["reason"] == "UnknownPrice: plan studio v0007 is not in the catalogue"


def test_a_cursor_is_of_its_month_and_its_tenants(office: Office, stack: Stack) -> None:
    for name in ("a", "b"):
        stack.add_tenant(name, hours=None)
    cursor = office.ask("preview_month_end", query={"limit": "1"})["body"]["next_cursor"]
    for period, more in (("2026-03", {}), ("2026-04", {"tenant_id": "a"})):
        answer = office.ask("preview_month_end", period, {"cursor": cursor} | more)
        assert answer["statusCode"] == 400


def test_an_unknown_tenant_is_not_there(office: Office) -> None:
    answer = office.ask("preview_month_end", query={"tenant_id": "nobody"})
    assert answer["statusCode"] == 404
    answer = office.ask("preview_month_end", query={"tenant_id": "NOBODY"})
    assert answer["statusCode"] == 400


def test_what_is_no_tenants_fault_fails_the_request(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("a")

    def away(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(Previews, "_preview", away)
    assert office.ask("preview_month_end")["statusCode"] == 500
