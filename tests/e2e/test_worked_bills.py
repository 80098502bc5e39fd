"""Worked months through the deployed stack, from files to invoices by command line."""

import json
from collections.abc import Collection, Iterable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Deployed
from tests.e2e.test_cli import monthend
from tests.e2e.test_cli_month_end import forget
from tests.e2e.worked_addons import ADDONS
from tests.e2e.worked_bills import PRINTED, STRETCHES, Bill
from tests.e2e.worked_terms import COMMITMENTS, DISCOUNTS

CATALOGUE = Path(__file__).with_name("worked_catalogue.yaml")
BILLS = (*STRETCHES, *ADDONS, *DISCOUNTS, *COMMITMENTS, *PRINTED)
MONTHS = sorted({bill.month for bill in BILLS})
# Both months are over then, and usage of their first days is not too old.
RECEIVED_AT = "2026-06-01T00:00:00Z"


def write_customers(
    file: Path, bills: Iterable[Bill], first_number: int, gst_free: Collection[str] = ()
) -> None:
    """Writes a tenant for each bill, with account numbers in a row (JSON is YAML)."""
    tenants = [
        {
            "tenant_id": bill.tenant_id,
            "name": bill.tenant_id.title(),
            "account_number": str(number),
            "tax": "gst_free" if bill.tenant_id in gst_free else "gst",
            "tax_reason": "Export" if bill.tenant_id in gst_free else "Australian customer",
            "subscriptions": [{"deployment_id": bill.tenant_id, **terms} for terms in bill.parts],
        }
        for number, bill in enumerate(bills, first_number)
    ]
    file.write_text(json.dumps({"tenants": tenants}, indent=1))


def import_usage(
    deployed: Deployed, file: Path, month: str, used: Iterable[tuple[str, int, int, int]]
) -> None:
    """Imports a deployment's hours of each day from a first to a last day of the month.

    Another file adds to what was imported before.
    """
    rows = [
        f"{deployment_id},droplet_hours,{month}-{first:02},{month}-{last:02},{hours}"
        for deployment_id, first, last, hours in used
    ]
    heading = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"
    file.write_text("\n".join((heading, *rows)) + "\n")
    of_file = ("--source", file.stem, "--received-at", RECEIVED_AT)
    monthend(deployed, "usage", "import", str(file), *of_file)


def run_month(deployed: Deployed, month: str, bills: Iterable[Bill]) -> None:
    """Runs a month for the tenants of these bills, and waits."""
    named = [word for bill in bills for word in ("--tenant", bill.tenant_id)]
    monthend(deployed, "run", "--period", month, *named, "--wait")


def deployment(bill: Bill) -> str:
    """Returns the path of its deployment in the API."""
    return f"/tenants/{bill.tenant_id}/subscriptions/{bill.tenant_id}"


def change(deployed: Deployed, bill: Bill, body: dict[str, Any]) -> None:
    """Changes the terms of a deployment over the API, whatever they are."""
    path, token = f"{deployment(bill)}/changes", deployed.local.token("admin")
    answer = deployed.call(path, token, "POST", body, **{"If-Match": "*"})
    assert answer.status == 200, answer.body


@pytest.fixture(scope="module")
def stack(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stack after the months of all bills; the tenants are deleted at the end."""
    folder = tmp_path_factory.mktemp("bills")
    write_customers(folder / "customers.yaml", BILLS, 9700)
    monthend(deployed, "load", str(CATALOGUE), str(folder / "customers.yaml"))
    for bill in BILLS:
        for body in bill.changes:
            change(deployed, bill, body)
    for month in MONTHS:
        bills = [bill for bill in BILLS if bill.month == month]
        used = [(bill.tenant_id, *days) for bill in bills for days in bill.used]
        import_usage(deployed, folder / f"{month}.csv", month, used)
        run_month(deployed, month, bills)
    yield deployed
    forget(deployed, *(bill.tenant_id for bill in BILLS))


@pytest.fixture(scope="module")
def invoices(stack: Deployed) -> dict[str, Any]:
    """The invoice of each bill, as HTTP shows it, by tenant."""
    token = stack.local.token("admin")
    names = {bill.tenant_id: f"{bill.tenant_id}.{bill.month}" for bill in BILLS}
    answers = {name: stack.call(f"/invoices/{names[name]}", token) for name in names}
    assert {answer.status for answer in answers.values()} == {200}
    return {name: answer.json for name, answer in answers.items()}


def printed(line: dict[str, Any]) -> str:
    """Returns a line as the bills write it."""
    factors = f"{line['quantity']} x {line['unit_price']}"
    return f"{line['description']} | {factors} | {line['amount_cents']}"


@pytest.mark.parametrize("bill", BILLS, ids=lambda bill: bill.says)
def test_what_is_billed_is_what_was_worked_by_hand(invoices: dict[str, Any], bill: Bill) -> None:
    invoice = invoices[bill.tenant_id]
    assert [printed(line) for line in invoice["lines"]] == list(bill.lines)
    assert invoice["total_cents"] == bill.total_cents


def test_what_is_printed_multiplies_out(invoices: dict[str, Any]) -> None:
    for invoice in invoices.values():
        for line in invoice["lines"]:
            dollars = Decimal(line["quantity"]) * Decimal(line["unit_price"])
            cents = (dollars * 100).quantize(Decimal(1), ROUND_HALF_UP)
            assert cents == line["amount_cents"], line
        amounts = [line["amount_cents"] for line in invoice["lines"]]
        assert sum(amounts) == invoice["total_cents"]


QUOTED = [bill for bill in BILLS if bill.quoted is not None]


@pytest.mark.parametrize("bill", QUOTED, ids=lambda bill: bill.says)
def test_a_quote_of_the_month_in_one_piece_has_the_lines_of_the_invoice(
    stack: Deployed, invoices: dict[str, Any], bill: Bill
) -> None:
    assert bill.quoted is not None
    names = {"period": bill.month, "tenant_id": bill.tenant_id, "deployment_id": bill.tenant_id}
    answer = stack.call("/quotes", stack.local.token("admin"), "POST", {**bill.quoted, **names})
    assert answer.status == 201, answer.body
    assert answer.json["lines"] == invoices[bill.tenant_id]["lines"]


@pytest.mark.parametrize(
    ("tenant_id", "days"),
    [
        ("addon-added", [("2026-04-01", "2026-04-30")]),
        ("addon-goes-on", [("2026-04-01", "2026-04-20"), ("2026-04-21", "2026-04-30")]),
    ],
    ids=["a change of add-ons begins no segment", "a change of discounts begins one"],
)
def test_segments_after_changes(
    stack: Deployed, tenant_id: str, days: list[tuple[str, str]]
) -> None:
    [bill] = [bill for bill in BILLS if bill.tenant_id == tenant_id]
    segments = stack.call(deployment(bill), stack.local.token("admin")).json["segments"]
    assert [(segment["starts_on"], segment["ends_on"]) for segment in segments] == days
