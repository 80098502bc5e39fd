"""Rule 7: the line that tops a deployment's charges up to its minimum commitment."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from quote_engine.charged import PricedStretch, billed_parts
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.stretch import StretchPart
from quote_engine.text import cents_text


class _Owed(NamedTuple):
    """An amount a month: for how many days of the period it is owed, and whether whole as well."""

    amount: Decimal
    days: int
    whole: bool


def top_up_lines(
    priced: Sequence[PricedStretch], charged_cents: int, period_days: int, discounted: bool
) -> list[Line]:
    """Returns one line if less is charged than committed, none otherwise.

    `charged_cents` is after discounts, of which there are some if `discounted`.
    """
    owed = _owed(billed_parts(priced))
    if not owed:
        return []
    committed, text = _committed(owed, period_days)
    missing = committed - charged_cents
    if missing <= 0:
        return []
    text = f"Minimum commitment: {text}, less {cents_text(charged_cents)} charged"
    if discounted:
        text += " after discounts"
    deployment_id, dollars = priced[0].stretch.deployment_id, cents_text(missing)
    return [Line("minimum", text, deployment_id, None, "1", "", dollars, missing)]


def _owed(parts: Sequence[StretchPart]) -> list[_Owed]:
    """Prorated subscriptions owe for their own days.

    Of those that are not, the last one owes a whole month: such a month is never owed twice.
    """
    days: dict[Decimal, int] = {}
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
        days.setdefault(whole, 0)
    return [_Owed(amount, used, amount == whole) for amount, used in days.items()]


def _committed(owed: Sequence[_Owed], period_days: int) -> tuple[int, str]:
    """Returns the cents owed, rounded once for each amount, and the text that explains them."""
    total, texts = 0, []
    for amount, days, whole in owed:
        cents = round_cents(amount * (days + period_days * whole), period_days)
        of_month = round_cents(amount) if whole or days == period_days else 0
        if cents > of_month:
            texts.append(f"{cents_text(cents - of_month)} for {days}/{period_days} days")
        if of_month:
            texts.append(cents_text(of_month))
        total += cents
    if len(texts) == 1:
        return total, texts[0]
    return total, f"{cents_text(total)} ({' + '.join(texts)})"
