"""Properties of every request, checked against the oracle, a second engine made of fractions."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import (
    Addon,
    Line,
    Period,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    fingerprint,
    price,
)
from tests.unit.quote_engine.oracle import expected, half_up, month_of, printed, stretches_of
from tests.unit.quote_engine.random_tenants import tenant
from tests.unit.quote_engine.strategies import (
    MONTHS,
    cut_months,
    examples,
    prices,
    quantities,
    rates,
    requests,
)
from tests.unit.quote_engine.support import APRIL, overage, request, subscription

SHORT = 6
"""Decimals that a person reads; a longer figure is printed only as it was given."""


def unreadable(line: Line, given: set[Fraction]) -> list[str]:
    """The figures of a line that are longer than a person reads, and were not given so."""
    texts = (line.quantity, line.unit_price, line.description)
    figures = [figure for text in texts for figure in re.findall(r"\d+\.\d+", text)]
    longer = [figure for figure in figures if len(figure.partition(".")[2]) > SHORT]
    return [figure for figure in longer if Fraction(figure) not in given]


def given_numbers(wanted: QuoteRequest) -> set[Fraction]:
    """Every number of a request, and the usage of its stretches."""
    used = {
        stretch.used(rate.resource_kind)
        for stretch in stretches_of(wanted, month_of(wanted))
        for rate in stretch.plan.rates
    }
    return used | {Fraction(number) for number in numbers_of(wanted.subscriptions)}


def numbers_of(value: object) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, dict):
        yield from numbers_of(tuple(value.values()))
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers_of(item)
    elif is_dataclass(value):
        yield from numbers_of(tuple(getattr(value, field.name) for field in fields(value)))


def product(line: Line) -> int:
    """In cents, half a cent away from zero: what a calculator shows."""
    return half_up(Fraction(line.quantity) * Fraction(line.unit_price))


@examples(500)
@given(requests())
def test_every_line_agrees_with_a_second_engine_made_of_fractions(wanted: QuoteRequest) -> None:
    quote, oracle = price(wanted), expected(wanted)
    assert [printed(line) for line in quote.lines] == oracle.lines
    assert (quote.subtotal_cents, quote.tax_cents) == (oracle.subtotal, oracle.tax)
    assert quote.total_cents == oracle.subtotal + oracle.tax
    assert quote.total_cents == sum(line.amount_cents for line in quote.lines)


@examples(300)
@given(cut_months(at_addons=False))
def test_a_month_in_segments_has_the_lines_of_the_uncut_month(
    months: tuple[QuoteRequest, QuoteRequest],
) -> None:
    whole, cut = months
    assert price(cut).lines == price(whole).lines


@examples(200)
@given(cut_months(at_addons=True))
def test_dates_on_addons_and_segments_without_them_have_the_same_lines(
    months: tuple[QuoteRequest, QuoteRequest],
) -> None:
    dated, cut = months
    assert all(
        addon.starts_on is addon.ends_on is None
        for segment in cut.subscriptions
        for addon in segment.addons
    )
    assert price(cut).lines == price(dated).lines


@examples(100)
@given(requests(), st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_nothing(wanted: QuoteRequest, chance: Random) -> None:
    def shuffled[T](items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(chance.sample(items, len(items)))

    reordered = tuple(
        replace(
            segment,
            plan=replace(segment.plan, rates=shuffled(segment.plan.rates)),
            addons=shuffled(segment.addons),
            usage=dict(shuffled(tuple(segment.usage.items()))),
            discounts=shuffled(segment.discounts),
        )
        for segment in shuffled(wanted.subscriptions)
    )
    same = replace(wanted, subscriptions=reordered, adjustments=shuffled(wanted.adjustments))
    assert price(same) == price(wanted)
    assert fingerprint(same, price(same)) == fingerprint(wanted, price(wanted))


@examples(60)
@given(requests())
def test_no_deployment_is_below_zero(wanted: QuoteRequest) -> None:
    owed = Counter[str | None]()
    for line in price(replace(wanted, adjustments=())).lines:
        owed[line.deployment_id] += line.amount_cents
    assert all(cents >= 0 for cents in owed.values())


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


@pytest.mark.parametrize("month", MONTHS)
def test_a_calculator_gets_every_amount_from_what_is_printed(month: str) -> None:
    """2,500 random lines in each of the four lengths of a month; the oracle agrees with them."""
    chance, lines = Random(month), 0
    while lines < 2_500:
        wanted = tenant(chance, Period.month(month))
        priced, given = price(wanted).lines, given_numbers(wanted)
        assert [printed(line) for line in priced] == expected(wanted).lines
        for line in priced:
            assert product(line) == line.amount_cents, line
            assert not unreadable(line, given), line
            assert "E" not in line.quantity + line.unit_price
        lines += len(priced)


PRICES = ("0.01", "0.05", "9.99", "29.95", "49.95", "100.00", "199.99", "200.00")


@pytest.mark.parametrize("month", MONTHS)
def test_every_part_of_a_month_multiplies_out(month: str) -> None:
    """The plan, and as many days of an add-on."""
    period = Period.month(month)
    cents = [int(Decimal(dollars) * 100) for dollars in PRICES] + list(range(37, 20_000, 53))
    plans = [Plan("studio", "Studio", Decimal(price).scaleb(-2), "daily") for price in cents]
    last = period.start + timedelta(days=period.days - 1)
    for days in range(1, period.days + 1):
        first = last - timedelta(days=days - 1)
        parts = tuple(
            Subscription(
                *(f"{plan.price}", first, None, plan), (Addon("ip", plan.price, 1, None, first),)
            )
            for plan in plans
        )
        lines = price(QuoteRequest(period, "AUD", "gst", parts)).lines[:-1]
        assert len(lines) == 2 * len(plans)
        for line in lines:
            monthly = int(Decimal(str(line.deployment_id)) * 100)
            assert line.amount_cents == (2 * monthly * days + period.days) // (2 * period.days)
            assert product(line) == line.amount_cents, line
            assert not unreadable(line, set()), line
