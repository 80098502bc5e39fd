"""Lines of monthly prices: a plan's base and its add-ons."""

from collections.abc import Sequence
from typing import NamedTuple

from quote_engine.addon import Addon
from quote_engine.addon_entry import addon_entries, entry_share
from quote_engine.models import Plan
from quote_engine.period import Period
from quote_engine.proration import WHOLE, Share
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.split import MonthlyPrice, as_parts
from quote_engine.stretch import Stretch
from quote_engine.text import cents_text, money_text


class MonthlyLine(NamedTuple):
    """A line, and its days in each part of its stretch."""

    line: Line
    days: tuple[int, ...]


def monthly_lines(stretches: Sequence[Stretch], period: Period) -> list[list[MonthlyLine]]:
    """Returns the lines of each stretch of a deployment: its plan, then its add-ons."""
    held: list[list[MonthlyLine]] = []
    prices: list[MonthlyPrice] = []
    for stretch in stretches:
        plan, deployment_id, share = stretch.plan, stretch.deployment_id, stretch.share
        days = tuple([part.days for part in stretch.parts])
        found = [MonthlyLine(plan_base_line(plan, deployment_id, share), days)]
        prices.append(MonthlyPrice("plan_base", plan.code, plan.price, 1, _split_days(share)))
        for entry in addon_entries(stretch):
            addon, part = entry.addon, entry_share(entry, stretch, period)
            found.append(MonthlyLine(addon_line(addon, deployment_id, part), entry.days))
            price = addon.price, addon.quantity, _split_days(part)
            prices.append(MonthlyPrice("addon", addon.code, *price))
        held.append(found)
    parts = iter(as_parts([item.line for found in held for item in found], prices, period.days))
    return [[MonthlyLine(next(parts), item.days) for item in found] for found in held]


def _split_days(share: Share) -> int:
    return 0 if share is WHOLE else share.used


def plan_base_line(plan: Plan, deployment_id: str, share: Share) -> Line:
    """Returns the line of a plan's price for the share of the period, even at $0."""
    text = f"Plan: {plan.name}"
    if share is WHOLE:
        cents, dollars = plan.price_cents, plan.price_text
    else:
        cents = round_cents(plan.price * share.used, share.days)
        dollars = cents_text(cents)
        text += f" ({share.used}/{share.days} days of {plan.price_text})"
    return Line("plan_base", text, deployment_id, None, "1", "month", dollars, cents)


def addon_line(addon: Addon, deployment_id: str, share: Share) -> Line:
    """Returns the line of an add-on for its quantity and the share of the period, even at $0."""
    text, count, dollars = f"Addon: {addon.name or addon.code}", addon.quantity, addon.price
    price_text = money_text(dollars)
    if share is WHOLE:
        cents = round_cents(dollars * count)
        return Line("addon", text, deployment_id, None, str(count), "month", price_text, cents)
    cents = round_cents(dollars * count * share.used, share.days)
    each = f"{count} x {price_text}" if count > 1 else price_text
    text += f" ({share.used}/{share.days} days of {each})"
    return Line("addon", text, deployment_id, None, "1", "month", cents_text(cents), cents)
