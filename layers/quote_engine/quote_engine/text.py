"""Decimals as the canonical text of lines and fingerprints: 5, 5.0 and 5.00 read the same.

Storage may drop trailing zeros (DynamoDB does), and an invoice must still be byte-equal.
"""

from decimal import Decimal

_CENT_POINT = -3


def quantity_text(value: Decimal) -> str:
    """Returns the shortest plain decimal: `2160`, `1041.6`; never an exponent."""
    text = str(value)
    if text.isdigit():
        return text
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
