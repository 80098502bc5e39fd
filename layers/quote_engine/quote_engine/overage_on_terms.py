"""Overage lines of rates with terms beyond their price: bounds, a conversion or a pool."""

from collections.abc import Mapping
from decimal import Decimal

from quote_engine.models import Subscription
from quote_engine.overage import included_text
from quote_engine.place import Place, place_of
from quote_engine.proration import Share
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.rates.convert import converted, used_text
from quote_engine.rates.rate_models import Rate, charge_within_bounds
from quote_engine.rounding import round_cents


def overages_on_terms(
    subscription: Subscription, share: Share, pooled: Mapping[Place, Line]
) -> list[Line]:
    """Returns the lines of a subscription's rates: pooled ones as found, others priced here."""
    lines = []
    for rate in subscription.plan.rates:
        if rate.pool:
            line = pooled.get(place_of(subscription, "overage", rate.resource_kind))
        else:
            line = overage_on_terms(rate, subscription.deployment_id, subscription.usage, share)
        if line is not None:
            lines.append(line)
    return lines


def overage_on_terms(
    rate: Rate, deployment_id: str, usage: Mapping[str, Decimal], share: Share
) -> Line | None:
    """Returns what `overage_line` does, but after rule 2 and within the rate's bounds.

    Like the days of the period, the conversion's divisor stays owed until the one rounding.
    """
    kind = rate.resource_kind
    used = usage.get(kind, ZERO)  # rule 1
    number, divisor = converted(rate.convert, used)  # 2
    billable = max(number * share.days - rate.included * share.used * divisor, ZERO)  # 3
    charge = charge_within_bounds(rate, billable, share.days * divisor)  # 4
    amount, over, quantity, unit, unit_price, working = charge
    cents = round_cents(amount, over)  # 5
    if not cents:
        return None
    details = f"{used_text(rate.convert, used, rate.unit)}{included_text(rate, share)}{working}"
    text = f"Overage: {kind} ({details})"
    return Line("overage", text, deployment_id, kind, quantity, unit, unit_price, cents)
