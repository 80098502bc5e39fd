"""Random requests for the property tests: every rule, in combinations that nobody would write."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from quote_engine import (
    Addon,
    Adjustment,
    Convert,
    Discount,
    Graduated,
    Package,
    Period,
    PerUnit,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    Volume,
)
from tests.unit.quote_engine.oracle import NEW_MODEL, ONE_DAY


def examples(count: int) -> settings:
    """Tries this many examples, however slow the machine is."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=count, deadline=None, suppress_health_check=slow)


KINDS = ("alpha", "beta", "gamma")
MONTHS = ("2026-02", "2028-02", "2026-04", "2026-12")
"""Of 28, 29, 30 and 31 days."""


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


prices = st.one_of(decimals("0", "50", 2), decimals("0", "2", 5), decimals("0", "0.1", 12))
# Round ones, so that usage often ends where a tier does.
rounds = st.sampled_from([Decimal(1), Decimal(10), Decimal(40)])
quantities = st.one_of(
    *(rounds, decimals("0", "40", 0), decimals("0", "40", 3), decimals("0", "9000", 1))
)
bounds = st.lists(st.one_of(rounds, decimals("0.1", "60", 1)), max_size=3, unique=True).map(sorted)


# --- Rates ---------------------------------------------------------------------------------------


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

# Rates that never charge less for more usage.
STEADY: tuple[type[Rate], ...] = (PerUnit, Graduated, Package)
MODELS: tuple[type[Rate], ...] = (*STEADY, Volume)


@st.composite
def rates(draw: st.DrawFn, kind: str = "kind", *, steady: bool = False) -> Rate:
    """Draws any rate; the cost of a `steady` one never falls as usage grows."""
    model = draw(st.sampled_from(STEADY if steady else MODELS))
    included = draw(st.one_of(st.just(Decimal(0)), quantities))
    terms: Any = {**draw(bounds_of_amount()), "convert": draw(converts)}
    if model is PerUnit:
        return PerUnit(kind, "hour", draw(prices), included, **terms)
    if model is Package:
        size = draw(decimals("0.1", "50", 1))
        return Package(kind, "GB", size, draw(prices), included, **terms)
    assert model is Graduated or model is Volume, f"draw a {model.__name__} here ({NEW_MODEL})"
    return model(kind, "hour", draw(steps()), included, draw(st.booleans()), **terms)


# --- Terms of a subscription ---------------------------------------------------------------------

percents = st.one_of(decimals("0", "100", 0), decimals("0", "40", 3))
discounts = st.one_of(st.builds(Discount, percent=percents), st.builds(Discount, amount=prices))
commitments = st.one_of(prices, decimals("0", "900", 2))
usages = st.dictionaries(st.sampled_from([*KINDS, "zoo"]), quantities)


@st.composite
def palettes(draw: st.DrawFn) -> dict[str, Any]:
    """Draws the few plans, prices and discounts of one request, so that equals meet often."""
    pools = {
        kind: replace(draw(rates(kind)), pool="tenant")
        for kind in draw(st.lists(st.sampled_from(KINDS), unique=True, max_size=2))
    }
    few_prices = st.sampled_from([Decimal("29.95"), Decimal("49.95"), draw(prices)])
    prorations: Any = st.sampled_from(
        draw(st.sampled_from([("daily",), ("none",), ("daily", "none")]))
    )
    plan_price = draw(few_prices)
    plans = [
        Plan(
            code,
            code.title(),
            plan_price if code == "studio" else draw(few_prices),
            draw(prorations),
            tuple(
                replace(pools[kind], included=draw(quantities))
                if kind in pools and draw(st.booleans())
                else draw(rates(kind))
                for kind in draw(st.lists(st.sampled_from(KINDS), unique=True))
            ),
        )
        for code in draw(st.sampled_from([("studio",), ("studio", "pro"), ("studio", "studio")]))
    ]
    few_discounts = [*draw(st.lists(discounts, max_size=3)), Discount(Decimal(10))]
    return {
        "plans": st.sampled_from(plans),
        "addon_prices": few_prices,
        "discounts": st.lists(st.sampled_from(few_discounts), max_size=3).map(tuple),
        "commitments": st.sampled_from([None, draw(commitments), Decimal("62.00")]),
    }


@st.composite
def dated_addons(
    draw: st.DrawFn, first: date, last: date, addon_prices: st.SearchStrategy[Decimal]
) -> tuple[Addon, ...]:
    """Draws add-ons on some of the days from `first` to `last`, each code on a day at most once.

    A code is on or off between two changes, so that entries of one code can touch.
    """
    days = (last - first).days + 1
    addons = []
    for code in draw(st.lists(st.sampled_from(["ip", "backup"]), unique=True)):
        cuts = draw(st.lists(st.integers(1, days), unique=True, max_size=3))
        edges = sorted({0, *cuts, days})
        for start, end in pairwise(edges):
            if draw(st.sampled_from([True, True, False])):
                addons.append(
                    Addon(
                        code,
                        draw(addon_prices),
                        draw(st.sampled_from([1, 1, 2])),
                        draw(st.sampled_from([None, None, "Named"])),
                        first + start * ONE_DAY if start or draw(st.booleans()) else None,
                        first + (end - 1) * ONE_DAY if end < days or draw(st.booleans()) else None,
                    )
                )
    return tuple(addons)


@st.composite
def segments(
    draw: st.DrawFn, name: str, period: Period, palette: dict[str, Any]
) -> list[Subscription]:
    """Draws the segments of one deployment, some in the month and some about it."""
    gaps = st.sampled_from([0, 0, 0, 0, 1, 4])
    day = period.start + timedelta(days=draw(st.sampled_from([-15, -3, 0, 0, 0, 1, 8])))
    plan: Plan = draw(palette["plans"])
    terms: tuple[Any, ...] = ()
    drawn: list[Subscription] = []
    for left in reversed(range(draw(st.integers(1, 5)))):
        if draw(st.booleans()):
            plan = draw(palette["plans"])
        if not terms or draw(st.booleans()):
            terms = (draw(palette["discounts"]), draw(palette["commitments"]))
        first = day + draw(gaps) * ONE_DAY if drawn else day
        last = first + timedelta(days=draw(st.integers(0, 20)))
        addons = draw(dated_addons(first, last, palette["addon_prices"]))
        open_ended = not left and draw(st.booleans())
        ends_on = None if open_ended else last
        drawn.append(Subscription(name, first, ends_on, plan, addons, draw(usages), *terms))
        day = last + ONE_DAY
    return drawn


@st.composite
def cut_months(draw: st.DrawFn, *, at_addons: bool) -> tuple[QuoteRequest, QuoteRequest]:
    """Draws a month of deployments that change nothing but add-ons, whole and in segments.

    The whole month has dates on its add-ons. With `at_addons` it is cut at each of them, so that
    the add-ons of the segments need none.
    """
    period = Period.month(draw(st.sampled_from(MONTHS)))
    palette = draw(palettes())
    whole: list[Subscription] = []
    cut: list[Subscription] = []
    for name in draw(st.sampled_from(["a", "a", "ab"])):
        first = period.start + timedelta(days=draw(st.integers(-9, 20)))
        last = max(first, period.start) + timedelta(days=draw(st.integers(0, 35)))
        addons = draw(dated_addons(first, last, palette["addon_prices"]))
        terms = (draw(palette["discounts"]), draw(palette["commitments"]))
        uncut = Subscription(name, first, last, draw(palette["plans"]), addons, {}, *terms)
        starts = {first + n * ONE_DAY for n in {0, *draw(st.sets(st.integers(1, 50), max_size=5))}}
        if at_addons:
            starts |= {addon.starts_on or first for addon in addons}
            starts |= {(addon.ends_on or last) + ONE_DAY for addon in addons}
        edges = [*sorted(day for day in starts if day <= last), last + ONE_DAY]
        parts = [part_of(uncut, day, after - ONE_DAY) for day, after in pairwise(edges)]
        # What is used on other days is not billed, and would be in the usage of the whole.
        billed = [part for part in parts if part.starts_on < period.end]
        billed = [part for part in billed if (part.ends_on or last) >= period.start]
        billed = [replace(part, usage=draw(usages)) for part in billed]
        used: dict[str, Decimal] = defaultdict(Decimal)
        for kind, quantity in [item for part in billed for item in part.usage.items()]:
            used[kind] += quantity
        whole.append(replace(uncut, usage=used))
        cut += billed
    uncut_month = QuoteRequest(period, "AUD", "gst", tuple(whole))
    return uncut_month, replace(uncut_month, subscriptions=tuple(cut))


def part_of(uncut: Subscription, first: date, last: date) -> Subscription:
    """The segment of these days, with its days of each add-on; no dates where it has them all."""
    addons = []
    for addon in uncut.addons:
        start, end = addon.starts_on or uncut.starts_on, addon.ends_on or last
        if start <= last and end >= first:
            begins, ends = start if start > first else None, end if end < last else None
            addons.append(replace(addon, starts_on=begins, ends_on=ends))
    return replace(uncut, starts_on=first, ends_on=last, addons=tuple(addons))


adjustments = st.builds(
    Adjustment,
    st.just("Adjustment for 2026-01"),
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, *KINDS]),
    st.integers(-5000, 5000),
    st.sampled_from([None, "gst", "gst_free"]),
)


@st.composite
def requests(draw: st.DrawFn) -> QuoteRequest:
    """Draws one to three deployments in a month of 28 to 31 days."""
    period = Period.month(draw(st.sampled_from(MONTHS)))
    palette = draw(palettes())
    names = draw(st.sampled_from(["a", "ab", "ab", "abc"]))
    return QuoteRequest(
        period,
        "AUD",
        draw(st.sampled_from(["gst", "gst_free"])),
        tuple(one for name in names for one in draw(segments(name, period, palette))),
        tuple(draw(st.lists(adjustments, max_size=2))),
    )
