"""Rule 7: the line that tops a subscription's charges up to its minimum commitment."""

from decimal import Decimal

from quote_engine.proration import WHOLE, Share
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text


def commitment_cents(commitment: Decimal, share: Share) -> int:
    """Returns the cents that must be charged for the share of the period, rounded once."""
    return round_cents(commitment * share.used, share.days)


def top_up_lines(
    committed_cents: int, charged_cents: int, deployment_id: str, share: Share, discounted: bool
) -> list[Line]:
    """Returns one line if less is charged than committed, none otherwise."""
    missing = committed_cents - charged_cents
    if missing <= 0:
        return []
    days = "" if share is WHOLE else f" for {share.used}/{share.days} days"
    committed, charged = cents_text(committed_cents), cents_text(charged_cents)
    text = f"Minimum commitment: {committed}{days}, less {charged} charged"
    if discounted:
        text += " after discounts"
    return [Line("minimum", text, deployment_id, None, "1", "", cents_text(missing), missing)]
