"""Rule 6: the lines of discounts, which belong to the deployment's month."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from quote_engine.charged import PricedStretch, billed_parts, charged_by_part
from quote_engine.discount import Discount, discount_rank
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.stretch import StretchPart
from quote_engine.text import cents_text, money_text, quantity_text

_PERCENT_OF_CENTS_IN_A_DOLLAR = 10_000


class _Days(NamedTuple):
    """The days that have a discount, out of the deployment's; and what was charged for them."""

    having: int
    all: int
    charged_cents: int


def discount_lines(priced: Sequence[PricedStretch]) -> list[Line]:
    """Returns the lines of a deployment; they never take off more than it was charged.

    Equal discounts of several subscriptions are one line. Equal ones of the same subscription all
    count: the first of each are one line, the second of each another.
    """
    lines = []
    remaining = sum([line.amount_cents for one in priced for line in one.lines()])
    for discount, days in _agreed(priced):
        full, text = _in_full(discount, days)
        cents = min(full, remaining)
        if cents < full:
            text += f", limited to the remaining {cents_text(remaining)}"
        if cents:
            deployment_id, dollars = priced[0].stretch.deployment_id, cents_text(-cents)
            lines.append(Line("discount", text, deployment_id, None, "1", "", dollars, -cents))
        remaining -= cents
    return lines


def _agreed(priced: Sequence[PricedStretch]) -> list[tuple[Discount, _Days]]:
    """Returns each discount once, in the order in which they act, with the days that have it."""
    parts, charged = billed_parts(priced), charged_by_part(priced)
    having: dict[tuple[Discount, int], list[int]] = defaultdict(list)
    for place, part in enumerate(parts):
        for numbered in _numbered(part):
            having[numbered].append(place)
    in_order = sorted(having, key=_rank, reverse=True)
    all_days = sum([part.days for part in parts])
    return [
        (
            discount,
            _Days(
                sum([parts[place].days for place in having[discount, number]]),
                all_days,
                sum([charged[place] for place in having[discount, number]]),
            ),
        )
        for discount, number in in_order
    ]


def _numbered(part: StretchPart) -> list[tuple[Discount, int]]:
    """Returns a subscription's discounts; equal ones are told apart by a number, from 0 down."""
    seen: Counter[Discount] = Counter()
    numbered = []
    for discount in part.subscription.discounts:
        numbered.append((discount, -seen[discount]))
        seen[discount] += 1
    return numbered


def _rank(numbered: tuple[Discount, int]) -> tuple[tuple[bool, Decimal | None], int]:
    discount, number = numbered
    return discount_rank(discount), number


def _in_full(discount: Discount, days: _Days) -> tuple[int, str]:
    """Returns the discount in cents, before any limit, and the beginning of its line's text."""
    of_days = "" if days.having == days.all else f" for {days.having}/{days.all} days"
    if discount.percent is not None:
        cents = round_cents(discount.percent * days.charged_cents, _PERCENT_OF_CENTS_IN_A_DOLLAR)
        percent, base = quantity_text(discount.percent), cents_text(days.charged_cents)
        return cents, f"Discount: {percent}% of {base}{of_days}"
    amount = discount.amount or Decimal(0)
    cents = round_cents(amount * days.having, days.all)
    return cents, f"Discount: {money_text(amount)}{of_days}"
