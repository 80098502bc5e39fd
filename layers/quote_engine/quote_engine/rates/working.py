"""The sums that a line shows, as a customer would type them into a calculator."""

from decimal import Decimal

from quote_engine.rates.charge import Divisor, printed_quantity
from quote_engine.text import money_text


def share_working(billable: Decimal, over: Divisor, unit_price: Decimal) -> str:
    """`10 x 1.00`."""
    return f"{printed_quantity(billable, over, unit_price)} x {money_text(unit_price)}"


def fee_working(flat_fee: Decimal) -> str:
    """`5.00 flat fee`."""
    return f"{money_text(flat_fee)} flat fee"
