"""Rates with `pool`: one allowance and one price for all of a tenant's subscriptions."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quote_engine import (
    InvalidRequest,
    Line,
    PerUnit,
    QuoteRequest,
    UnpricedUsage,
    parse_plan,
    plan_json,
    price,
)
from tests.unit.quote_engine.support import (
    decimal_or_none,
    discounts,
    per_unit,
    plan,
    request,
    subscription,
    table,
)


def pooled(unit_price: str = "0.01", included: str = "0", **terms: Any) -> PerUnit:
    return per_unit(unit_price, included, pool="tenant", **terms)


def overages(wanted: QuoteRequest) -> list[Line]:
    return [line for line in price(wanted).lines if line.kind == "overage"]


@pytest.mark.parametrize(
    ("used", "included", "unit_price", "minimum", "cents", "says"), table("pool")
)
def test_a_pool_is_priced_once_and_split_by_usage(  # noqa: PLR0913, PLR0917
    used: str, included: str, unit_price: str, minimum: str, cents: str, says: str
) -> None:
    rate = pooled(unit_price, included, minimum=decimal_or_none(minimum))
    shares = zip("abc", used.split(", "), strict=True)
    members = [
        subscription(rate, deployment_id=n, usage={"kind": quantity}) for n, quantity in shares
    ]
    lines = {line.deployment_id: line for line in overages(request(*members))}
    amounts = [lines[n].amount_cents if n in lines else 0 for n in "abc"]
    assert ", ".join(str(amount) for amount in amounts) == cents
    assert (lines["a"].description if lines else "no line") == says


def test_a_share_of_a_pool_is_one_unit_of_its_amount() -> None:
    both = [
        subscription(pooled(included="50"), deployment_id=name, usage={"kind": "100"})
        for name in "ab"
    ]
    assert overages(request(*both))[1] == Line(
        "overage",
        "Overage: kind (100 used; pool of 2: 200 used, 100 included; 0.50 of 1.00)",
        "b",
        "kind",
        "1",
        "share of a pool",
        "0.50",
        50,
    )


def test_each_subscription_brings_its_own_prorated_allowance() -> None:
    late = subscription(
        pooled(included="100"),
        deployment_id="a",
        starts_on=date(2026, 4, 16),
        usage={"kind": "100"},
    )
    large = subscription(pooled(included="120"), deployment_id="b", usage={"kind": "100"})
    unprorated = subscription(
        pooled(included="10"), deployment_id="c", ends_on=date(2026, 4, 1), proration="none"
    )
    lines = overages(request(late, large, unprorated))  # 200 - (50 + 120 + 10)
    assert [(line.deployment_id, line.amount_cents) for line in lines] == [("a", 10), ("b", 10)]
    assert "pool of 3: 200 used, 180 included;" in lines[0].description


def test_a_subscription_that_is_not_active_is_in_no_pool() -> None:
    ended = subscription(
        pooled("0.99", "100"),
        deployment_id="a",
        ends_on=date(2026, 3, 31),
        usage={"kind": "5"},
    )
    quote = price(request(ended, subscription(pooled(), deployment_id="b", usage={"kind": "7"})))
    assert [line.amount_cents for line in quote.lines] == [5000, 7, 501]
    assert quote.unpriced == (UnpricedUsage("a", "kind", Decimal(5)),)


def test_a_rate_without_the_pool_is_priced_alone() -> None:
    alone = subscription(per_unit("0.02"), deployment_id="a", usage={"kind": "100"})
    shares = subscription(
        pooled(), per_unit("1", kind="other"), deployment_id="b", usage={"kind": "9", "other": "1"}
    )
    texts = [line.description for line in overages(request(alone, shares))]
    assert texts == [
        "Overage: kind (100 used)",
        "Overage: kind (9 used; pool of 1: 9 used; 0.09 of 0.09)",
        "Overage: other (1 used)",
    ]


def test_a_share_of_a_pool_counts_for_discounts_and_commitments() -> None:
    member = subscription(
        pooled(),
        price="0",
        usage={"kind": "900"},
        discounts=discounts("50%"),
        commitment="6.00",
    )
    amounts = [line.amount_cents for line in price(request(member)).lines]
    assert amounts == [0, 900, 150, -450, 60]


def test_the_parts_of_a_stretch_are_one_member_of_the_pool() -> None:
    first = subscription(
        pooled(included="60"), ends_on=date(2026, 4, 10), usage={"kind": "30"}, price="3.00"
    )
    second = replace(first, starts_on=date(2026, 4, 11), ends_on=None, usage={"kind": Decimal(60)})
    quote = price(request(first, second))  # 90 - 60
    assert [line.amount_cents for line in quote.lines] == [300, 30, 33]
    text = "Overage: kind (90 used; pool of 1: 90 used, 60 included; 0.30 of 0.30)"
    assert quote.lines[1].description == text


def test_the_stretches_of_a_split_month_share_the_pool() -> None:
    first = subscription(
        pooled(included="60"), ends_on=date(2026, 4, 10), usage={"kind": "30"}, price="3.00"
    )
    second = subscription(
        pooled(included="60"), starts_on=date(2026, 4, 11), usage={"kind": "60"}, price="6.00"
    )
    quote = price(request(first, second))  # 90 - (20 + 40)
    assert [line.amount_cents for line in quote.lines] == [100, 10, 400, 20, 53]


@pytest.mark.parametrize(
    "different",
    [
        pooled("0.02"),
        pooled(minimum=Decimal(1)),
        pooled(unit="day"),
    ],
)
def test_pooled_rates_that_differ_are_refused(different: PerUnit) -> None:
    first, second = subscription(pooled()), subscription(different, deployment_id="second")
    with pytest.raises(InvalidRequest) as refused:
        request(first, second)
    assert refused.value.faults == (
        "subscriptions: the pooled rates of 'kind' of 'pilot' and 'second' differ "
        "(in more than included and name)",
    )


def test_a_pooled_rate_reads_back_as_it_was_stored() -> None:
    stored: Any = plan_json(plan(pooled()))
    assert stored["rates"][0]["pool"] == "tenant"
    assert parse_plan(stored) == plan(pooled())
