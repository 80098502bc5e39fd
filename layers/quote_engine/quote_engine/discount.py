"""Rule 6: discounts, as lines of their own with negative amounts."""

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
    """Either `percent` of a subscription's charges (0 to 100), or an `amount` of dollars."""

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
    """Percentages before amounts, in each the larger first: the order given changes no line."""

    def rank(discount: Discount) -> tuple[bool, Decimal | None]:
        by_percent = discount.percent is not None
        return by_percent, discount.percent if by_percent else discount.amount

    return tuple(sorted(discounts, key=rank, reverse=True))


def discount_lines(
    discounts: tuple[Discount, ...], deployment_id: str, charged_cents: int
) -> list[Line]:
    """What each discount takes off; together they never take more than was charged."""
    lines, left = [], charged_cents
    for discount in discounts:
        wanted, text = _wanted(discount, charged_cents)
        taken = min(wanted, left)
        if taken < wanted:
            text += f", limited to the remaining {cents_text(left)}"
        if taken:
            dollars = cents_text(-taken)
            lines.append(Line("discount", text, deployment_id, None, "1", "", dollars, -taken))
        left -= taken
    return lines


def _wanted(discount: Discount, charged_cents: int) -> tuple[int, str]:
    """The discount in cents, if enough is charged, and how its line begins."""
    if discount.percent is not None:
        cents = round_cents(discount.percent * charged_cents, _PERCENT_OF_CENTS_IN_A_DOLLAR)
        return (
            cents,
            f"Discount: {quantity_text(discount.percent)}% of {cents_text(charged_cents)}",
        )
    amount = discount.amount or Decimal(0)
    return round_cents(amount), f"Discount: {money_text(amount)}"
