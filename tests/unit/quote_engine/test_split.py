"""A change of plan within a month: two or more subscriptions of one deployment."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import Addon, Line, Plan, Subscription, price
from tests.unit.quote_engine.support import per_unit, request, subscription, table
from tests.unit.quote_engine.test_properties import decimals, examples, half_up, prices


def april(day: int) -> date:
    return date(2026, 4, day)


def stretch(first: int, last: int, **of_it: Any) -> Subscription:
    return replace(subscription(starts_on=april(first), ends_on=april(last)), **of_it)


def studio(dollars: str, **of_it: Any) -> Plan:
    return replace(Plan("studio", "Studio", Decimal(dollars), "daily"), **of_it)


@pytest.mark.parametrize(("stretches", "dollars", "cents", "says"), table("split"))
def test_the_parts_of_a_price_sum_to_the_whole(
    stretches: str, dollars: str, cents: str, says: str
) -> None:
    days = [part.split("-") for part in stretches.split(", ")]
    parts = [stretch(int(a), int(z), plan=studio(dollars)) for a, z in days]
    lines = price(request(*parts)).lines[:-1]
    assert ", ".join(str(line.amount_cents) for line in lines) == cents
    assert " & ".join(line.description for line in lines) == says


def test_the_day_of_the_change_is_billed_once_to_the_new_plan() -> None:
    pro = Plan("pro", "Pro", Decimal("100.00"), "daily", (per_unit("0.02", "300"),))
    storage = (Addon("storage", Decimal("7.50")),)
    old = subscription(
        per_unit("0.01", "300"), ends_on=april(9), addons=storage, usage={"kind": "100"}
    )
    new = Subscription("pilot", april(10), None, pro, storage, {"kind": Decimal(230)})
    quote = price(request(new, old))
    assert [(line.description, line.amount_cents) for line in quote.lines] == [
        ("Plan: Studio (9/30 days)", 1500),
        ("Addon: storage (9/30 days)", 225),
        ("Overage: kind (100 used, 90 included for 9/30 days)", 10),
        ("Plan: Pro (21/30 days)", 7000),
        ("Addon: storage (21/30 days)", 525),
        ("Overage: kind (230 used, 210 included for 21/30 days)", 40),
        ("GST 10%", 930),
    ]


def test_the_part_that_takes_the_cent_left_over_shows_its_amount() -> None:
    ip = (Addon("ip", Decimal("50.00"), 2),)
    thirds = [stretch(n, n + 9, plan=studio("0"), addons=ip) for n in (1, 11, 21)]
    addons = [line for line in price(request(*thirds)).lines if line.kind == "addon"]
    text = "Addon: ip (10/30 days; +0.01 so that the parts sum to the whole)"
    assert addons[0] == Line("addon", text, "pilot", None, "1", "part of a month", "33.34", 3334)
    assert addons[1] == addons[2]
    assert addons[1].description == "Addon: ip (10/30 days)"
    assert (addons[1].quantity, addons[1].unit_price) == ("0.666666666667", "50.00")
    assert addons[1].amount_cents == 3333


def test_a_split_commitment_sums_to_the_whole() -> None:
    hundred = Decimal("100.00")
    thirds = [stretch(n, n + 9, plan=studio("0"), minimum_commitment=hundred) for n in (1, 11, 21)]
    quote = price(request(*thirds))
    lines = [line for line in quote.lines if line.kind == "minimum"]
    assert [line.amount_cents for line in lines] == [3334, 3333, 3333]
    assert lines[0].description == "Minimum commitment: 33.34 for 10/30 days, less 0.00 charged"


OTHERS: list[dict[str, Any]] = [
    {"plan": studio("100.00", code="pro")},
    {"plan": studio("100.01")},
    {"plan": studio("100.00", proration="none")},
    {"deployment_id": "other"},
]


@pytest.mark.parametrize("change", OTHERS)
def test_prices_that_are_not_the_same_are_rounded_apart(change: dict[str, Any]) -> None:
    hundred = studio("100.00")
    first, second = stretch(1, 10, plan=hundred), stretch(11, 20, plan=hundred)
    together, apart = (
        price(request(first, second)),
        price(request(first, replace(second, **change))),
    )
    assert [line.amount_cents for line in together.lines[:2]] == [3334, 3333]
    assert apart.lines[0].amount_cents == 3333


def test_a_plan_without_proration_is_billed_whole_in_each_stretch() -> None:
    whole = studio("100.00", proration="none")
    quote = price(request(stretch(1, 10, plan=whole), stretch(11, 30, plan=whole)))
    assert quote.subtotal_cents == 20000


def test_a_stretch_outside_the_month_takes_no_part() -> None:
    before = subscription(ends_on=date(2026, 3, 31), price="100.00")
    month = replace(before, starts_on=april(1), ends_on=None)
    assert price(request(before, month)).lines == price(request(month)).lines


@st.composite
def split_months(draw: st.DrawFn) -> list[Subscription]:
    """Draws April in stretches without a gap; price, add-on and commitment stay the same."""
    cuts = draw(st.lists(st.integers(2, 30), unique=True, min_size=1, max_size=9))
    firsts = [1, *sorted(cuts)]
    lasts = [*[first - 1 for first in firsts[1:]], 30]
    of_all: dict[str, Any] = {
        "plan": studio(str(draw(prices))),
        "addons": (Addon("ip", draw(prices), draw(st.integers(1, 9))),),
        "minimum_commitment": draw(st.one_of(st.none(), decimals("0", "200", 2))),
    }
    return [stretch(a, z, **of_all) for a, z in zip(firsts, lasts, strict=True)]


@examples(200)
@given(split_months())
def test_however_a_month_is_split_its_prices_sum_to_the_whole(parts: list[Subscription]) -> None:
    quote = price(request(*parts))
    addon = parts[0].addons[0]
    wholes = {"plan_base": parts[0].plan.price, "addon": addon.price * addon.quantity}
    for kind, dollars in wholes.items():
        cents = [line.amount_cents for line in quote.lines if line.kind == kind]
        assert len(cents) == len(parts)
        assert sum(cents) == half_up(Fraction(dollars))
    committed = half_up(Fraction(parts[0].minimum_commitment or 0))
    assert quote.subtotal_cents >= committed
    for line in quote.lines:
        product = Fraction(line.quantity) * Fraction(line.unit_price) * 100
        assert abs(product - line.amount_cents) <= Fraction(501, 1000), line
