"""Tenants by the thousand, where Hypothesis is too slow: the same seed gives the same tenants."""

from decimal import Decimal
from random import Random
from typing import Any

from quote_engine import (
    Addon,
    Convert,
    Discount,
    Graduated,
    Package,
    Period,
    PerUnit,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    Volume,
)
from tests.unit.quote_engine.oracle import NEW_MODEL, ONE_DAY
from tests.unit.quote_engine.strategies import MODELS, ROUNDINGS


def number(chance: Random, most: int, *places: int) -> Decimal:
    decimals = chance.choice(places)
    return Decimal(chance.randint(0, most * 10**decimals)).scaleb(-decimals)


def dollars(chance: Random) -> Decimal:
    return number(chance, chance.choice([1, 60, 400]), 2, 2, 3, 5, 12)


def quantity(chance: Random) -> Decimal:
    return number(chance, chance.choice([1, 40, 9000]), 0, 1, 3, 9)


def rate(chance: Random, kind: str) -> Rate:
    model = chance.choice(MODELS)
    included = chance.choice([Decimal(0), quantity(chance)])
    terms: dict[str, Any] = {"convert": conversion(chance)} if chance.random() < 0.3 else {}
    if chance.random() < 0.2:
        terms["minimum"] = dollars(chance)
    elif chance.random() < 0.2:
        terms["maximum"] = dollars(chance)
    if model is PerUnit:
        return PerUnit(kind, "hour", dollars(chance), included, **terms)
    if model is Package:
        size = quantity(chance) + 1
        return Package(kind, "GB", size, dollars(chance), included, **terms)
    assert model is Graduated or model is Volume, f"draw a {model.__name__} here ({NEW_MODEL})"
    ends = sorted({quantity(chance) + 1 for _ in range(chance.randint(0, 3))})
    steps = tuple(
        Tier(end, dollars(chance), chance.choice([Decimal(0), dollars(chance)]))
        for end in [*ends, None]
    )
    return model(kind, "hour", steps, included, chance.random() < 0.5, **terms)


def conversion(chance: Random) -> Convert:
    factor, rounding = quantity(chance) + 1, chance.choice(ROUNDINGS)
    return chance.choice([Convert(factor, None, rounding), Convert(None, factor, rounding)])


def some_plan(chance: Random, pool: Rate, others: list[Plan]) -> Plan:
    """A new one, one that there was before, or one of its price with other rates."""
    if others and chance.random() < 0.6:
        return chance.choice(others)
    kinds = [rate(chance, kind) for kind in ("alpha", "beta", "gamma")]
    proration: Any = chance.choice(["daily", "daily", "none"])
    monthly = chance.choice([*[plan.price for plan in others], dollars(chance)])
    return Plan("studio", "Studio", monthly, proration, (*kinds, pool))


def deployment(chance: Random, name: str, period: Period, pool: Rate) -> list[Subscription]:
    """One to four segments, with gaps or without, of the same terms or others."""
    segments: list[Subscription] = []
    plans: list[Plan] = []
    day = period.start - chance.choice([0, 0, 0, 5]) * ONE_DAY
    commitments = [None, dollars(chance), dollars(chance)]
    amounts = [dollars(chance), dollars(chance)]
    for _ in range(chance.randint(1, 4)):
        plans.append(some_plan(chance, pool, plans))
        first = day + chance.choice([0, 0, 7]) * ONE_DAY
        last = first + chance.choice([0, 3, 12, 20]) * ONE_DAY
        middle = first + (last - first) // 2
        addons = [Addon("ip", chance.choice(amounts), chance.choice([1, 1, 3]))]
        if last > first:
            addons += [
                Addon("backup", chance.choice(amounts), 1, None, None, middle),
                Addon("backup", chance.choice(amounts), 1, None, middle + ONE_DAY, last),
            ]
        discounts = [Discount(Decimal(chance.choice([10, 15]))) for _ in range(2)]
        discounts += [Discount(None, chance.choice([amounts[0], Decimal("5.00")]))]
        segments.append(
            Subscription(
                *(name, first, last, plans[-1], tuple(addons)),
                {kind: quantity(chance) for kind in ("alpha", "beta", "gamma", "pooled")},
                tuple(discounts[: chance.randint(0, 3)]),
                chance.choice(commitments),
            )
        )
        day = last + ONE_DAY
    return segments


def tenant(chance: Random, period: Period) -> QuoteRequest:
    pool = PerUnit("pooled", "GB", dollars(chance), quantity(chance), pool="tenant")
    own = [segment for name in "abc" for segment in deployment(chance, name, period, pool)]
    return QuoteRequest(period, "AUD", "gst", tuple(own))
