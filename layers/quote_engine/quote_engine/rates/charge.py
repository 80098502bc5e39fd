"""The result of a rate model: an amount that is not rounded yet, and its explanation."""

from decimal import Decimal

from quote_engine.text import figure_text, money_text, short_quantity

ZERO = Decimal(0)

type Divisor = Decimal | int
"""What an exact amount must still be divided by: the days of the period, times the divisor of a
conversion."""

type Charge = tuple[Decimal, Divisor, str, str, str | None, str]
"""`amount, over, quantity, unit, unit_price, working`: an exact `amount / over` dollars, and four
texts for its line. Without a unit price the line is 1 x its amount. A plain tuple: a named one
would cost more than the sum it carries."""


def at_unit_price(billable: Decimal, over: Divisor, unit: str, unit_price: Decimal) -> Charge:
    """`billable / over` units, each at the same price.

    A quantity that is too long to print goes into the working, and the line is 1 x its amount.
    """
    amount, price_text = billable * unit_price, money_text(unit_price)
    quantity = short_quantity(billable, over)
    if quantity is None:
        working = f"; {figure_text(billable, over)} x {price_text}"
        return at_its_amount(amount, over, working)
    return amount, over, quantity, unit, price_text, ""


def at_its_amount(amount: Decimal, over: Divisor, working: str, unit: str = "") -> Charge:
    """An amount made of several prices: the working says how."""
    return amount, over, "1", unit, None, working
