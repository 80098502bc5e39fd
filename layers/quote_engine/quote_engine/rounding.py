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
"""Enough for the largest exact sum that `limits` allows: 34 digits of quantity x 24 of price."""

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
_PLACES = 12
_PLACES_UNDER_THE_FACTOR = 8


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


def round_printed(amount: Decimal, over: Decimal | int, factor: Decimal) -> Decimal:
    """Returns `amount / over` to 12 decimals, for readers; no money is computed from it.

    `factor` is the number that the reader multiplies it by: from 100,000 on, each further digit
    adds a decimal, so that the product stays within a thousandth of a cent of the billed amount.
    """
    places = max(_PLACES, factor.adjusted() + _PLACES_UNDER_THE_FACTOR)
    quotient = _STICKY.divide(amount, over)
    return _HALF_UP.quantize(quotient, Decimal(1).scaleb(-places))
