"""The one place where an amount becomes cents."""

from decimal import (
    ROUND_05UP,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
)

DIGITS = 100
"""Enough for the largest exact sum that `limits` allows, with ten digits to spare for pools.

A quantity (20 digits before the point, 12 after) by a conversion's factor (as many) and a month's
days (2) has 42 and 24 digits; by a price (12 and 12) it has 54 and 36.
"""

_ERRORS = [DivisionByZero, FloatOperation, InvalidOperation, Overflow]

EXACT = Context(prec=DIGITS, traps=[*_ERRORS, Inexact])
"""The context of all pricing: an operation that would lose a digit raises instead.

All threads share it: only its flags ever change, and nothing reads them. Copying it for each quote
would cost more than pricing a line of it.
"""

_HALF_UP = Context(prec=DIGITS, rounding=ROUND_HALF_UP, traps=_ERRORS)
_STICKY = Context(prec=DIGITS, rounding=ROUND_05UP, traps=_ERRORS)
_half_up_to_whole = _HALF_UP.to_integral_value
_times = _HALF_UP.multiply
_CENTS_IN_A_DOLLAR = Decimal(100)
_MILLIONTH = Decimal("0.000001")


def round_cents(amount: Decimal, over: Decimal | int = 1) -> int:
    """Returns `amount / over` dollars in whole cents, half a cent away from zero (0.125 is 13).

    Half up, because GST Act s 9-90 rounds half a cent up and because a customer with a
    calculator expects it; Python's default, half to even, would bill 0.125 as 12 cents.

    `over` is the divisor that a prorated amount still owes. A quotient that does not end is cut
    with ROUND_05UP, which never leaves a last digit of 0 or 5: it cannot look like half a cent.
    """
    if over != 1:
        amount = _STICKY.divide(amount, over)
    return int(_half_up_to_whole(_times(amount, _CENTS_IN_A_DOLLAR)))


def round_figure(number: Decimal, over: Decimal | int = 1) -> tuple[Decimal, bool]:
    """Returns `number / over` to 6 decimals, half up, and whether that is all of it.

    For readers: no money is computed from it.
    """
    quotient = number if over == 1 else _STICKY.divide(number, over)
    figure = _HALF_UP.quantize(quotient, _MILLIONTH)
    return figure, _times(figure, over) == number
