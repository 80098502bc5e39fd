"""Pooled usage: a tenant's deployments share one allowance and one price, split by usage."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from quote_engine.allocate import allocate_cents
from quote_engine.by_deployment import by_deployment
from quote_engine.models import QuoteRequest
from quote_engine.period import Period
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.rates.convert import converted, used_text
from quote_engine.rates.rate_models import Rate, charge_within_bounds
from quote_engine.rounding import round_cents
from quote_engine.stretch import Stretch, stretches
from quote_engine.text import cents_text, figure_text


class PoolKey(NamedTuple):
    """A stretch (by its deployment and first day in the period) and a kind of its usage."""

    deployment_id: str
    first: date
    resource_kind: str


class _Member(NamedTuple):
    """One stretch in a pool. `allowance`: its own, times the days of the period."""

    key: PoolKey
    rate: Rate
    used: Decimal
    allowance: Decimal


def pool_key(stretch: Stretch, resource_kind: str) -> PoolKey:
    """Returns the key of a stretch's line; no two stretches share one."""
    return PoolKey(stretch.deployment_id, stretch.parts[0].first, resource_kind)


def pooled_lines(request: QuoteRequest) -> Mapping[PoolKey, Line]:
    """Returns the overage line of every member that has a part in its pool's amount."""
    pools: dict[str, list[_Member]] = defaultdict(list)
    for subscriptions in by_deployment(request):
        for stretch in stretches(subscriptions, request.period):
            for member in _members(stretch, request.period):
                pools[member.rate.resource_kind].append(member)
    lines: dict[PoolKey, Line] = {}
    for members in pools.values():
        lines |= _pool(members, request.period.days)
    return lines


def _members(stretch: Stretch, period: Period) -> list[_Member]:
    prorated = stretch.plan.proration == "daily"
    days = stretch.days if prorated else period.days
    return [
        _Member(
            pool_key(stretch, rate.resource_kind),
            rate,
            stretch.usage.get(rate.resource_kind, ZERO),
            rate.included * days,
        )
        for rate in stretch.plan.rates
        if rate.pool
    ]


def _pool(members: list[_Member], days: int) -> dict[PoolKey, Line]:
    """Applies rules 1 to 5 once, to the sums; splits the cents by usage, by largest remainder."""
    rate = members[0].rate
    used = sum([member.used for member in members], ZERO)
    allowance = sum([member.allowance for member in members], ZERO)
    number, divisor = converted(rate.convert, used)
    billable = max(number * days - allowance * divisor, ZERO)
    amount, over, *_, working = charge_within_bounds(rate, billable, days * divisor)
    cents = round_cents(amount, over)
    details = f"pool of {len(members)}: {used_text(rate.convert, used, rate.unit)}"
    if allowance:
        details += f", {figure_text(allowance, days)} included"
    text = f"{details}{working}"
    parts = allocate_cents(cents, [member.used for member in members])
    return {
        member.key: _line(member, part, f"{text}; {cents_text(part)} of {cents_text(cents)}")
        for member, part in zip(members, parts, strict=True)
        if part
    }


def _line(member: _Member, cents: int, details: str) -> Line:
    deployment_id, _, kind = member.key
    text = f"Overage: {member.rate.label} ({figure_text(member.used)} used; {details})"
    return Line(
        "overage", text, deployment_id, kind, "1", "share of a pool", cents_text(cents), cents
    )
