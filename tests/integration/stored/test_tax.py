"""Tenants that began or ceased to export between two months, of which commit 6b321da kept nothing.

All pay 57.50 a month. What their April was is said by the tax line of its invoice alone, and
10,000 late hours of it are 100.00.
"""

from dataclasses import replace

import pytest

from invoicing.accounts.account import TaxTreatment
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.invoices.lifecycle import Action
from invoicing.month_end.rollup import RollupOutcome
from invoicing.usage.usage_table import InvalidUsage
from tests.integration.stored.conftest import OldBooks


def taxed(books: OldBooks, tenant_id: str, label: str) -> tuple[int, str]:
    """Returns the cents and the text of the month's tax line."""
    line = books.invoice(tenant_id, label).lines[-1]
    return line.amount_cents, line.description


def treat(books: OldBooks, tenant_id: str, tax: TaxTreatment) -> None:
    """Gives a tenant a tax treatment, from the next invoice on."""
    tenant = books.stack.accounts.account(tenant_id).tenant
    reason = "Export" if tax == "gst_free" else ""
    TenantsTable(books.stack.accounts.name).put(replace(tenant, tax=tax, tax_reason=reason))


@pytest.mark.parametrize(
    ("tenant_id", "gst", "says"),
    [("cove", 1000, "GST 10% of 100.00"), ("fjord", 575, "GST 10% of 57.50")],
)
def test_late_usage_of_an_old_month_is_taxed_as_its_tax_line_says(
    books: OldBooks, tenant_id: str, gst: int, says: str
) -> None:
    books.run(tenant_id, "2026-05")
    assert books.cents(tenant_id, "2026-05", "adjustment") == [10_000]
    assert taxed(books, tenant_id, "2026-05") == (gst, says)


def test_an_old_draft_that_taxed_late_usage_as_its_own_month_is_put_right(
    books: OldBooks,
) -> None:
    assert books.amounts("kauri", "2026-05") == (15_750, 1575, 17_325)
    assert books.run("kauri", "2026-05", force=True).outcome is RollupOutcome.REPLACED
    assert books.amounts("kauri", "2026-05") == (15_750, 575, 16_325)
    assert taxed(books, "kauri", "2026-05") == (575, "GST 10% of 57.50")


def test_an_old_issued_one_stays_and_what_came_in_after_it_is_taxed_as_its_month(
    books: OldBooks,
) -> None:
    before = books.item("acme", "2026-04-01"), books.item("acme", "2026-05-01")
    books.run("acme", "2026-06")
    # 100 hours more; the 10,000 hours on May are billed, though without GST.
    assert books.cents("acme", "2026-06", "adjustment") == [100]
    assert taxed(books, "acme", "2026-06") == (10, "GST 10% of 1.00")
    assert (books.item("acme", "2026-04-01"), books.item("acme", "2026-05-01")) == before


def test_until_somebody_voids_it_and_makes_it_again(books: OldBooks) -> None:
    books.change(Action.VOID, "acme", "2026-05")
    assert books.run("acme", "2026-05", force=True).outcome is RollupOutcome.REPLACED
    assert books.cents("acme", "2026-05", "adjustment") == [10_100]
    assert taxed(books, "acme", "2026-05") == (1010, "GST 10% of 101.00")


@pytest.mark.parametrize(
    ("tenant_id", "was", "now"), [("acme", "gst", "gst_free"), ("kauri", "gst_free", "gst")]
)
def test_an_old_month_is_not_made_again_in_another_treatment_under_an_old_invoice(
    books: OldBooks, tenant_id: str, was: TaxTreatment, now: str
) -> None:
    tax = taxed(books, tenant_id, "2026-04")
    books.change(Action.VOID, tenant_id, "2026-04")
    refusal = (
        rf"^invoice {tenant_id}\.2026-05 bills late usage of 2026-04, which was invoiced as "
        f"{was}, and the tenant is {now} now; void that one first"
    )
    with pytest.raises(InvalidUsage, match=refusal):
        books.run(tenant_id, "2026-04", force=True)
    treat(books, tenant_id, was)
    assert books.run(tenant_id, "2026-04", force=True).outcome is RollupOutcome.REPLACED
    # As far as May went on from it, and taxed as before.
    assert books.amounts(tenant_id, "2026-04")[0] == 5750
    assert taxed(books, tenant_id, "2026-04") == tax
