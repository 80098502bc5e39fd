"""Rule 6: discounts, as separate lines with negative amounts."""

from dataclasses import dataclass
from decimal import Decimal

from quote_engine.faults import refuse
from quote_engine.limits import exactly_one, money_fault, named, percent_fault
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text, money_text, quantity_text

_PERCENT_OF_CENTS_IN_A_DOLLAR = 10_000


@dataclass(frozen=True, slots=True)
class Discount:
    """Either `percent` of a subscription's charges (0 to 100), or an `amount` in dollars."""

    percent: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        refuse(
            named(
                percent=None if self.percent is None else percent_fault(self.percent),
                amount=None if self.amount is None else money_fault(self.amount),
            )
            + exactly_one(percent=self.percent, amount=self.amount)
        )


def discounts_in_order(discounts: tuple[Discount, ...]) -> tuple[Discount, ...]:
    """Sorts percentages before amounts, the larger first: the given order changes no line."""

    def rank(discount: Discount) -> tuple[bool, Decimal | None]:
        by_percent = discount.percent is not None
        return by_percent, discount.percent if by_percent else discount.amount

    return tuple(sorted(discounts, key=rank, reverse=True))


def discount_lines(
    discounts: tuple[Discount, ...], deployment_id: str, charged_cents: int
) -> list[Line]:
    """Returns the discounts' lines; together they never take off more than was charged."""
    lines, remaining = [], charged_cents
    for discount in discounts:
        full, text = _in_full(discount, charged_cents)
        cents = min(full, remaining)
        if cents < full:
            text += f", limited to the remaining {cents_text(remaining)}"
        if cents:
            dollars = cents_text(-cents)
            lines.append(Line("discount", text, deployment_id, None, "1", "", dollars, -cents))
        remaining -= cents
    return lines


def _in_full(discount: Discount, charged_cents: int) -> tuple[int, str]:
    """Returns the discount in cents, before that limit, and the beginning of its line's text."""
    if discount.percent is not None:
        cents = round_cents(discount.percent * charged_cents, _PERCENT_OF_CENTS_IN_A_DOLLAR)
        return (
            cents,
            f"Discount: {quantity_text(discount.percent)}% of {cents_text(charged_cents)}",
        )
    amount = discount.amount or Decimal(0)
    return round_cents(amount), f"Discount: {money_text(amount)}"
