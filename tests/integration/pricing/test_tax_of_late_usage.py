"""Late usage keeps the tax treatment of its month, whatever the tenant's is by then.

The pilot pays 57.50 a month; 1,488 hours are included, and a cent is charged for each beyond. It
used 2,160 hours in April (64.22), and 10,000 more come in late: 100.00.
"""

import json
from dataclasses import replace
from typing import Any

import pytest

from invoicing.accounts.account import TaxTreatment
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.invoices.billing_history_table import BillingHistoryTable
from invoicing.month_end.rollup import RollupOutcome
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import Period
from tests.integration.conftest import Stack
from tests.integration.pricing.test_late_usage import Months, raw


@pytest.fixture
def months(stack: Stack) -> Months:
    """The pilot with 2,160 hours in April."""
    stack.add_tenant("pilot", account_number="1001")
    return Months(stack)


def treat(stack: Stack, tax: TaxTreatment) -> None:
    """Gives the pilot a tax treatment, from the next invoice on."""
    tenant = stack.accounts.account("pilot").tenant
    reason = "Export" if tax == "gst_free" else ""
    TenantsTable(stack.accounts.name).put(replace(tenant, tax=tax, tax_reason=reason))


def taxed(months: Months, label: str) -> tuple[int, str]:
    """Returns the cents and the text of the month's tax line."""
    line = months.invoice(label).lines[-1]
    assert line.kind == "tax"
    return line.amount_cents, line.description


def strip_tax(stack: Stack, label: str) -> None:
    """Makes the month's invoice one from before invoices named their treatment."""
    stack.dynamodb.update_item(
        TableName="invoices",
        Key={"tenant_id": {"S": "pilot"}, "period_start": {"S": f"{label}-01"}},
        UpdateExpression="REMOVE tax",
    )


def test_april_was_taxed_and_the_tenant_exports_from_may_on(stack: Stack, months: Months) -> None:
    months.issued("2026-04")
    assert raw(stack, "2026-04")["tax"] == {"S": "gst"}
    treat(stack, "gst_free")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    assert taxed(months, "2026-05") == (1000, "GST 10% of 100.00")
    assert months.invoice("2026-05").header.total_cents == 5750 + 10_000 + 1000
    item = raw(stack, "2026-05")
    assert item["tax"] == {"S": "gst_free"}
    [late] = [entry for entry in json.loads(item["billed"]["S"]) if "period" in entry]
    assert (late["period"], late["tax"]) == ("2026-04", "gst")
    months.issued("2026-06")
    assert taxed(months, "2026-06") == (0, "GST-free")


def test_april_was_gst_free_and_the_tenant_is_taxed_from_may_on(
    stack: Stack, months: Months
) -> None:
    treat(stack, "gst_free")
    months.issued("2026-04")
    treat(stack, "gst")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    assert taxed(months, "2026-05") == (575, "GST 10% of 57.50")


def test_two_months_of_different_treatment_are_adjusted_on_one_invoice(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    treat(stack, "gst_free")
    months.use("2026-05", 1488)
    months.issued("2026-05")
    treat(stack, "gst")
    months.use("2026-04", 10_000)
    months.use("2026-05", 4000)
    months.issued("2026-06")
    assert [cents for _, cents in months.adjustments("2026-06")] == [10_000, 4000]
    # June's 57.50 and April's 100.00, but not May's 40.00.
    assert taxed(months, "2026-06") == (1575, "GST 10% of 157.50")


def test_a_draft_of_late_usage_is_forced_to_the_treatment_of_its_month(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 10_000)
    months.run("2026-05")
    assert taxed(months, "2026-05") == (1575, "GST 10%")
    treat(stack, "gst_free")
    assert months.run("2026-05", force=True).outcome is RollupOutcome.REPLACED
    assert taxed(months, "2026-05") == (1000, "GST 10% of 100.00")
    assert months.run("2026-05", force=True).reason == "unchanged"


REFUSAL = (
    r"^invoice pilot\.2026-05 bills late usage of 2026-04, which was invoiced as gst, and the "
    r"tenant is gst_free now; void that one first, or make the tenant gst until 2026-04 is "
    r"invoiced$"
)


def test_a_month_is_made_again_in_another_treatment_only_before_the_invoice_that_goes_on_from_it(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    treat(stack, "gst_free")
    months.put("2026-04", "void")
    with pytest.raises(InvalidUsage, match=REFUSAL):
        months.run("2026-04", force=True)
    months.put("2026-05", "void")
    months.run("2026-04", force=True)
    months.put("2026-04", "issued")
    months.run("2026-05", force=True)
    # April is billed anew with all of its usage, as an export; no GST of it is left anywhere.
    assert months.invoice("2026-04").header.subtotal_cents == 16_422
    assert taxed(months, "2026-04") == (0, "GST-free")
    assert (months.adjustments("2026-05"), taxed(months, "2026-05")) == ([], (0, "GST-free"))


def test_or_else_in_its_own_treatment_which_the_tenant_is_given_for_it(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    treat(stack, "gst_free")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    months.put("2026-04", "void")
    treat(stack, "gst")
    months.run("2026-04", force=True)
    # A draft that is made again is no way round it.
    treat(stack, "gst_free")
    with pytest.raises(InvalidUsage, match=REFUSAL):
        months.run("2026-04", force=True)
    assert taxed(months, "2026-04") == (642, "GST 10%")
    assert taxed(months, "2026-05") == (1000, "GST 10% of 100.00")


@pytest.mark.parametrize("status", ["issued", "paid", "void", "draft"])
def test_what_is_not_made_again_is_skipped_or_refused_as_ever(
    stack: Stack, months: Months, status: str
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    treat(stack, "gst_free")
    months.put("2026-04", status)
    before = stack.raw_items("invoices")
    result = months.run("2026-04")
    assert (result.outcome, result.reason) == (RollupOutcome.SKIPPED, "invoiced already")
    if status in ("issued", "paid"):
        assert months.run("2026-04", force=True).outcome is RollupOutcome.REFUSED
    assert stack.raw_items("invoices") == before


def test_the_lines_of_an_old_invoice_are_read_only_for_late_usage(
    stack: Stack, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    read = BillingHistoryTable.treatment

    def counted(table: BillingHistoryTable, tenant_id: str, period: Period) -> Any:
        reads.append(period.label)
        return read(table, tenant_id, period)

    monkeypatch.setattr(BillingHistoryTable, "treatment", counted)
    months.issued("2026-04")
    strip_tax(stack, "2026-04")
    months.issued("2026-05")
    assert reads == []
    months.use("2026-04", 40)
    months.issued("2026-06")
    assert reads == ["2026-04"]
    months.use("2026-05", 1488 + 40)
    months.issued("2026-07")
    # May names its treatment, and all late usage of April is billed.
    assert reads == ["2026-04"]


def test_the_tax_line_of_an_old_invoice_may_be_on_a_further_page(
    stack: Stack, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.invoices.invoice_item.PAGE_BYTES", 300)
    treat(stack, "gst_free")
    months.issued("2026-04")
    item = raw(stack, "2026-04")
    assert int(item["pages"]["N"]) > 1
    assert "GST-free" not in item["lines"]["S"]
    strip_tax(stack, "2026-04")
    treat(stack, "gst")
    months.use("2026-04", 10_000)
    months.issued("2026-05")
    assert taxed(months, "2026-05") == (575, "GST 10% of 57.50")
