"""The sums that a line shows, as a customer would type them into a calculator."""

from decimal import Decimal

from quote_engine.rates.charge import Divisor
from quote_engine.text import figure_text, money_text

FLAT_FEE = "flat fee"
"""The unit of a line that is nothing but flat fees."""


def share_working(billable: Decimal, over: Divisor, unit_price: Decimal) -> str:
    """`10 x 1.00`."""
    return f"{figure_text(billable, over)} x {money_text(unit_price)}"


def fee_working(flat_fee: Decimal) -> str:
    """`5.00 flat fee`."""
    return f"{money_text(flat_fee)} {FLAT_FEE}"
