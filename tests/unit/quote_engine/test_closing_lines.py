"""Discounts and minimum commitments, which follow from a subscription's charges."""

from datetime import date

import pytest

from quote_engine import Line, Period, parse_request, price
from tests.unit.quote_engine.support import (
    cents_and_text,
    discounts,
    pilot,
    request,
    subscription,
    table,
)


@pytest.mark.parametrize(("base", "agreed", "cents", "says"), table("discounts"))
def test_discounts_are_lines_of_their_own(base: str, agreed: str, cents: str, says: str) -> None:
    discounted = subscription(price=base, discounts=discounts(agreed))
    lines = [line for line in price(request(discounted)).lines if line.kind == "discount"]
    amounts = ", ".join(str(line.amount_cents) for line in lines)
    texts = "; ".join(line.description for line in lines)
    assert (amounts or "0", texts or "no line") == (cents, says)


def test_a_discount_is_taken_off_every_charge_of_its_subscription_before_tax() -> None:
    data = pilot()
    data["subscriptions"][0]["discounts"] = [{"amount": "5.00"}, {"percent": "10"}]
    quote = price(parse_request(data))
    assert quote.lines[3:5] == (
        Line("discount", "Discount: 10% of 64.22", "pilot", None, "1", "", "-6.42", -642),
        Line("discount", "Discount: 5.00", "pilot", None, "1", "", "-5.00", -500),
    )
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (5280, 528, 5808)


def test_a_discount_leaves_other_subscriptions_alone() -> None:
    generous = subscription(deployment_id="a", discounts=discounts("100%; 99.00"))
    assert price(request(generous, subscription(deployment_id="b"))).subtotal_cents == 5000


@pytest.mark.parametrize(
    ("since", "base", "agreed", "commitment", "cents", "says"), table("commitment")
)
def test_a_minimum_commitment_tops_up_what_is_charged(  # noqa: PLR0913, PLR0917
    since: str, base: str, agreed: str, commitment: str, cents: str, says: str
) -> None:
    committed = subscription(
        starts_on=date.fromisoformat(since),
        price=base,
        discounts=discounts(agreed),
        commitment=commitment,
    )
    quote = price(request(committed, period=Period.month(since[:7])))
    lines = [line for line in quote.lines if line.kind == "minimum"]
    assert cents_and_text(lines[0] if lines else None) == (int(cents), says)


def test_a_commitment_counts_all_charges_and_stands_before_the_discounts() -> None:
    data = pilot()
    data["subscriptions"][0]["discounts"] = [{"percent": "10"}]
    data["subscriptions"][0]["minimum_commitment"] = "100"
    quote = price(parse_request(data))
    text = "Minimum commitment: 100.00, less 57.80 charged after discounts"
    assert quote.lines[3:5] == (
        Line("minimum", text, "pilot", None, "1", "", "42.20", 4220),
        Line("discount", "Discount: 10% of 64.22", "pilot", None, "1", "", "-6.42", -642),
    )
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (10000, 1000, 11000)


def test_a_plan_without_proration_keeps_its_whole_commitment() -> None:
    committed = subscription(starts_on=date(2026, 4, 30), proration="none", commitment="100.00")
    assert price(request(committed)).subtotal_cents == 10000
