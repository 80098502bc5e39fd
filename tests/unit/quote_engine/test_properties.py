"""Properties of every request, checked against a second engine made of fractions."""

import random
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quote_engine import (
    Addon,
    Convert,
    Discount,
    Graduated,
    Package,
    Period,
    PerUnit,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    Volume,
    fingerprint,
    price,
)
from tests.unit.quote_engine.support import APRIL, overage, plan, request, subscription


def examples(count: int) -> settings:
    """Tries this many examples, however slow the machine is."""
    slow = [HealthCheck.too_slow]
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


KINDS = ("alpha", "beta", "gamma", "delta")


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


prices = st.one_of(decimals("0", "50", 2), decimals("0", "2", 5), decimals("0", "0.1", 12))
quantities = st.one_of(decimals("0", "40", 0), decimals("0", "40", 3), decimals("0", "9000", 1))
bounds = st.lists(decimals("0.1", "60", 1), max_size=3, unique=True).map(sorted)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Tier, ...]:
    fees = st.one_of(st.just(Decimal(0)), decimals("0", "9", 2))
    ends = [*draw(bounds), None]
    return tuple(Tier(end, draw(prices), draw(fees)) for end in ends)


@st.composite
def bounds_of_amount(draw: st.DrawFn) -> dict[str, Decimal]:
    """Draws a minimum, a maximum or both; neither in half of all cases."""
    names = draw(st.sampled_from([(), (), (), ("minimum",), ("maximum",), ("minimum", "maximum")]))
    amounts = sorted(draw(st.lists(prices, min_size=len(names), max_size=len(names))))
    return dict(zip(names, amounts, strict=True))


ROUNDINGS: tuple[Any, ...] = ("none", "ceiling", "floor", "half_up")
factors = st.one_of(decimals("1", "9", 0), decimals("0.1", "3", 2), st.just(Decimal(1000)))
converts = st.one_of(
    st.none(),
    st.none(),
    st.builds(Convert, factors, st.none(), st.sampled_from(ROUNDINGS)),
    st.builds(Convert, st.none(), factors, st.sampled_from(ROUNDINGS)),
)


NEW_MODEL = "CONTRIBUTING.md, 'A new rate model', step 7"
# Rates that never charge less for more usage.
STEADY: tuple[type[Rate], ...] = (PerUnit, Graduated, Package)
MODELS: tuple[type[Rate], ...] = (*STEADY, Volume)


@st.composite
def rates(draw: st.DrawFn, kind: str = "kind", *, steady: bool = False) -> Rate:
    """Draws any rate; the cost of a `steady` one never falls as usage grows."""
    model = draw(st.sampled_from(STEADY if steady else MODELS))
    included = draw(quantities)
    terms: Any = {**draw(bounds_of_amount()), "convert": draw(converts)}
    if model is PerUnit:
        return PerUnit(kind, "hour", draw(prices), included, **terms)
    if model is Package:
        size = draw(decimals("0.1", "50", 1))
        return Package(kind, "GB", size, draw(prices), included, **terms)
    assert model is Graduated or model is Volume, f"draw a {model.__name__} here ({NEW_MODEL})"
    return model(kind, "hour", draw(steps()), included, draw(st.booleans()), **terms)


percents = st.one_of(decimals("0", "100", 0), decimals("0", "40", 3))
discounts = st.one_of(st.builds(Discount, percent=percents), st.builds(Discount, amount=prices))


@st.composite
def subscriptions(draw: st.DrawFn, name: str, period: Period) -> Subscription:
    about = st.dates(period.start - timedelta(days=40), period.end + timedelta(days=5))
    starts_on = draw(about)
    length = draw(st.one_of(st.none(), st.integers(0, 60)))
    kinds = draw(st.lists(st.sampled_from(KINDS), unique=True))
    codes = draw(st.lists(st.sampled_from(["ip", "backup", "storage"]), unique=True, max_size=2))
    return Subscription(
        name,
        starts_on,
        None if length is None else starts_on + timedelta(days=length),
        plan(
            *[draw(rates(kind)) for kind in kinds],
            price=str(draw(prices)),
            proration=draw(st.sampled_from(["daily", "none"])),
        ),
        tuple(Addon(code, draw(prices), draw(st.integers(1, 9))) for code in codes),
        draw(st.dictionaries(st.sampled_from(KINDS), quantities)),
        tuple(draw(st.one_of(st.just([]), st.lists(discounts, max_size=3)))),
        draw(st.one_of(st.none(), prices, decimals("0", "900", 2))),
    )


@st.composite
def requests(draw: st.DrawFn) -> QuoteRequest:
    period = Period.month(draw(st.sampled_from(["2026-02", "2028-02", "2026-04", "2026-12"])))
    names = draw(st.lists(st.sampled_from("abc"), unique=True))
    return QuoteRequest(
        period,
        "AUD",
        draw(st.sampled_from(["gst", "gst_free"])),
        tuple(draw(subscriptions(name, period)) for name in names),
    )


# --- The second engine -------------------------------------------------------------------------


def half_up(dollars: Fraction) -> int:
    return floor(dollars * 100 + Fraction(1, 2))


def days_share(subscribed: Subscription, period: Period) -> Fraction | None:
    length = monthrange(period.start.year, period.start.month)[1]
    month = [period.start + timedelta(days=n) for n in range(length)]
    billed = [
        day for day in month if subscribed.starts_on <= day <= (subscribed.ends_on or date.max)
    ]
    if not billed:
        return None
    return Fraction(1) if subscribed.plan.proration == "none" else Fraction(len(billed), length)


def tiered_cost(tiers: tuple[Tier, ...], units: Fraction) -> Fraction:
    cost, below = Fraction(0), Fraction(0)
    for tier in tiers:
        end = units if tier.up_to is None else min(units, Fraction(tier.up_to))
        cost += Fraction(tier.flat_fee) + (end - below) * Fraction(tier.unit_price)
        below = end
        if units == end:
            break
    return cost


def cost_of(rate: Rate, used: Decimal, share: Fraction) -> Fraction:
    cost = model_cost(rate, used, share)
    floor_ = Fraction(0) if rate.minimum is None else Fraction(rate.minimum)
    return max(cost if rate.maximum is None else min(cost, Fraction(rate.maximum)), floor_)


def priced_units(rate: Rate, used: Decimal) -> Fraction:
    if rate.convert is None:
        return Fraction(used)
    units = Fraction(used) * Fraction(rate.convert.multiply_by or 1)
    units /= Fraction(rate.convert.divide_by or 1)
    match rate.convert.rounding:
        case "ceiling":
            return Fraction(ceil(units))
        case "floor":
            return Fraction(floor(units))
        case "half_up":
            return Fraction(floor(units + Fraction(1, 2)))
    return units


def model_cost(rate: Rate, used: Decimal, share: Fraction) -> Fraction:
    units = max(priced_units(rate, used) - Fraction(rate.included) * share, Fraction(0))
    if isinstance(rate, PerUnit):
        return units * Fraction(rate.unit_price)
    if isinstance(rate, Package):
        return ceil(units / Fraction(rate.package_size)) * Fraction(rate.package_price)
    assert isinstance(rate, Graduated | Volume), f"price a {type(rate)} here ({NEW_MODEL})"
    if units == 0 and not rate.flat_fee_at_zero:
        return Fraction(0)
    if isinstance(rate, Graduated):
        return tiered_cost(rate.tiers, units)
    tier = next(t for t in rate.tiers if t.up_to is None or units <= Fraction(t.up_to))
    return units * Fraction(tier.unit_price) + Fraction(tier.flat_fee)


def discounted(subscribed: Subscription, charged: int) -> list[int]:
    percents = sorted(
        discount.percent for discount in subscribed.discounts if discount.percent is not None
    )
    amounts = sorted(
        discount.amount for discount in subscribed.discounts if discount.amount is not None
    )
    due = [half_up(Fraction(percent) * charged / 10000) for percent in percents[::-1]]
    due += [half_up(Fraction(amount)) for amount in amounts[::-1]]
    granted: list[int] = []
    for cents in due:
        granted.append(min(cents, charged - sum(granted)))
    return [-cents for cents in granted if cents]


def expected_lines(wanted: QuoteRequest) -> list[tuple[str, str, str | None, int]]:
    lines: list[tuple[str, str, str | None, int]] = []
    for subscribed in sorted(wanted.subscriptions, key=lambda other: other.deployment_id):
        share = days_share(subscribed, wanted.period)
        if share is None:
            continue
        name = subscribed.deployment_id
        before = len(lines)
        lines.append(("plan_base", name, None, half_up(Fraction(subscribed.plan.price) * share)))
        for addon in sorted(subscribed.addons, key=lambda addon: addon.code):
            dollars = Fraction(addon.price) * addon.quantity * share
            lines.append(("addon", name, None, half_up(dollars)))
        for rate in sorted(subscribed.plan.rates, key=lambda rate: rate.resource_kind):
            kind = rate.resource_kind
            cents = half_up(cost_of(rate, subscribed.usage.get(kind, Decimal(0)), share))
            lines += [("overage", name, kind, cents)] if cents else []
        charged = sum(cents for *_, cents in lines[before:])
        discount_cents = discounted(subscribed, charged)
        missing = (
            half_up(Fraction(subscribed.minimum_commitment or 0) * share)
            - charged
            - sum(discount_cents)
        )
        lines += [("minimum", name, None, missing)] if missing > 0 else []
        lines += [("discount", name, None, cents) for cents in discount_cents]
    return lines


@examples(300)
@given(requests())
def test_every_line_agrees_with_a_second_engine_made_of_fractions(wanted: QuoteRequest) -> None:
    priced = [line for line in price(wanted).lines if line.kind != "tax"]
    assert [
        (line.kind, line.deployment_id, line.resource_kind, line.amount_cents) for line in priced
    ] == expected_lines(wanted)


@examples(200)
@given(requests())
def test_the_lines_add_up_to_the_subtotal_and_the_total(wanted: QuoteRequest) -> None:
    quote = price(wanted)
    cents = [line.amount_cents for line in quote.lines]
    taxes = [line.amount_cents for line in quote.lines if line.kind == "tax"]
    assert sum(cents) == quote.total_cents == quote.subtotal_cents + quote.tax_cents
    assert sum(taxes) == quote.tax_cents
    assert len(taxes) == (1 if quote.lines else 0)
    tenth = half_up(Fraction(quote.subtotal_cents, 1000))
    assert quote.tax_cents == (tenth if wanted.tax == "gst" else 0)


@examples(300)
@given(requests())
def test_a_calculator_gets_every_amount_from_quantity_and_unit_price(wanted: QuoteRequest) -> None:
    for line in price(wanted).lines:
        product = Fraction(line.quantity) * Fraction(line.unit_price)
        mirrored = -half_up(-product) if product < 0 else half_up(product)
        assert mirrored == line.amount_cents, line
        assert "E" not in line.quantity + line.unit_price


@examples(100)
@given(requests(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_nothing(
    wanted: QuoteRequest, chance: random.Random
) -> None:
    def shuffled[T](items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(chance.sample(items, len(items)))

    reordered = tuple(
        Subscription(
            subscribed.deployment_id,
            subscribed.starts_on,
            subscribed.ends_on,
            plan(
                *shuffled(subscribed.plan.rates),
                price=str(subscribed.plan.price),
                proration=subscribed.plan.proration,
            ),
            shuffled(subscribed.addons),
            dict(shuffled(tuple(subscribed.usage.items()))),
            shuffled(subscribed.discounts),
            subscribed.minimum_commitment,
        )
        for subscribed in shuffled(wanted.subscriptions)
    )
    same = QuoteRequest(wanted.period, wanted.currency, wanted.tax, reordered)
    assert price(same) == price(wanted)
    assert fingerprint(same, price(same)) == fingerprint(wanted, price(wanted))


@examples(200)
@given(requests())
def test_no_subscription_is_below_zero_or_its_commitment(wanted: QuoteRequest) -> None:
    quote = price(wanted)
    for subscribed in wanted.subscriptions:
        share = days_share(subscribed, wanted.period)
        if share is not None:
            own = [line for line in quote.lines if line.deployment_id == subscribed.deployment_id]
            committed = half_up(Fraction(subscribed.minimum_commitment or 0) * share)
            assert sum(line.amount_cents for line in own) >= committed >= 0


@examples(200)
@given(rates(steady=True), quantities, quantities)
def test_more_usage_never_costs_less(rate: Rate, used: Decimal, more: Decimal) -> None:
    less_line, more_line = overage(rate, str(used)), overage(rate, str(used + more))
    cents = [line.amount_cents if line else 0 for line in (less_line, more_line)]
    assert cents[0] <= cents[1]


@examples(100)
@given(st.integers(1, 29), prices)
def test_more_days_never_cost_less(day: int, dollars: Decimal) -> None:
    later, earlier = (
        subscription(starts_on=date(2026, 4, first), price=str(dollars))
        for first in (day + 1, day)
    )
    cents = [price(request(start, period=APRIL)).subtotal_cents for start in (later, earlier)]
    assert cents[0] <= cents[1]
