"""Rule 7: the line that tops a deployment's charges up to its minimum commitment."""

from collections.abc import Sequence
from decimal import Decimal

from quote_engine.charged import PricedStretch, billed_parts
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.stretch import StretchPart
from quote_engine.text import cents_text

type _Days = dict[Decimal, int]
"""For how many days of the period each amount is owed."""


def top_up_lines(
    priced: Sequence[PricedStretch], charged_cents: int, period_days: int, discounted: bool
) -> list[Line]:
    """Returns one line if less is charged than committed, none otherwise.

    `charged_cents` is after discounts, of which there are some if `discounted`.
    """
    days = _days(billed_parts(priced), period_days)
    if not days:
        return []
    committed, text = _committed(days, period_days)
    missing = committed - charged_cents
    if missing <= 0:
        return []
    text = f"Minimum commitment: {text}, less {cents_text(charged_cents)} charged"
    if discounted:
        text += " after discounts"
    deployment_id, dollars = priced[0].stretch.deployment_id, cents_text(missing)
    return [Line("minimum", text, deployment_id, None, "1", "", dollars, missing)]


def _days(parts: Sequence[StretchPart], period_days: int) -> _Days:
    """Prorated subscriptions owe for their own days.

    Of those that are not, the last one owes a whole month: such a month is never owed twice.
    """
    days: _Days = {}
    whole: Decimal | None = None
    for part in parts:
        commitment = part.subscription.minimum_commitment
        if commitment is None:
            continue
        if part.subscription.plan.proration == "none":
            whole = commitment
        else:
            days[commitment] = days.get(commitment, 0) + part.days
    if whole is not None:
        days[whole] = days.get(whole, 0) + period_days
    return days


def _committed(days: _Days, period_days: int) -> tuple[int, str]:
    """Returns the cents owed, rounded once for each amount, and the text that explains them."""
    owed = [round_cents(amount * used, period_days) for amount, used in days.items()]
    texts = [
        cents_text(cents) if used == period_days else _for_days(cents, used, period_days)
        for cents, used in zip(owed, days.values(), strict=True)
    ]
    total = sum(owed)
    text = " + ".join(texts)
    return total, text if len(texts) == 1 else f"{cents_text(total)} ({text})"


def _for_days(cents: int, used: int, period_days: int) -> str:
    return f"{cents_text(cents)} for {used}/{period_days} days"
