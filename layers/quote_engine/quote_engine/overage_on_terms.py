"""Overage lines of rates with terms beyond their price: bounds, a conversion or a pool."""

from collections.abc import Mapping

from quote_engine.overage import included_text
from quote_engine.pooled import PoolKey, pool_key
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.rates.convert import converted, used_text
from quote_engine.rates.rate_models import Rate, charge_within_bounds
from quote_engine.rounding import round_cents
from quote_engine.stretch import Stretch
from quote_engine.text import cents_text


def overages_on_terms(stretch: Stretch, pooled: Mapping[PoolKey, Line]) -> list[Line]:
    """Returns the lines of a stretch's usage: pooled ones as found, others priced here."""
    lines = []
    for rate in stretch.plan.rates:
        if rate.pool:
            line = pooled.get(pool_key(stretch, rate.resource_kind))
        else:
            line = _overage_line(rate, stretch)
        if line is not None:
            lines.append(line)
    return lines


def _overage_line(rate: Rate, stretch: Stretch) -> Line | None:
    """Returns what `overage_line` does, but after rule 2 and within the rate's bounds.

    Like the days of the period, the conversion's divisor stays owed until the one rounding.
    """
    kind, share = rate.resource_kind, stretch.share
    used = stretch.usage.get(kind, ZERO)  # rule 1
    number, divisor = converted(rate.convert, used)  # 2
    billable = max(number * share.days - rate.included * share.used * divisor, ZERO)  # 3
    charge = charge_within_bounds(rate, billable, share.days * divisor)  # 4
    amount, over, quantity, unit, unit_price, working = charge
    cents = round_cents(amount, over)  # 5
    if not cents:
        return None
    details = f"{used_text(rate.convert, used, rate.unit)}{included_text(rate, share)}{working}"
    text, dollars = f"Overage: {rate.label} ({details})", unit_price or cents_text(cents)
    return Line("overage", text, stretch.deployment_id, kind, quantity, unit, dollars, cents)
