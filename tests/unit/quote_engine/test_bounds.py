"""Every bound of the engine, exactly there and one step beyond it.

And within them no request is refused later on: what is accepted is priced, exactly.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import (
    Addon,
    Adjustment,
    Convert,
    Discount,
    Graduated,
    InvalidRequest,
    Package,
    PerUnit,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    Volume,
    parse_addon,
    price,
)
from tests.unit.quote_engine.oracle import expected, printed
from tests.unit.quote_engine.strategies import ROUNDINGS, examples
from tests.unit.quote_engine.support import APRIL, LONG_AGO, per_unit, plan, subscription

ONE = Decimal(1)
TINY = "0.000000000001"
TOO_SMALL = "0.0000000000001"
MOST_MONEY, TOO_MUCH_MONEY = "999999999999.999999999999", "1000000000000"
MOST, TOO_MANY = "99999999999999999999.999999999999", "100000000000000000000"
CENTS = 10**38


def refused(make: Callable[[Any], object], value: object) -> bool:
    try:
        make(value)
    except InvalidRequest:
        return True
    return False


def usage(text: str) -> Subscription:
    return subscription(per_unit(), usage={"kind": text})


def tier(up_to: str = "5", dollars: str = "1", fee: str = "0") -> Tier:
    return Tier(Decimal(up_to), Decimal(dollars), Decimal(fee))


def graduated(included: str) -> Graduated:
    return Graduated("kind", "GB", (Tier(None, ONE),), Decimal(included))


def package(size: str = "1", dollars: str = "1", included: str = "0") -> Package:
    return Package("kind", "GB", Decimal(size), Decimal(dollars), Decimal(included))


def committed(text: str) -> Subscription:
    return subscription(per_unit(), commitment=text)


def adjustment(description: str = "late", cents: int = 1) -> Adjustment:
    return Adjustment(description, "d", "kind", cents)


QUANTITIES: dict[str, Callable[[str], object]] = {
    "usage": usage,
    "included": lambda text: per_unit(included=text),
    "included in tiers": graduated,
    "included in packages": lambda text: package(included=text),
    "up_to": tier,
    "package_size": package,
    "divide_by": lambda text: Convert(divide_by=Decimal(text)),
    "multiply_by": lambda text: Convert(multiply_by=Decimal(text)),
}
MONEY: dict[str, Callable[[str], object]] = {
    "price": lambda text: plan(price=text),
    "unit_price": per_unit,
    "price of a tier": lambda text: tier(dollars=text),
    "flat_fee": lambda text: tier(fee=text),
    "package_price": lambda text: package(dollars=text),
    "minimum": lambda text: per_unit(minimum=Decimal(text)),
    "maximum": lambda text: per_unit(maximum=Decimal(text)),
    "add-on": lambda text: Addon("ip", Decimal(text)),
    "discount": lambda text: Discount(amount=Decimal(text)),
    "minimum_commitment": committed,
}
TEXTS: dict[str, Callable[[str], object]] = {
    "kind": lambda text: per_unit(kind=text),
    "unit": lambda text: per_unit(unit=text),
    "name of a rate": lambda text: per_unit(name=text),
    "plan": lambda text: replace(plan(), code=text),
    "name of a plan": lambda text: replace(plan(), name=text),
    "add-on": lambda text: Addon(text, ONE),
    "name of an add-on": lambda text: Addon("ip", ONE, name=text),
    "deployment": lambda text: subscription(deployment_id=text),
    "kind of usage": lambda text: subscription(usage={text: "1"}),
    "adjusted deployment": lambda text: Adjustment("late", text, None, 1),
    "adjusted kind": lambda text: Adjustment("late", None, text, 1),
}


@pytest.mark.parametrize("field", QUANTITIES)
def test_a_quantity_has_at_most_20_digits_and_12_decimals(field: str) -> None:
    make = QUANTITIES[field]
    for text, beyond in ((MOST, False), (TINY, False), (TOO_MANY, True), (TOO_SMALL, True)):
        assert refused(make, text) is beyond, text


@pytest.mark.parametrize("field", ["up_to", "package_size", "divide_by", "multiply_by"])
def test_a_quantity_that_divides_or_multiplies_is_not_zero(field: str) -> None:
    assert refused(QUANTITIES[field], "0")


@pytest.mark.parametrize("field", MONEY)
def test_money_has_at_most_12_digits_and_12_decimals(field: str) -> None:
    make = MONEY[field]
    for text, beyond in (
        (MOST_MONEY, False),
        (TINY, False),
        (TOO_MUCH_MONEY, True),
        (TOO_SMALL, True),
    ):
        assert refused(make, text) is beyond, text


@pytest.mark.parametrize("field", TEXTS)
def test_a_text_has_at_most_200_characters(field: str) -> None:
    assert not refused(TEXTS[field], "x" * 200)
    assert refused(TEXTS[field], "x" * 201)


VALUES: dict[str, tuple[Callable[[Any], object], Any, Any]] = {
    "percent": (lambda text: Discount(Decimal(text)), "100", "100.000000000001"),
    "least percent": (lambda text: Discount(Decimal(text)), TINY, TOO_SMALL),
    "add-ons": (lambda count: Addon("ip", ONE, count), 1_000_000_000, 1_000_000_001),
    "fewest add-ons": (lambda count: Addon("ip", ONE, count), 1, 0),
    "add-ons in JSON": (
        lambda count: parse_addon({"code": "ip", "price": "1", "quantity": count}),
        1_000_000_000,
        1_000_000_001,
    ),
    "description": (adjustment, "x" * 400, "x" * 401),
    "cents": (lambda cents: adjustment(cents=cents), CENTS - 1, CENTS),
    "cents back": (lambda cents: adjustment(cents=cents), 1 - CENTS, -CENTS),
    "digits of a JSON number": (
        lambda count: parse_addon({"code": "ip", "price": "0" * count}),
        60,
        61,
    ),
    "decimals of a JSON number": (
        lambda count: parse_addon({"code": "ip", "price": f"1.{'0' * count}"}),
        12,
        13,
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_each_other_bound_is_where_it_is_said_to_be(name: str) -> None:
    make, most, beyond = VALUES[name]
    assert not refused(make, most)
    assert refused(make, beyond)


# --- Whatever is accepted is priced --------------------------------------------------------------

amounts = st.sampled_from([MOST_MONEY, "0.005", TINY, "0"]).map(Decimal)
quantities = st.sampled_from([MOST, "99999999999999999999", "1000", TINY, "0"]).map(Decimal)
factors = st.sampled_from([MOST, "3", TINY]).map(Decimal)
converts = st.one_of(
    st.none(),
    st.builds(Convert, multiply_by=factors, rounding=st.sampled_from(ROUNDINGS)),
    st.builds(Convert, divide_by=factors, rounding=st.sampled_from(ROUNDINGS)),
)
TOPS = ((), (Decimal(TINY),), (Decimal(5), Decimal(MOST)))


@st.composite
def extreme_rates(draw: st.DrawFn, kind: str) -> Rate:
    included = draw(st.one_of(st.just(Decimal(0)), quantities))
    terms: dict[str, Any] = {"convert": draw(converts)}
    terms["pool"] = draw(st.sampled_from([None, "tenant"]))
    terms["minimum"] = draw(st.sampled_from([None, Decimal(MOST_MONEY)]))
    model = draw(st.sampled_from([PerUnit, Package, Graduated, Volume]))
    if model is PerUnit:
        return PerUnit(kind, "hour", draw(amounts), included, **terms)
    if model is Package:
        return Package(kind, "GB", draw(factors), draw(amounts), included, **terms)
    tops = (*draw(st.sampled_from(TOPS)), None)
    steps = tuple(Tier(top, draw(amounts), draw(amounts)) for top in tops)
    assert model is Graduated or model is Volume
    return model(kind, "hour", steps, included, draw(st.booleans()), **terms)


@st.composite
def extreme_requests(draw: st.DrawFn) -> QuoteRequest:
    rates = [draw(extreme_rates(kind)) for kind in ("alpha", "beta")]
    chosen = replace(
        plan(*rates), price=draw(amounts), proration=draw(st.sampled_from(["daily", "none"]))
    )
    addons = (Addon("ip", draw(amounts), 1_000_000_000),)
    deals = (Discount(Decimal(TINY)), Discount(amount=Decimal(MOST_MONEY)))
    starts = st.sampled_from([LONG_AGO, date(2026, 4, 2)])
    segments = [
        Subscription(
            *(
                name,
                draw(starts),
                draw(st.sampled_from([None, date(2026, 4, 29)])),
                chosen,
                addons,
            ),
            {kind: draw(quantities) for kind in ("alpha", "beta")},
            draw(st.sampled_from([(), deals])),
            draw(st.sampled_from([None, Decimal(MOST_MONEY)])),
        )
        for name in "abc"
    ]
    return QuoteRequest(APRIL, "AUD", "gst", tuple(segments))


@examples(400)
@given(extreme_requests())
def test_a_request_at_the_bounds_is_priced_exactly(wanted: QuoteRequest) -> None:
    assert [printed(line) for line in price(wanted).lines] == expected(wanted).lines
