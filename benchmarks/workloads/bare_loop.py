"""The peer of a quote: the same sums on plain integers, and nothing that explains them.

About the least that Python can do for the workload: one pass over tuples, a list of amounts,
half-up rounding. No names, no dates, no checks, no text.
"""

QUANTITY_SCALE = 1_000
"""Quantities are thousandths of a unit."""
UNIT_PRICE_SCALE = 100
"""Unit prices are hundredths of a cent; all other prices are cents."""

type Month = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]
"""`(price, count)` of each monthly price; `(used, included, unit price)` of each metered kind."""

type Sums = tuple[list[int], int, int, int]
"""The lines' amounts, tax last; subtotal, tax and total. All cents."""

_SCALE = QUANTITY_SCALE * UNIT_PRICE_SCALE
_HALF = _SCALE // 2


def bare_sums(month: Month) -> Sums:
    """Returns all lines' amounts, rounded half up, and their sums; 10 % tax on the subtotal."""
    monthly, metered = month
    amounts = [price * count for price, count in monthly]
    for used, included, unit_price in metered:
        if used > included:
            amounts.append(((used - included) * unit_price + _HALF) // _SCALE)
    subtotal = sum(amounts)
    tax = (subtotal * 10 + 50) // 100
    amounts.append(tax)
    return amounts, subtotal, tax, subtotal + tax
