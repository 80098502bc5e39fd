"""Shared by the tests: the tables of docs/money-rules.md, and the shortest valid inputs."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from quote_engine import (
    Addon,
    Convert,
    Discount,
    Line,
    Period,
    PerUnit,
    Plan,
    QuoteRequest,
    Rate,
    Subscription,
    Tier,
    price,
)

ROOT = Path(__file__).parents[3]
ENGINE = ROOT / "layers" / "quote_engine"
APRIL = Period.month("2026-04")
LONG_AGO = date(2026, 1, 10)


def table(name: str) -> list[tuple[str, ...]]:
    """Returns the rows of the table that follows `<!-- table: name -->` in docs/money-rules.md."""
    page = (ROOT / "docs" / "money-rules.md").read_text("utf-8")
    after = page.partition(f"<!-- table: {name} -->\n")[2].partition("\n\n")[0]
    rows = [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in after.split("\n")]
    assert len(rows) > 2, f"no table {name}"
    return rows[2:]


def tiers(text: str) -> tuple[tuple[Tier, ...], bool]:
    """Reads `to 10 at 1.00 + 5.00; open at 0.50`, and whether `fee at zero` follows."""
    parts = text.split("; ")
    at_zero = parts[-1] == "fee at zero"
    return tuple(tier(part) for part in parts[: len(parts) - at_zero]), at_zero


def tier(text: str) -> Tier:
    bound, _, dollars = text.partition(" at ")
    unit_price, _, flat_fee = dollars.partition(" + ")
    up_to = None if bound == "open" else Decimal(bound.removeprefix("to "))
    return Tier(up_to, Decimal(unit_price), Decimal(flat_fee or "0"))


def plan(*rates: Rate, price: str = "50.00", proration: Any = "daily") -> Plan:
    return Plan("studio", "Studio", Decimal(price), proration, rates)


def discounts(text: str) -> tuple[Discount, ...]:
    """Reads `10%; 5.00`, or `-` for no discount."""
    parts = [] if text == "-" else text.split("; ")
    return tuple(
        Discount(percent=Decimal(part[:-1]))
        if part.endswith("%")
        else Discount(None, Decimal(part))
        for part in parts
    )


def subscription(  # noqa: PLR0913
    *rates: Rate,
    deployment_id: str = "pilot",
    starts_on: date = LONG_AGO,
    ends_on: date | None = None,
    addons: tuple[Addon, ...] = (),
    usage: dict[str, str] | None = None,
    discounts: tuple[Discount, ...] = (),
    commitment: str = "-",
    **of_plan: Any,
) -> Subscription:
    used = {kind: Decimal(quantity) for kind, quantity in (usage or {}).items()}
    chosen = plan(*rates, **of_plan)
    least = decimal_or_none(commitment)
    return Subscription(deployment_id, starts_on, ends_on, chosen, addons, used, discounts, least)


def request(
    *subscriptions: Subscription, period: Period = APRIL, tax: Any = "gst"
) -> QuoteRequest:
    return QuoteRequest(period, "AUD", tax, subscriptions)


def overage(rate: Rate, used: str, starts_on: date = LONG_AGO) -> Line | None:
    """Returns the overage line of a subscription that used this much of `kind`, or None."""
    period = Period.month(f"{max(starts_on, APRIL.start):%Y-%m}")
    metered = subscription(rate, usage={"kind": used}, starts_on=starts_on)
    lines = [
        line for line in price(request(metered, period=period)).lines if line.kind == "overage"
    ]
    assert len(lines) <= 1
    return lines[0] if lines else None


def cents_and_text(line: Line | None) -> tuple[int, str]:
    return (line.amount_cents, line.description) if line else (0, "no line")


def per_unit(
    unit_price: str = "0.01", included: str = "0", kind: str = "kind", **terms: Any
) -> PerUnit:
    unit = terms.pop("unit", "hour")
    return PerUnit(kind, unit, Decimal(unit_price), Decimal(included), **terms)


def conversion(text: str) -> Convert:
    """Reads `/ 1000 ceiling` or `x 24`."""
    sign, factor, rounding = [*text.split(), "none"][:3]
    by: Any = {"divide_by" if sign == "/" else "multiply_by": Decimal(factor)}
    return Convert(**by, rounding=cast(Any, rounding))


def decimal_or_none(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


def pilot() -> dict[str, Any]:
    """Returns the request of the public contract: 2,160 droplet hours on the plan Studio."""
    rate = {
        "resource_kind": "droplet_hours",
        "unit": "hour",
        "model": "per_unit",
        "included": "1488",
        "unit_price": "0.01",
    }
    studio = {
        "code": "studio",
        "name": "Studio",
        "price": "50.00",
        "proration": "daily",
        "rates": [rate],
    }
    deployment = {
        "deployment_id": "pilot",
        "starts_on": "2026-01-10",
        "ends_on": None,
        "plan": studio,
        "addons": [{"code": "storage_50gb", "price": "7.50", "quantity": 1}],
        "usage": {"droplet_hours": "2160"},
    }
    return {
        "period": {"start": "2026-04-01", "end": "2026-05-01"},
        "currency": "AUD",
        "tax": "gst",
        "subscriptions": [deployment],
    }
