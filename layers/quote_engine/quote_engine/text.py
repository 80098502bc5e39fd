"""Decimals as the canonical text of lines and fingerprints: 5, 5.0 and 5.00 read the same.

Storage may drop trailing zeros (DynamoDB does), and an invoice must still be byte-equal.
"""

from decimal import Decimal

from quote_engine.rounding import round_figure

_CENT_POINT = -3
# A plain decimal with its point here has more decimals than a figure.
_MORE_THAN_A_FIGURE = -7


def quantity_text(value: Decimal) -> str:
    """Returns the shortest plain decimal: `2160`, `1041.6`; never an exponent."""
    text = str(value)
    if text.isdigit():
        return text
    if "E" in text:
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def money_text(dollars: Decimal) -> str:
    """Returns dollars with at least two decimals: `50.00`, `0.0125`; never an exponent."""
    text = str(dollars)
    if text[_CENT_POINT:-2] == ".":
        return text
    whole, _, decimals = quantity_text(dollars).partition(".")
    return f"{whole}.{decimals:0<2}"


def cents_text(cents: int) -> str:
    """Returns cents as dollars: 642 is `6.42`, -5 is `-0.05`."""
    if cents < 0:
        return f"-{cents_text(-cents)}"
    digits = str(cents).zfill(3)
    return f"{digits[:-2]}.{digits[-2:]}"


def short_quantity(value: Decimal, over: Decimal | int = 1) -> str | None:
    """Returns `value / over`, such as `1118.4`, or None if it has more than 6 decimals."""
    if over == 1 and "." not in (text := quantity_text(value))[:_MORE_THAN_A_FIGURE]:
        return text
    figure, exact = round_figure(value, over)
    return quantity_text(figure) if exact else None


def figure_text(value: Decimal, over: Decimal | int = 1) -> str:
    """Returns `value / over` to 6 decimals: `1041.6`, or `about 0.333333` if there are more."""
    if over == 1 and "." not in (text := quantity_text(value))[:_MORE_THAN_A_FIGURE]:
        return text
    figure, exact = round_figure(value, over)
    return quantity_text(figure) if exact else f"about {quantity_text(figure)}"


def money_figure_text(dollars: Decimal, over: Decimal | int = 1) -> str:
    """Returns the same with at least two decimals: `4.99`, or `about 0.333333`."""
    figure, exact = round_figure(dollars, over)
    text = money_text(figure)
    return text if exact else f"about {text}"
