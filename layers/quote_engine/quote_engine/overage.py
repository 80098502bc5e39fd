"""The overage line of one metered resource kind: rules 1 to 5."""

from collections.abc import Mapping
from decimal import Decimal

from quote_engine.proration import WHOLE, Share
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.rates.rate_models import Rate, charge, charged_at_zero
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text, figure_text


def overage_line(
    rate: Rate, deployment_id: str, usage: Mapping[str, Decimal], share: Share
) -> Line | None:
    """Returns the line for usage beyond the allowance; None if that is less than half a cent.

    For a plain rate: one with bounds, a conversion (rule 2) or a pool goes to `overage_on_terms`.
    Quantities and amounts stay multiplied by `share.days`, and so exact, until the one rounding.
    """
    kind = rate.resource_kind
    used = metered = usage.get(kind, ZERO)  # rule 1
    included = rate.included
    if share is not WHOLE:
        metered, included = used * share.days, included * share.used
    if metered > included:
        billable = metered - included  # rule 3
    elif charged_at_zero(rate):
        billable = ZERO
    else:
        return None
    amount, over, quantity, unit, unit_price, working = charge(rate, billable, share.days)  # 4
    cents = round_cents(amount, over)  # rule 5
    if not cents:
        return None
    text = f"Overage: {rate.label} ({figure_text(used)} used{included_text(rate, share)}{working})"
    dollars = unit_price or cents_text(cents)
    return Line("overage", text, deployment_id, kind, quantity, unit, dollars, cents)


def included_text(rate: Rate, share: Share) -> str:
    """Returns `, 1488 included`; a prorated allowance adds `for 21/30 days`."""
    if not rate.included:
        return ""
    if share is WHOLE:
        return f", {figure_text(rate.included)} included"
    allowance = figure_text(rate.included * share.used, share.days)
    return f", {allowance} included for {share.used}/{share.days} days"
