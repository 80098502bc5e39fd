"""Splits whole cents into parts that sum to the whole."""

from collections.abc import Sequence
from decimal import Decimal
from math import lcm


def allocate_cents(total: int, weights: Sequence[Decimal | int]) -> tuple[int, ...]:
    """Splits `total` cents in proportion to the weights, by largest remainder, ties to the first.

    10000 over three equal weights is 3334, 3333, 3333. A negative total is the mirror image. A
    weight of zero gets nothing, unless all are zero: then the weights count as equal. Exact in any
    decimal context. Raises ValueError without weights, or for a negative one.
    """
    if not weights or min(weights) < 0:
        raise ValueError("allocate_cents needs weights, zero or more each")
    integers = _as_integers(weights)
    weight_sum = sum(integers)
    shares = [divmod(abs(total) * weight, weight_sum) for weight in integers]
    remaining = abs(total) - sum([cents for cents, _ in shares])
    by_remainder = sorted(range(len(shares)), key=lambda index: shares[index][1], reverse=True)
    rounded_up = frozenset(by_remainder[:remaining])
    sign = -1 if total < 0 else 1
    return tuple(sign * (cents + (index in rounded_up)) for index, (cents, _) in enumerate(shares))


def _as_integers(weights: Sequence[Decimal | int]) -> list[int]:
    """Returns the weights over one denominator; 1 each if all of them are zero."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    common = lcm(*[denominator for _, denominator in ratios])
    integers = [numerator * (common // denominator) for numerator, denominator in ratios]
    return integers if any(integers) else [1] * len(integers)
