"""The bounds of a single value. Each check returns a fault to show, or None.

The bounds leave every sum of the engine exact (see `rounding.DIGITS`). What the catalogue and
metering take is narrower (docs/money-rules.md, Limits).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

QUANTITY_DIGITS = 20
MONEY_DIGITS = 12
DECIMALS = 12
TEXT_LENGTH = 200
DESCRIPTION_LENGTH = 400
"""Of a text made here around a name of up to `TEXT_LENGTH`, and two figures."""
PERCENT = 100
MOST_CENTS = 10**38
"""An amount has fewer: a DynamoDB number has at most 38 digits."""
ADDON_QUANTITY = 1_000_000_000
SHORT = min(QUANTITY_DIGITS, MONEY_DIGITS, DECIMALS)
"""A plain number of so many characters is within all of these."""


def decimal_fault(value: object, digits: int = QUANTITY_DIGITS) -> str | None:
    """A Decimal, zero or more, of at most `digits` before the point and 12 after it."""
    if not isinstance(value, Decimal):
        return f"must be a Decimal, not {type(value).__name__}"
    # To take a Decimal apart costs several times more than to write it.
    if len(text := str(value)) <= SHORT and text.replace(".", "").isdigit():
        return None
    return _long_decimal_fault(value, digits)


def _long_decimal_fault(value: Decimal, digits: int) -> str | None:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return "must be a finite number"
    if value.is_signed():
        return "must not be negative"
    if value.adjusted() >= digits:
        return f"must have at most {digits} digits before the decimal point"
    if exponent < -DECIMALS:
        return f"must have at most {DECIMALS} decimals"
    return None


def factor_fault(value: object) -> str | None:
    """A quantity to divide or to multiply by: more than zero."""
    return decimal_fault(value) or (None if value else "must be more than zero")


def cents_fault(value: object) -> str | None:
    """Whole cents of either sign, within the digits of a DynamoDB number."""
    if type(value) is not int:
        return f"must be a whole number of cents, not {type(value).__name__}"
    return None if abs(value) < MOST_CENTS else "must have at most 38 digits"


def percent_fault(value: object) -> str | None:
    """A Decimal from 0 to 100."""
    fault = decimal_fault(value)
    too_much = isinstance(value, Decimal) and not fault and value > PERCENT
    return "must be at most 100" if too_much else fault


def exactly_one(**values: object) -> list[str]:
    """A fault unless exactly one of the fields is given, under the first one's name."""
    if sum(value is not None for value in values.values()) == 1:
        return []
    return [f"{next(iter(values))}: exactly one of {', '.join(values)} must be given"]


def money_fault(value: object) -> str | None:
    """Dollars: a Decimal under a million million."""
    return decimal_fault(value, MONEY_DIGITS)


def description_fault(value: object) -> str | None:
    """Printable text on one line, not blank, of at most 400 characters."""
    return text_fault(value, DESCRIPTION_LENGTH)


def text_fault(value: object, length: int = TEXT_LENGTH) -> str | None:
    """Printable text on one line, not blank, of at most 200 characters unless told otherwise."""
    if not isinstance(value, str):
        return f"must be text, not {type(value).__name__}"
    if not value.strip():
        return "must not be empty"
    if len(value) > length:
        return f"must have at most {length} characters"
    return None if value.isprintable() else "must be printable text on one line"


def date_fault(value: object) -> str | None:
    """A calendar date; a datetime is not one."""
    return None if type(value) is date else f"must be a date, not {type(value).__name__}"


def choice_fault(value: object, choices: tuple[str, ...]) -> str | None:
    return None if value in choices else f"must be one of {', '.join(choices)}"


def named(fields: tuple[str, ...], *faults: str | None) -> list[str]:
    """The faults found, each with its field: `price: must not be negative`."""
    if not any(faults):
        return []
    return [f"{field}: {fault}" for field, fault in zip(fields, faults, strict=True) if fault]


def repeated(field: str, values: Sequence[str]) -> list[str]:
    """A fault for each value that stands more than once under the same key."""
    if len(set(values)) == len(values):
        return []
    counts = Counter(values)
    return [f"{field} {value!r} stands {n} times" for value, n in counts.items() if n > 1]
