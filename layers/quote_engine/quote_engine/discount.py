"""Rule 6: a discount's terms."""

from decimal import Decimal

from quote_engine.faults import refuse
from quote_engine.limits import exactly_one, money_fault, named, percent_fault
from quote_engine.value import value


@value
class Discount:
    """Either `percent` of the charges of the days that have it (0 to 100), or `amount` dollars."""

    percent: Decimal | None = None
    amount: Decimal | None = None

    def __post_init__(self) -> None:
        refuse(
            named(
                ("percent", "amount"),
                None if self.percent is None else percent_fault(self.percent),
                None if self.amount is None else money_fault(self.amount),
            )
            + exactly_one(percent=self.percent, amount=self.amount)
        )


def discounts_in_order(discounts: tuple[Discount, ...]) -> tuple[Discount, ...]:
    """Sorts percentages before amounts, the larger first: the given order changes no line."""
    return tuple(sorted(discounts, key=discount_rank, reverse=True))


def discount_rank(discount: Discount) -> tuple[bool, Decimal | None]:
    """Returns the sort key of a discount; the highest acts first."""
    by_percent = discount.percent is not None
    return by_percent, discount.percent if by_percent else discount.amount
