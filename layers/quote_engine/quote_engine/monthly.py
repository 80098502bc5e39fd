"""Lines of monthly prices: a plan's base and its add-ons."""

from decimal import Decimal

from quote_engine.models import Addon, Plan
from quote_engine.proration import WHOLE, Share
from quote_engine.quote import Line
from quote_engine.rates.charge import printed_quantity
from quote_engine.rounding import round_cents
from quote_engine.text import money_text


def plan_base_line(plan: Plan, deployment_id: str, share: Share) -> Line:
    """Returns the line of a plan's price for the share of the period, even at $0."""
    text, months, cents = f"Plan: {plan.name}", "1", plan.price_cents
    if share is not WHOLE:
        months, cents = _prorated(plan.price, 1, share)
        text += _days(share)
    return Line("plan_base", text, deployment_id, None, months, "month", plan.price_text, cents)


def addon_line(addon: Addon, deployment_id: str, share: Share) -> Line:
    """Returns the line of an add-on for its quantity and the share of the period, even at $0."""
    text, price_text = f"Addon: {addon.name or addon.code}", money_text(addon.price)
    if share is WHOLE:
        months, cents = str(addon.quantity), round_cents(addon.price * addon.quantity)
    else:
        months, cents = _prorated(addon.price, addon.quantity, share)
        text += _days(share)
    return Line("addon", text, deployment_id, None, months, "month", price_text, cents)


def _prorated(dollars: Decimal, count: int, share: Share) -> tuple[str, int]:
    """Returns the months to print, and the cents, rounded once."""
    used = Decimal(count * share.used)
    months = printed_quantity(used, share.days, dollars)
    return months, round_cents(dollars * used, share.days)


def _days(share: Share) -> str:
    return f" ({share.used}/{share.days} days)"
