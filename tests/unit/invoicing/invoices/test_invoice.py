"""An invoice: its number, its sums, and nothing in it that is not the tenant's to read."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from invoicing.accounts.account import InvalidAccount, Tenant
from invoicing.invoices.billed_usage import NOTHING_BILLED
from invoicing.invoices.invoice import (
    InconsistentInvoice,
    Issue,
    Revision,
    header_json,
    invoice_json,
    new_invoice,
)
from invoicing.invoices.invoice_number import has_last_letter, invoice_number, letters_up_to
from quote_engine import Period, Plan, QuoteRequest, Subscription, price

APRIL = Period.month("2026-04")
ACME = Tenant("acme", "Acme Pty Ltd", "1001", "gst")
PLAN = Plan("flat", "Flat", Decimal("10.00"), "none", ())
REQUEST = QuoteRequest(
    APRIL, "AUD", "gst", (Subscription("d1", date(2026, 1, 1), None, PLAN, (), {}),)
)


@pytest.mark.parametrize(
    ("account", "period", "letters_used", "number"),
    [
        ("1001", "2026-04", 0, "2604-1001"),
        ("1001", "2026-04", 1, "2604-1001B"),
        ("1001", "2026-12", 25, "2612-1001Z"),
        ("9999999", "2031-01", 2, "3101-9999999C"),
    ],
)
def test_a_number_is_the_month_the_account_and_the_letter_after_those_used(
    account: str, period: str, letters_used: int, number: str
) -> None:
    assert invoice_number(account, Period.month(period), letters_used) == number
    assert len(number) <= 13
    assert letters_up_to(number) == letters_used + 1
    assert has_last_letter(number) == (number == "2612-1001Z")


@pytest.mark.parametrize(
    ("number", "issued", "said"),
    [
        ("2604-1001Z", True, "no number follows 2604-1001Z, so its month cannot be billed again"),
        ("2604-1001Z", False, ""),
        ("2604-1001Y", True, ""),
        ("2604-1001", True, ""),
    ],
)
def test_nothing_follows_an_issued_z(number: str, issued: bool, said: str) -> None:
    draft = new_invoice(ACME, REQUEST, price(REQUEST), Revision(1, None), NOTHING_BILLED).header
    issued_at = datetime(2026, 5, 1, 3, tzinfo=UTC) if issued else None
    assert replace(draft, number=number, issued_at=issued_at).no_number_follows == said


def test_an_invoice_is_a_draft_unless_it_is_issued_at_once() -> None:
    draft = new_invoice(ACME, REQUEST, price(REQUEST), Revision(1, None), NOTHING_BILLED)
    shown = header_json(draft.header)
    assert (shown["status"], shown["issued_at"], shown["due_on"]) == ("draft", None, None)
    issue = Issue(datetime(2026, 5, 1, 3, tzinfo=UTC), date(2026, 5, 15))
    issued = header_json(
        new_invoice(ACME, REQUEST, price(REQUEST), Revision(1, issue), NOTHING_BILLED).header
    )
    assert issued["status"] == "issued"
    assert issued["issued_at"] == "2026-05-01T03:00:00+00:00"
    assert issued["due_on"] == "2026-05-15"
    assert issued["fingerprint"] == shown["fingerprint"]


def test_an_invoices_json_shows_the_contracts_fields_and_no_other() -> None:
    invoice = new_invoice(ACME, REQUEST, price(REQUEST), Revision(1, None), NOTHING_BILLED)
    body = invoice_json(invoice)
    header = [
        "id",
        "number",
        "tenant_id",
        "period_start",
        "period_end",
        "status",
        "revision",
        "currency",
        "subtotal_cents",
        "tax_cents",
        "total_cents",
        "issued_at",
        "due_on",
        "fingerprint",
    ]
    assert list(body) == [*header, "lines"]
    line = [
        "kind",
        "description",
        "deployment_id",
        "resource_kind",
        "quantity",
        "unit",
        "unit_price",
        "amount_cents",
    ]
    assert [list(entry) for entry in body["lines"]] == [line, line]
    assert (body["id"], body["number"]) == ("acme.2026-04", "2604-1001")
    assert (body["period_start"], body["period_end"]) == ("2026-04-01", "2026-05-01")
    assert (body["subtotal_cents"], body["tax_cents"]) == (1000, 100)


@pytest.mark.parametrize("field", ["subtotal_cents", "tax_cents", "total_cents"])
def test_lines_that_do_not_sum_to_the_totals_are_never_written(field: str) -> None:
    quote = price(REQUEST)
    wrong = quote._replace(**{field: getattr(quote, field) + 1})
    with pytest.raises(InconsistentInvoice, match=r"acme\.2026-04"):
        new_invoice(ACME, REQUEST, wrong, Revision(1, None), NOTHING_BILLED)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (("Acme", "n", "1", "gst"), "tenant_id"),
        (("a#b", "n", "1", "gst"), "tenant_id"),
        (("acme", "n", "12345678", "gst"), "account_number"),
        (("acme", "n", "A1", "gst"), "account_number"),
        (("acme", "n", "1", "exempt"), "tax"),
        (("acme", "n", "1", "gst_free"), "tax_reason"),
    ],
)
def test_a_faulty_tenant_is_refused_by_field(fields: tuple[str, ...], named: str) -> None:
    with pytest.raises(InvalidAccount, match=f"^{named}: "):
        Tenant(*fields)  # type: ignore[arg-type]
