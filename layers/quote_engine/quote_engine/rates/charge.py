"""The result of a rate model: an amount that is not rounded yet, and its explanation."""

from decimal import Decimal

from quote_engine.rounding import round_printed
from quote_engine.text import money_text, quantity_text

ZERO = Decimal(0)

type Divisor = Decimal | int
"""What an exact amount must still be divided by: the days of the period, times the divisor of a
conversion."""

type Charge = tuple[Decimal, Divisor, str, str, str, str]
"""`amount, over, quantity, unit, unit_price, working`: an exact `amount / over` dollars, and four
texts for its line. A plain tuple: a named one would cost more than the sum it carries."""


def at_unit_price(billable: Decimal, over: Divisor, unit: str, unit_price: Decimal) -> Charge:
    """`billable / over` units, each at the same price."""
    quantity = printed_quantity(billable, over, unit_price)
    return billable * unit_price, over, quantity, unit, money_text(unit_price), ""


def at_blended_price(
    amount: Decimal, billable: Decimal, over: Divisor, unit: str, working: str
) -> Charge:
    """An amount made of several prices, shown as one: quantity x blended price = amount.

    A fee with no quantity to spread it over is printed as one unit of itself.
    """
    quantity = round_printed(billable, over, ZERO)
    if not quantity:
        price = round_printed(amount, over, Decimal(1))
        return amount, over, "1", "flat fee", money_text(price), working
    price = round_printed(amount, quantity * over, quantity)
    return amount, over, quantity_text(quantity), unit, money_text(price), working


def printed_quantity(billable: Decimal, over: Divisor, unit_price: Decimal) -> str:
    """`billable / over`, with decimals enough to reach the amount at this price."""
    if over == 1:
        return quantity_text(billable)
    return quantity_text(round_printed(billable, over, unit_price))
