"""A price whose days are split over several lines: its parts sum to the whole."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from quote_engine.allocate import allocate_cents
from quote_engine.quote import Line, LineKind
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text


class MonthlyPrice(NamedTuple):
    """`quantity` x `price` dollars a month, and for how many days; 0 if they are not prorated."""

    kind: LineKind
    code: str
    price: Decimal
    quantity: int
    days: int


def as_parts(
    lines: Sequence[Line], prices: Sequence[MonthlyPrice], period_days: int
) -> list[Line]:
    """Returns a deployment's lines of monthly prices, each with its part in cents.

    Lines of one price are rounded once, as if nothing lay between their days; those cents are
    then allocated by days. Rounded separately, three thirds of 100.00 would be 99.99.
    """
    places: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, price in enumerate(prices):
        if price.days:
            places[price[:-1]].append(place)
    parts = list(lines)
    for same in places.values():
        if len(same) == 1:
            continue
        days = [prices[place].days for place in same]
        dollars = prices[same[0]].price * prices[same[0]].quantity
        cents = allocate_cents(round_cents(dollars * sum(days), period_days), days)
        for place, part in zip(same, cents, strict=True):
            parts[place] = _as_part(lines[place], part)
    return parts


def _as_part(line: Line, cents: int) -> Line:
    """Returns the line as it is, unless a left-over cent falls on it: then it says so."""
    if cents == line.amount_cents:
        return line
    difference = cents_text(cents - line.amount_cents)
    sign = "" if difference.startswith("-") else "+"
    text = f"{line.description[:-1]}; {sign}{difference} so that the parts sum to the whole)"
    return line._replace(description=text, unit_price=cents_text(cents), amount_cents=cents)
