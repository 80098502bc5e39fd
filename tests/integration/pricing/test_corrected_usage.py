"""Corrected usage reaches a draft by a forced run, and an issued month on the next invoice.

The pilot pays 57.50 a month; 1,488 hours are included, and a cent is charged for each beyond. It
used 2,160 hours in April (64.22), all of them on the 15th.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import Settings
from invoicing.invoices.corrected_months import corrections_over
from invoicing.invoices.invoice import Invoice
from invoicing.invoices.review import ReviewRule, own_flags
from invoicing.month_end.rollup import RollupOutcome
from invoicing.usage.correction import read_correction
from invoicing.usage.corrections import Corrected
from quote_engine import Period, PerUnit, Plan
from tests.conftest import ENVIRONMENT
from tests.integration.conftest import Stack
from tests.integration.pricing.test_late_usage import Months

MIB = Actor("u-1", "mib")


class CorrectedMonths(Months):
    """The pilot's months, whose usage is corrected in between."""

    def correct(
        self, day: str, quantities: tuple[str, str], on: str, kind: str = "droplet_hours"
    ) -> Corrected:
        """Corrects a day from one quantity to another, on the day that the correction is made."""
        expect, quantity = quantities
        place = {"deployment_id": "pilot", "resource_kind": kind, "day": day}
        body = {
            "id": f"{day}-{kind}-{on}",
            "reason": "typo",
            "day": place | {"expect": expect, "quantity": quantity},
        }
        corrections = corrections_over(Settings.from_environment(ENVIRONMENT))
        at = datetime.fromisoformat(on).replace(tzinfo=UTC)
        return corrections.correct(read_correction(body), MIB, at)

    def lines(self, label: str) -> list[tuple[str, int]]:
        """Returns kind and cents of each line of the month's invoice."""
        return [(line.kind, line.amount_cents) for line in self.invoice(label).lines]


@pytest.fixture
def months(stack: Stack) -> CorrectedMonths:
    """The pilot with 2,160 hours in April."""
    stack.add_tenant("pilot", account_number="1001")
    return CorrectedMonths(stack)


def flags(invoice: Invoice) -> Any:
    """Returns what the review says of an invoice alone."""
    return own_flags(invoice.lines, invoice.unpriced, invoice.header.total_cents)


def test_a_draft_takes_a_correction_up_when_its_run_is_forced(months: CorrectedMonths) -> None:
    months.use("2026-04", 18_000)
    months.run("2026-04")
    assert months.invoice("2026-04").lines[2].amount_cents == 18_672
    months.correct("2026-04-15", ("20160", "2160"), "2026-05-02")
    # An ordinary run leaves a draft as it is, and the next month leaves it to the draft.
    assert months.run("2026-04").outcome is RollupOutcome.SKIPPED
    months.run("2026-05")
    assert months.adjustments("2026-05") == []
    assert months.run("2026-04", force=True).outcome is RollupOutcome.REPLACED
    assert months.invoice("2026-04").header.total_cents == 7064


def test_an_issued_month_is_refunded_on_the_next_invoice_once(months: CorrectedMonths) -> None:
    months.use("2026-04", 18_000)
    months.issued("2026-04")
    months.correct("2026-04-15", ("20160", "2160"), "2026-05-02")
    months.issued("2026-05")
    text = "Adjustment for 2026-04: droplet_hours (2160 used, 20160 invoiced)"
    assert months.adjustments("2026-05") == [(text, -18_000)]
    # 57.50 - 180.00 = -122.50, and GST of -12.25: the mirror image.
    may = months.invoice("2026-05")
    assert (may.lines[-1].amount_cents, may.header.total_cents) == (-1225, -13_475)
    assert flags(may) == {ReviewRule.NEGATIVE_TOTAL: -13_475}
    months.issued("2026-06")
    assert months.adjustments("2026-06") == []


def test_a_smaller_refund_lowers_the_invoice_and_nothing_is_held(months: CorrectedMonths) -> None:
    months.issued("2026-04")
    months.correct("2026-04-15", ("2160", "2060.5"), "2026-05-02")
    months.issued("2026-05")
    # 672 hours over were charged, and 572.5 are: 5.725, rounded to 5.73 (half up).
    assert [cents for _, cents in months.adjustments("2026-05")] == [-99]
    assert flags(months.invoice("2026-05")) == {}


def test_what_falls_below_the_allowance_refunds_no_more_than_was_charged(
    months: CorrectedMonths,
) -> None:
    months.issued("2026-04")
    months.correct("2026-04-15", ("2160", "0"), "2026-05-02")
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [-672]
    # Within the allowance nothing is charged for what comes back.
    months.correct("2026-04-15", ("0", "1488"), "2026-06-02")
    months.issued("2026-06")
    assert months.adjustments("2026-06") == []
    months.correct("2026-04-15", ("1488", "1500"), "2026-07-02")
    months.issued("2026-07")
    assert [cents for _, cents in months.adjustments("2026-07")] == [12]


def test_late_usage_and_its_correction_are_both_billed_in_a_chain(months: CorrectedMonths) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.issued("2026-05")
    months.correct("2026-04-15", ("2200", "2000"), "2026-06-02")
    months.use("2026-04", 10)
    months.issued("2026-06")
    text = "Adjustment for 2026-04: droplet_hours (2010 used, 2200 invoiced)"
    assert months.adjustments("2026-06") == [(text, -190)]
    # April is made again and leaves to May and June what those bill: 6.72 + 0.40 - 1.90 = 5.22.
    months.put("2026-04", "void")
    months.run("2026-04", force=True)
    assert months.invoice("2026-04").lines[2].amount_cents == 672
    months.put("2026-04", "issued")
    months.issued("2026-07")
    assert months.adjustments("2026-07") == []


def test_a_correction_of_a_draft_that_bills_late_usage_is_taken_up_by_it(
    months: CorrectedMonths,
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.run("2026-05")
    months.correct("2026-04-15", ("2200", "2150"), "2026-06-02")
    months.run("2026-05", force=True)
    assert [cents for _, cents in months.adjustments("2026-05")] == [-10]
    # Back to what April billed: no adjustment is left, and the draft says so.
    months.correct("2026-04-15", ("2150", "2160"), "2026-06-03")
    months.run("2026-05", force=True)
    assert months.adjustments("2026-05") == []


def test_a_divided_month_is_corrected_where_the_day_lies(
    stack: Stack, months: CorrectedMonths
) -> None:
    """Half of April on each of two plans, with 744 hours included in each half."""
    hours = PerUnit("droplet_hours", "hour", Decimal("0.02"), Decimal(1488))
    PriceVersions(stack.accounts.name, PLANS).put(
        Plan("pro", "Pro", Decimal("50.00"), "daily", (hours,)), 1
    )
    table = SubscriptionsTable(stack.accounts.name)
    [whole] = stack.accounts.account("pilot").segments
    table.put(replace(whole, ends_on=date(2026, 4, 15)))
    table.put(Segment("pilot", "pilot", date(2026, 4, 16), None, "pro", 1))
    months.use("2026-04", 1000, day=20)
    months.issued("2026-04")
    # 200 of the first half's hours were charged 0.01 each, and 256 of the second half's 0.02.
    months.correct("2026-04-15", ("2160", "1960"), "2026-05-02")
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [-200]
    months.correct("2026-04-20", ("1000", "500"), "2026-06-02")
    months.issued("2026-06")
    assert [cents for _, cents in months.adjustments("2026-06")] == [-512]


def test_unpriced_usage_that_is_taken_back_is_named_once_and_is_no_adjustment(
    months: CorrectedMonths,
) -> None:
    months.use("2026-04", 9, kind="tape_hours")
    [named] = months.issued("2026-04").unpriced
    assert named.quantity == Decimal(9)
    months.correct("2026-04-15", ("9", "0"), "2026-05-02", "tape_hours")
    [named] = months.issued("2026-05").unpriced
    assert named.quantity == Decimal(-9)
    # Nothing to look at: the flag tells the month's report where to read.
    unseen = {ReviewRule.UNPRICED_USAGE: 0}
    assert (months.adjustments("2026-05"), flags(months.invoice("2026-05"))) == ([], unseen)
    months.use("2026-04", 12, kind="tape_hours")
    [named] = months.issued("2026-06").unpriced
    assert named.quantity == Decimal(12)


def test_unpriced_usage_that_is_taken_to_nothing_is_not_named_by_a_draft(
    months: CorrectedMonths,
) -> None:
    months.use("2026-04", 9, kind="tape_hours")
    assert len(months.run("2026-04").unpriced) == 1
    assert flags(months.invoice("2026-04")) == {ReviewRule.UNPRICED_USAGE: 1}
    months.correct("2026-04-15", ("9", "0"), "2026-05-02", "tape_hours")
    assert months.run("2026-04", force=True).unpriced == ()
    assert flags(months.invoice("2026-04")) == {}


def test_usage_after_an_end_is_taken_back_without_a_refund(
    stack: Stack, months: CorrectedMonths
) -> None:
    [whole] = stack.accounts.account("pilot").segments
    SubscriptionsTable(stack.accounts.name).put(replace(whole, ends_on=date(2026, 4, 10)))
    [named] = months.issued("2026-04").unpriced
    assert named.quantity == Decimal(2160)
    months.correct("2026-04-15", ("2160", "0"), "2026-05-02")
    result = months.run("2026-05")
    assert result.outcome is RollupOutcome.NOTHING_TO_INVOICE
    assert [named.quantity for named in result.unpriced] == [Decimal(-2160)]


def test_a_refund_has_the_tax_treatment_of_its_month(
    stack: Stack, months: CorrectedMonths
) -> None:
    months.issued("2026-04")
    tenant = stack.accounts.account("pilot").tenant
    export = replace(tenant, tax="gst_free", tax_reason="Export")
    TenantsTable(stack.accounts.name).put(export)
    months.correct("2026-04-15", ("2160", "1660"), "2026-05-02")
    months.issued("2026-05")
    tax = months.invoice("2026-05").lines[-1]
    assert (tax.amount_cents, tax.description) == (-50, "GST 10% of -5.00")


def test_a_shared_pool_is_refunded_to_whom_its_price_falls(
    stack: Stack, months: CorrectedMonths
) -> None:
    """Two deployments share 2,976 hours. Of 3,976, the 1,000 over are shared by what each used."""
    rate = PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(1488), pool="tenant")
    plan = Plan("team", "Team", Decimal("50.00"), "daily", (rate,))
    PriceVersions(stack.accounts.name, PLANS).put(plan, 1)
    table = SubscriptionsTable(stack.accounts.name)
    first = Segment("pilot", "pilot", date(2026, 1, 10), None, "team", 1)
    table.put(first)
    table.put(replace(first, deployment_id="second"))
    stack.usage.add("pilot", "second", date(2026, 4, 3), {"droplet_hours": Decimal(1816)})
    months.issued("2026-04")
    before = sum(cents for kind, cents in months.lines("2026-04") if kind == "overage")
    assert before == 1000
    months.correct("2026-04-15", ("2160", "1160"), "2026-05-02")
    months.issued("2026-05")
    # 2,976 hours are left, as many as are included: both get back all that they were charged.
    refunds = months.adjustments("2026-05")
    assert sum(cents for _, cents in refunds) == -1000
    assert [text.partition("(")[2] for text, _ in refunds] == [
        "1160 used, 2160 invoiced)",
        "1816 used, its price changed)",
    ]


def test_a_tenant_that_has_left_gets_its_refund(stack: Stack, months: CorrectedMonths) -> None:
    months.issued("2026-04")
    [whole] = stack.accounts.account("pilot").segments
    SubscriptionsTable(stack.accounts.name).put(replace(whole, ends_on=date(2026, 4, 30)))
    months.correct("2026-04-15", ("2160", "1488"), "2026-05-02")
    assert months.run("2026-05").outcome is RollupOutcome.ROLLED
    assert months.lines("2026-05") == [("adjustment", -672), ("tax", -67)]
    assert months.invoice("2026-05").header.total_cents == -739


def test_corrections_before_the_month_is_invoiced_leave_no_adjustment(
    months: CorrectedMonths,
) -> None:
    months.correct("2026-04-15", ("2160", "1488"), "2026-04-20")
    months.correct("2026-04-15", ("1488", "1500"), "2026-04-21")
    months.issued("2026-04")
    assert months.invoice("2026-04").lines[2].amount_cents == 12
    months.issued("2026-05")
    assert months.adjustments("2026-05") == []
    assert months.invoice("2026-05").billed.late == {}


def test_usage_that_nobody_metered_is_billed_like_any_other(months: CorrectedMonths) -> None:
    months.issued("2026-04")
    months.correct("2026-04-28", ("0", "15"), "2026-05-02")
    months.issued("2026-05")
    text = "Adjustment for 2026-04: droplet_hours (2175 used, 2160 invoiced)"
    assert months.adjustments("2026-05") == [(text, 15)]
    month = months.stack.usage.days("pilot", Period.month("2026-04"))
    assert set(month.days) == {"2026-04-15", "2026-04-28"}
