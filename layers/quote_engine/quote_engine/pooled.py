"""Pooled usage: a tenant's subscriptions share one allowance and one price, split by usage."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from quote_engine.allocate import allocate_cents
from quote_engine.models import QuoteRequest, Subscription
from quote_engine.period import Period
from quote_engine.place import Place, place_of
from quote_engine.proration import WHOLE, active_share
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.rates.convert import converted, used_text
from quote_engine.rates.rate_models import Rate, charge_within_bounds
from quote_engine.rounding import round_cents, round_printed
from quote_engine.text import cents_text, quantity_text


class _Member(NamedTuple):
    """One active subscription in a pool. `allowance`: its own, times the days of the period."""

    place: Place
    rate: Rate
    used: Decimal
    allowance: Decimal


def pooled_lines(request: QuoteRequest) -> Mapping[Place, Line]:
    """Returns the overage line of every member that has a part in its pool's amount."""
    pools: dict[str, list[_Member]] = defaultdict(list)
    for subscription in request.subscriptions:
        for member in _members(subscription, request.period):
            pools[member.rate.resource_kind].append(member)
    lines: dict[Place, Line] = {}
    for members in pools.values():
        lines |= _pool(members, request.period.days)
    return lines


def _members(subscription: Subscription, period: Period) -> list[_Member]:
    share = active_share(subscription.starts_on, subscription.ends_on, period)
    if share is None:
        return []
    prorated = share is not WHOLE and subscription.plan.proration == "daily"
    days = share.used if prorated else period.days
    return [
        _Member(
            place_of(subscription, "overage", rate.resource_kind),
            rate,
            subscription.usage.get(rate.resource_kind, ZERO),
            rate.included * days,
        )
        for rate in subscription.plan.rates
        if rate.pool
    ]


def _pool(members: list[_Member], days: int) -> dict[Place, Line]:
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
        details += f", {quantity_text(round_printed(allowance, days, ZERO))} included"
    text = f"{details}{working}"
    parts = allocate_cents(cents, [member.used for member in members])
    return {
        member.place: _line(member, part, f"{text}; {cents_text(part)} of {cents_text(cents)}")
        for member, part in zip(members, parts, strict=True)
        if part
    }


def _line(member: _Member, cents: int, details: str) -> Line:
    kind, place = member.rate.resource_kind, member.place
    text = f"Overage: {kind} ({quantity_text(member.used)} used; {details})"
    dollars = cents_text(cents)
    return Line("overage", text, place.deployment_id, kind, "1", "share of a pool", dollars, cents)
