"""Whole cents in parts that sum to the whole."""

from collections.abc import Sequence
from decimal import Decimal
from math import lcm


def allocate_cents(total: int, weights: Sequence[Decimal | int]) -> tuple[int, ...]:
    """`total` cents in proportion to the weights, by largest remainder, ties to the first.

    10000 over three equal weights is 3334, 3333, 3333. A negative total is the mirror image. A
    weight of zero gets nothing, unless all are zero: then the parts are equal. Exact, whatever
    the decimal context. Raises ValueError without weights, or for a negative one.
    """
    if not weights or min(weights) < 0:
        raise ValueError("allocate_cents needs weights, zero or more each")
    parts = _as_integers(weights)
    whole = sum(parts)
    shares = [divmod(abs(total) * part, whole) for part in parts]
    left = abs(total) - sum([cents for cents, _ in shares])
    by_remainder = sorted(range(len(shares)), key=lambda place: shares[place][1], reverse=True)
    favoured = frozenset(by_remainder[:left])
    sign = -1 if total < 0 else 1
    return tuple(sign * (cents + (n in favoured)) for n, (cents, _) in enumerate(shares))


def _as_integers(weights: Sequence[Decimal | int]) -> list[int]:
    """The weights over one denominator; 1 each if all of them are zero."""
    ratios = [weight.as_integer_ratio() for weight in weights]
    scale = lcm(*[below for _, below in ratios])
    parts = [above * (scale // below) for above, below in ratios]
    return parts if any(parts) else [1] * len(parts)
