"""Cents are split into parts that always sum to the whole."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import allocate_cents
from tests.unit.quote_engine.strategies import decimals, examples
from tests.unit.quote_engine.support import table


@pytest.mark.parametrize(("total", "weights", "parts"), table("allocate"))
def test_cents_are_split_by_largest_remainder(total: str, weights: str, parts: str) -> None:
    shares = [Decimal(weight) for weight in weights.split(", ")]
    assert allocate_cents(int(total), shares) == tuple(int(part) for part in parts.split(", "))


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_a_split_needs_weights_of_zero_or_more(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="needs weights, zero or more each"):
        allocate_cents(100, weights)


def test_the_callers_decimal_settings_do_not_change_a_split() -> None:
    weights = [Decimal("1000.000000000001"), Decimal("1000.000000000002"), Decimal(1000)]
    with localcontext() as callers:
        callers.prec = 3
        assert allocate_cents(10000, weights) == (3333, 3334, 3333)


weight_lists = st.lists(decimals("0", "99", 3), min_size=1, max_size=7)


@examples(200)
@given(st.integers(-10_000, 10_000), weight_lists)
def test_the_parts_sum_to_the_whole_and_are_less_than_a_cent_off(
    total: int, weights: list[Decimal]
) -> None:
    parts = allocate_cents(total, weights)
    assert sum(parts) == total
    shares = [Fraction(weight) for weight in weights]
    if not any(shares):
        shares = [Fraction(1)] * len(shares)
    for part, share in zip(parts, shares, strict=True):
        assert abs(part - total * share / sum(shares)) < 1
    assert allocate_cents(-total, weights) == tuple(-part for part in parts)
