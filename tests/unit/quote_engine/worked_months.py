"""Reads the plans and months of the tables in docs/money-rules.md that cut a month into parts.

A plan: `50.00 whole, 1488 included, 0.01 each, minimum 5.00`. Parts of a month:
`1-15, used 100, with 2 x 7.50 from 10, less 10%; 16-30 on pro at 60.00, at least 100.00`.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from quote_engine import (
    Addon,
    Graduated,
    Package,
    Period,
    PerUnit,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
)
from tests.unit.quote_engine.support import conversion, discounts

STEPS = re.compile(r"(\S+) at (\S+) then (\S+)")
PACKAGE = re.compile(r"package of (\S+) at (\S+)")
PART = re.compile(r"(\d+)-(\d+)(?: on (\w+)(?: at (\S+)( whole)?)?)?")
ADDON = re.compile(r"(?:(\d+) x )?(\S+?)(?: from (\d+))?(?: to (\d+))?")


def worked_month(label: str, plan: str, parts: str) -> QuoteRequest:
    """Returns the request of a row: one deployment, of which `parts` are the subscriptions."""
    period = Period.month(label)
    subscriptions = [_subscription(period, part, worked_plan(plan)) for part in parts.split("; ")]
    return QuoteRequest(period, "AUD", "gst", tuple(subscriptions))


def worked_plan(text: str, code: str = "studio") -> Plan:
    """Returns the plan of a row, with at most one rate, of `kind`."""
    price, *terms = text.split(", ")
    dollars, _, whole = price.partition(" ")
    name = "Studio" if code == "studio" else code
    rates = (_rate(terms),) if terms else ()
    return Plan(code, name, Decimal(dollars), "none" if whole else "daily", rates)


def _rate(terms: list[str]) -> Rate:
    fields: dict[str, Any] = {"resource_kind": "kind", "unit": "GB"}
    model: Any = PerUnit
    for term in terms:
        words = term.split(" ")
        if words[-1] == "included":
            fields["included"] = Decimal(words[0])
        elif words[-1] == "each":
            fields["unit_price"] = Decimal(words[0])
        elif words[0] in ("minimum", "maximum"):
            fields[words[0]] = Decimal(words[1])
        elif match := STEPS.fullmatch(term):
            up_to, first, rest = map(Decimal, match.groups())
            model, fields["tiers"] = Graduated, (Tier(up_to, first), Tier(None, rest))
        elif match := PACKAGE.fullmatch(term):
            model = Package
            fields["package_size"], fields["package_price"] = map(Decimal, match.groups())
        else:
            fields["convert"] = conversion(term)
    rate: Rate = model(**fields)
    return rate


def _subscription(period: Period, part: str, plan: Plan) -> Subscription:
    days, *terms = part.split(", ")
    match = PART.fullmatch(days)
    assert match is not None, part
    first, last, code, dollars, whole = match.groups()
    own_plan = worked_plan(f"{dollars}{whole or ''}", code) if code else plan
    values: dict[str, list[str]] = {}
    for term in terms:
        word, _, value = term.removeprefix("at ").partition(" ")
        values.setdefault(word, []).append(value)
    assert values.keys() <= {"used", "with", "less", "least"}, part
    return Subscription(
        "pilot",
        period.start.replace(day=int(first)),
        period.start.replace(day=int(last)),
        own_plan,
        tuple(_addon(period, text) for text in values.get("with", [])),
        {"kind": Decimal(values["used"][0])} if "used" in values else {},
        tuple(one for text in values.get("less", []) for one in discounts(text)),
        Decimal(values["least"][0]) if "least" in values else None,
    )


def _addon(period: Period, text: str) -> Addon:
    match = ADDON.fullmatch(text)
    assert match is not None, text
    count, dollars, first, last = match.groups()
    return Addon(
        "disk",
        Decimal(dollars),
        int(count or 1),
        starts_on=_day(period, first),
        ends_on=_day(period, last),
    )


def _day(period: Period, day: str | None) -> date | None:
    return None if day is None else period.start.replace(day=int(day))
