"""A rate's minimum and maximum: the last word on its amount, before the rounding."""

from decimal import Decimal

from quote_engine.rates.charge import Charge
from quote_engine.rates.metered import MeteredRate
from quote_engine.text import money_figure_text, money_text


def clamped(rate: MeteredRate, charge: Charge) -> Charge:
    """The charge, or the bound that it passes: one unit of it, with both figures in the text."""
    amount, over, *_ = charge
    if rate.minimum is not None and amount < rate.minimum * over:
        return _bound(charge, rate.minimum, "raised to the minimum", "minimum charge")
    if rate.maximum is not None and amount > rate.maximum * over:
        return _bound(charge, rate.maximum, "lowered to the maximum", "maximum charge")
    return charge


def _bound(charge: Charge, dollars: Decimal, moved: str, unit: str) -> Charge:
    amount, over, _, _, _, working = charge
    before, bound = money_figure_text(amount, over), money_text(dollars)
    return dollars, 1, "1", unit, bound, f"{working}; {before} {moved} {bound}"
