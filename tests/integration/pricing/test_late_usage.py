"""Late usage is billed exactly once, on the next invoice, whatever is made again or voided.

The pilot's plan: 1,488 hours included, then 1 cent an hour; 2,160 hours are 6.72 over.
"""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.accounts.account import AddonPrice, Segment
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation import dynamodb
from invoicing.foundation.settings import Settings
from invoicing.invoices.invoice import Invoice
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.month_end.rollup import Rollup, RollupOutcome, RollupResult
from invoicing.month_end.rollup_message import parse_rollup_message
from invoicing.pricing import tenant_month
from invoicing.pricing.tenant_month import Pricing
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import Period, PerUnit, Plan
from tests.conftest import ENVIRONMENT
from tests.events import event
from tests.integration.conftest import Stack


class Months:
    """A tenant's months, each run at three o'clock on the first day after it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        configured = Settings.from_environment(ENVIRONMENT)
        self.rollup = Rollup(Pricing.over(configured), stack.invoices, configured)

    def use(self, label: str, hours: int, kind: str = "droplet_hours", day: int = 15) -> None:
        """Adds usage that arrives now, whenever it happened."""
        used_on = Period.month(label).start.replace(day=day)
        self.stack.usage.add("pilot", "pilot", used_on, {kind: Decimal(hours)})

    def run(self, label: str, force: bool = False) -> RollupResult:
        """Rolls up the month for the pilot."""
        body = event("rollup_tenant")["Records"][0]["body"]
        example = parse_rollup_message(body)
        run_at = f"{Period.month(label).end.isoformat()}T03:00:00Z"
        changed = example.model_dump(mode="json") | {"run_at": run_at, "tenant_id": "pilot"}
        rollup_message = type(example).model_validate(changed | {"period": label, "force": force})
        return self.rollup.roll_up(rollup_message)

    def put(self, label: str, status: str) -> None:
        """Sets the state of the invoice, as the lifecycle would."""
        day = Period.month(label).end.isoformat()
        self.stack.dynamodb.update_item(
            TableName="invoices",
            Key={"tenant_id": {"S": "pilot"}, "period_start": {"S": f"{label}-01"}},
            UpdateExpression="SET #s = :s, issued_at = :at",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}, ":at": {"S": f"{day}T04:00:00+00:00"}},
        )

    def issued(self, label: str) -> RollupResult:
        """Runs the month and issues its invoice."""
        result = self.run(label)
        self.put(label, "issued")
        return result

    def invoice(self, label: str) -> Invoice:
        """Returns the current invoice of the month."""
        return self.stack.invoices.get("pilot", Period.month(label))

    def adjustments(self, label: str) -> list[tuple[str, int]]:
        """Returns description and cents of each adjustment on the month's invoice."""
        lines = self.invoice(label).lines
        return [(line.description, line.amount_cents) for line in lines if _is_adjustment(line)]


def _is_adjustment(line: Any) -> bool:
    return bool(line.kind == "adjustment")


@pytest.fixture
def months(stack: Stack) -> Months:
    """The pilot with 2,160 hours in April."""
    stack.add_tenant("pilot", account_number="1001")
    return Months(stack)


def raw(stack: Stack, label: str) -> dict[str, Any]:
    """Returns a month's invoice as DynamoDB holds it."""
    [item] = [
        item for item in stack.raw_items("invoices") if item["period_start"]["S"] == f"{label}-01"
    ]
    return item


def test_two_late_batches_are_billed_once_each_on_the_next_invoice(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    before = raw(stack, "2026-04")
    months.use("2026-04", 40)
    months.use("2026-05", 1488)
    months.issued("2026-05")
    text = "Adjustment for 2026-04: droplet_hours (2200 used, 2160 invoiced)"
    assert months.adjustments("2026-05") == [(text, 40)]
    # 50.00 + 7.50 + 0.40 = 57.90, and GST 5.79.
    assert months.invoice("2026-05").header.total_cents == 6369

    months.use("2026-04", 10)
    months.issued("2026-06")
    text = "Adjustment for 2026-04: droplet_hours (2210 used, 2200 invoiced)"
    assert months.adjustments("2026-06") == [(text, 10)]
    months.issued("2026-07")
    assert months.adjustments("2026-07") == []
    assert raw(stack, "2026-04") == before


def test_late_usage_of_two_months_and_a_gap_within_the_allowance(months: Months) -> None:
    months.issued("2026-04")
    months.use("2026-05", 1400)
    months.issued("2026-05")
    months.use("2026-04", 3)
    months.use("2026-05", 80)
    months.issued("2026-06")
    # May's 1,480 hours are within its 1,488: nothing to bill yet.
    assert [cents for _, cents in months.adjustments("2026-06")] == [3]
    months.use("2026-05", 20)
    months.issued("2026-07")
    text = "Adjustment for 2026-05: droplet_hours (1500 used, 1400 invoiced)"
    assert months.adjustments("2026-07") == [(text, 12)]


def test_a_drafts_late_usage_is_its_own(months: Months) -> None:
    months.run("2026-04")
    months.use("2026-04", 40)
    months.run("2026-05")
    assert months.adjustments("2026-05") == []
    result = months.run("2026-04", force=True)
    assert result.outcome is RollupOutcome.REPLACED
    assert [line.amount_cents for line in months.invoice("2026-04").lines] == [5000, 750, 712, 646]


def test_a_batch_that_comes_while_the_month_is_rolled_up_waits_for_the_next(
    stack: Stack, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(keys: Any) -> Any:
        tables = dynamodb.read_tables(keys)
        months.use("2026-04", 7)
        return tables

    with monkeypatch.context() as patch:
        patch.setattr(tenant_month, "read_tables", overtaken)
        months.issued("2026-04")
    assert months.invoice("2026-04").lines[2].amount_cents == 672
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [7]


def test_a_forced_draft_bills_all_late_usage_that_has_come(months: Months) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.run("2026-05")
    months.use("2026-04", 2)
    assert months.run("2026-05").outcome is RollupOutcome.SKIPPED
    assert months.run("2026-05", force=True).outcome is RollupOutcome.REPLACED
    assert [cents for _, cents in months.adjustments("2026-05")] == [42]
    assert months.run("2026-05", force=True).reason == "unchanged"


def test_a_month_that_is_made_again_leaves_to_a_later_invoice_what_that_one_bills(
    months: Months,
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.issued("2026-05")
    months.put("2026-04", "void")
    months.use("2026-04", 5)
    months.run("2026-04", force=True)
    assert months.invoice("2026-04").lines[2].amount_cents == 672
    months.put("2026-04", "issued")
    months.issued("2026-06")
    assert [cents for _, cents in months.adjustments("2026-06")] == [5]


def test_two_months_made_at_once_do_not_both_bill_the_late_usage(
    stack: Stack, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)

    def overtaken(keys: Any) -> Any:
        tables = dynamodb.read_tables(keys)
        monkeypatch.undo()
        months.run("2026-06")
        return tables

    monkeypatch.setattr(tenant_month, "read_tables", overtaken)
    with pytest.raises(InvoiceChanged, match="billed by another invoice meanwhile"):
        months.run("2026-05")
    months.run("2026-05")
    assert months.adjustments("2026-05") == []
    assert [cents for _, cents in months.adjustments("2026-06")] == [40]


def test_a_tenant_that_has_left_still_pays_for_late_usage(stack: Stack, months: Months) -> None:
    months.issued("2026-04")
    _end(stack, date(2026, 4, 30))
    assert months.run("2026-05").outcome is RollupOutcome.NOTHING_TO_INVOICE
    months.use("2026-04", 100)
    assert months.run("2026-06").outcome is RollupOutcome.ROLLED
    lines = [(line.kind, line.amount_cents) for line in months.invoice("2026-06").lines]
    assert lines == [("adjustment", 100), ("tax", 10)]


def _end(stack: Stack, last_day: date) -> None:
    [subscription] = stack.accounts.account("pilot").segments
    SubscriptionsTable(stack.accounts.name).put(replace(subscription, ends_on=last_day))


def test_late_usage_that_nothing_prices_is_named_and_not_dropped(months: Months) -> None:
    months.issued("2026-04")
    months.use("2026-04", 9, kind="tape_hours")
    result = months.run("2026-05")
    [unpriced] = result.unpriced
    assert (unpriced.resource_kind, unpriced.quantity) == ("tape_hours", Decimal(9))
    assert months.adjustments("2026-05") == []


def test_late_usage_of_a_split_month_goes_to_the_plan_of_its_day(
    stack: Stack, months: Months
) -> None:
    # Half of April on each of two plans, with 744 hours included in each half.
    hours = PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(1488))
    pro = Plan("pro", "Pro", Decimal("50.00"), "daily", (hours,))
    PriceVersions(stack.accounts.name, PLANS).put(pro, 1)
    _end(stack, date(2026, 4, 15))
    SubscriptionsTable(stack.accounts.name).put(
        Segment("pilot", "pilot", date(2026, 4, 16), None, "pro", 1)
    )
    months.issued("2026-04")
    charged = months.invoice("2026-04").header.subtotal_cents
    months.use("2026-04", 50, day=20)
    months.issued("2026-05")
    # All 2,160 hours fell on 15 April, the first half; the second has used 50 of its 744.
    assert months.adjustments("2026-05") == []
    months.use("2026-04", 700, day=20)
    months.use("2026-04", 1, day=3)
    months.issued("2026-06")
    assert [cents for _, cents in months.adjustments("2026-06")] == [7]
    assert months.invoice("2026-04").header.subtotal_cents == charged


def test_a_month_that_stayed_a_draft_for_long_is_still_looked_at_once(months: Months) -> None:
    months.run("2026-04")
    months.use("2026-04", 40)
    for label in ("2026-05", "2026-06", "2026-07", "2026-08", "2026-09"):
        months.issued(label)
        assert months.adjustments(label) == []
    months.put("2026-04", "issued")
    _set_issued_at(months.stack, "2026-04", "2026-10-05T00:00:00+00:00")
    months.issued("2026-10")
    assert [cents for _, cents in months.adjustments("2026-10")] == [40]
    months.issued("2026-11")
    assert months.adjustments("2026-11") == []


def _set_issued_at(stack: Stack, label: str, moment: str) -> None:
    stack.dynamodb.update_item(
        TableName="invoices",
        Key={"tenant_id": {"S": "pilot"}, "period_start": {"S": f"{label}-01"}},
        UpdateExpression="SET issued_at = :at",
        ExpressionAttributeValues={":at": {"S": moment}},
    )


def test_a_large_record_is_spread_over_pages_and_read_back(
    stack: Stack, months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.invoices.invoice_item.PAGE_BYTES", 600)
    months.issued("2026-04")
    assert int(raw(stack, "2026-04")["pages"]["N"]) > 1
    months.use("2026-04", 40)
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [40]
    billed = months.invoice("2026-05").billed.late["2026-04"]
    assert billed.before == {"pilot 2026-01-10": {"droplet_hours": Decimal(2160)}}
    assert billed.after == {"pilot 2026-01-10": {"droplet_hours": Decimal(2200)}}


def _change_plan(stack: Stack) -> None:
    """Changes to a plan with 5,000 hours included, from the same first day on."""
    rate = PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(5000))
    PriceVersions(stack.accounts.name, PLANS).put(
        Plan("large", "Large", Decimal("50.00"), "daily", (rate,)), 1
    )
    first_day = date(2026, 1, 10)
    SubscriptionsTable(stack.accounts.name).put(
        Segment("pilot", "pilot", first_day, None, "large", 1)
    )


def test_a_month_is_made_again_at_other_terms_only_before_the_invoice_that_goes_on_from_it(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 1000)
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [1000]
    months.put("2026-04", "void")
    _change_plan(stack)
    # A run that would not make it again has nothing to refuse.
    assert months.run("2026-04").reason == "invoiced already"
    # May billed 10.00 by the old terms, which is wrong beside an April by the new terms.
    refusal = r"invoice pilot\.2026-05 bills late usage of 2026-04 by other subscriptions"
    with pytest.raises(InvalidUsage, match=refusal):
        months.run("2026-04", force=True)
    months.put("2026-05", "void")
    months.run("2026-04", force=True)
    months.put("2026-04", "issued")
    months.run("2026-05", force=True)
    # All 3,160 hours are within the 5,000.
    kinds = [line.kind for line in months.invoice("2026-04").lines]
    assert kinds == ["plan_base", "tax"]
    assert months.adjustments("2026-05") == []


def test_an_end_in_a_later_month_is_no_change_of_a_months_terms(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.issued("2026-05")
    months.put("2026-04", "void")
    _end(stack, date(2026, 8, 31))
    assert months.run("2026-04", force=True).outcome is RollupOutcome.REPLACED


@pytest.mark.parametrize(
    "addons",
    [
        (AddonChoice("storage_50gb", 1), AddonChoice("backup", 1, starts_on=date(2026, 5, 16))),
        (AddonChoice("storage_50gb", 1, ends_on=date(2026, 5, 20)),),
        (AddonChoice("storage_50gb", 1, ends_on=date(2026, 4, 30)),),
    ],
)
def test_an_addon_that_begins_or_ends_in_a_later_month_is_no_change_of_a_months_terms(
    stack: Stack, months: Months, addons: tuple[AddonChoice, ...]
) -> None:
    PriceVersions(stack.accounts.name, ADDONS).put(AddonPrice("backup", None, Decimal(12)), 1)
    months.issued("2026-04")
    stored_record = raw(stack, "2026-04")["billed"]
    _set_addons(stack, addons)
    months.use("2026-04", 40)
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [40]
    months.put("2026-04", "void")
    assert months.run("2026-04", force=True).outcome is RollupOutcome.REPLACED
    # What was billed is stored as it was for an add-on without dates.
    assert raw(stack, "2026-04")["billed"] == stored_record


def test_an_addon_that_ended_within_the_month_is_another_term(
    stack: Stack, months: Months
) -> None:
    months.issued("2026-04")
    months.use("2026-04", 40)
    months.issued("2026-05")
    months.put("2026-04", "void")
    _set_addons(stack, (AddonChoice("storage_50gb", 1, ends_on=date(2026, 4, 29)),))
    with pytest.raises(InvalidUsage, match=r"bills late usage of 2026-04 by other subscriptions"):
        months.run("2026-04", force=True)


def test_an_invoice_keeps_the_days_of_the_addons_that_it_billed(
    stack: Stack, months: Months
) -> None:
    april = AddonChoice("storage_50gb", 1, 2, date(2026, 4, 16), date(2026, 4, 20))
    _set_addons(stack, (april, AddonChoice("storage_50gb", 1, 1, date(2026, 5, 1))))
    months.issued("2026-04")
    [entry] = json.loads(raw(stack, "2026-04")["billed"]["S"])
    assert entry["addons"] == [
        {
            "code": "storage_50gb",
            "version": 1,
            "quantity": 2,
            "starts_on": "2026-04-16",
            "ends_on": "2026-04-20",
        }
    ]
    # 5 of 30 days of 2 x 7.50.
    [addon] = [line for line in months.invoice("2026-04").lines if line.kind == "addon"]
    assert addon.amount_cents == 250
    months.use("2026-04", 40)
    _set_addons(stack, ())
    months.issued("2026-05")
    assert [cents for _, cents in months.adjustments("2026-05")] == [40]


def _set_addons(stack: Stack, addons: tuple[AddonChoice, ...]) -> None:
    [segment] = stack.accounts.account("pilot").segments
    SubscriptionsTable(stack.accounts.name).put(replace(segment, addons=addons))


def test_late_usage_that_nothing_prices_is_named_once(months: Months) -> None:
    months.issued("2026-04")
    months.use("2026-04", 9, kind="tape_hours")
    assert [len(months.issued(label).unpriced) for label in ("2026-05", "2026-06")] == [1, 0]
    months.use("2026-04", 4, kind="tape_hours")
    [unpriced] = months.issued("2026-07").unpriced
    assert unpriced.quantity == Decimal(4)
