"""Stored JSON can be read back, and it is the public contract."""

from datetime import date
from decimal import Decimal
from typing import Any

from quote_engine import (
    Addon,
    Convert,
    Discount,
    Graduated,
    Package,
    Plan,
    Tier,
    Volume,
    addon_json,
    discount_json,
    line_json,
    parse_addon,
    parse_discount,
    parse_plan,
    parse_request,
    plan_json,
    price,
    quote_json,
)
from tests.unit.quote_engine.support import per_unit, pilot, plan

TIERS = (
    Tier(Decimal("10.5"), Decimal("1"), Decimal("5")),
    Tier(None, Decimal("0.5")),
)
EVERY_MODEL = plan(
    per_unit("0.0125", "1488", kind="a"),
    Graduated("b", "hour", TIERS, Decimal(3), True),
    Volume("c", "GB", TIERS),
    Package("d", "GB", Decimal(100), Decimal("2.5"), Decimal(7)),
)


def test_a_plan_reads_back_as_it_was_stored() -> None:
    assert parse_plan(plan_json(EVERY_MODEL)) == EVERY_MODEL


HALVED = Convert(divide_by=Decimal("2.0"))
DOUBLED = Convert(multiply_by=Decimal(2), rounding="ceiling")


def test_a_conversion_reads_back_as_it_was_stored() -> None:
    converts = plan(per_unit(kind="a", convert=HALVED), per_unit(kind="b", convert=DOUBLED))
    stored: Any = plan_json(converts)
    assert parse_plan(stored) == converts
    assert [rate["convert"] for rate in stored["rates"]] == [
        {"divide_by": "2", "rounding": "none"},
        {"multiply_by": "2", "rounding": "ceiling"},
    ]


BOUNDED: Any = {"minimum": Decimal("1.5"), "maximum": Decimal(20)}
EVERY_MODEL_BOUNDED = plan(
    per_unit(kind="a", **BOUNDED),
    Graduated("b", "hour", TIERS, **BOUNDED),
    Volume("c", "GB", TIERS, **BOUNDED),
    Package("d", "GB", Decimal(100), Decimal("2.5"), **BOUNDED),
)


def test_a_rates_bounds_read_back_as_they_were_stored() -> None:
    stored: Any = plan_json(EVERY_MODEL_BOUNDED)
    assert parse_plan(stored) == EVERY_MODEL_BOUNDED
    assert {(rate["minimum"], rate["maximum"]) for rate in stored["rates"]} == {("1.50", "20.00")}


def test_a_plan_document_has_the_fields_of_the_contract() -> None:
    tiers = [
        {"up_to": "10.5", "unit_price": "1.00", "flat_fee": "5.00"},
        {"up_to": None, "unit_price": "0.50", "flat_fee": "0.00"},
    ]
    assert plan_json(EVERY_MODEL) == {
        "code": "studio",
        "name": "Studio",
        "price": "50.00",
        "proration": "daily",
        "rates": [
            {
                "resource_kind": "a",
                "unit": "hour",
                "model": "per_unit",
                "included": "1488",
                "unit_price": "0.0125",
            },
            {
                "resource_kind": "b",
                "unit": "hour",
                "model": "graduated",
                "included": "3",
                "tiers": tiers,
                "flat_fee_at_zero": True,
            },
            {
                "resource_kind": "c",
                "unit": "GB",
                "model": "volume",
                "included": "0",
                "tiers": tiers,
                "flat_fee_at_zero": False,
            },
            {
                "resource_kind": "d",
                "unit": "GB",
                "model": "package",
                "included": "7",
                "package_size": "100",
                "package_price": "2.50",
            },
        ],
    }


def test_an_addon_reads_back_as_it_was_stored() -> None:
    days: Any = {"starts_on": date(2026, 4, 16), "ends_on": date(2026, 4, 20)}
    for addon in (
        Addon("ip", Decimal("4.5"), 2, "Address"),
        Addon("ip", Decimal(0)),
        Addon("ip", Decimal(0), **days),
    ):
        assert parse_addon(addon_json(addon)) == addon


def test_a_discount_reads_back_as_it_was_stored() -> None:
    for stored, discount in [
        ({"percent": "12.5"}, Discount(percent=Decimal("12.50"))),
        ({"amount": "5.00"}, Discount(amount=Decimal(5))),
        ({"amount": "0.00"}, Discount(amount=Decimal(0))),
    ]:
        assert discount_json(discount) == stored
        assert parse_discount(stored) == discount


def test_what_may_be_left_out_has_a_default() -> None:
    assert parse_addon({"code": "ip", "price": 4}) == Addon("ip", Decimal(4), 1, None)
    bare = {"code": "p", "name": "P", "price": "1", "proration": "none"}
    assert parse_plan(bare) == Plan("p", "P", Decimal(1), "none", ())
    request = pilot()
    for field in ("ends_on", "addons", "usage"):
        del request["subscriptions"][0][field]
    assert price(parse_request(request)).subtotal_cents == 5000


def test_the_answer_has_exactly_the_fields_of_the_contract() -> None:
    request = parse_request(pilot())
    quote = price(request)
    answer = quote_json(request, quote)
    assert list(answer) == [
        "currency",
        "lines",
        "subtotal_cents",
        "tax_cents",
        "total_cents",
        "fingerprint",
    ]
    assert line_json(quote.lines[2]) == {
        "kind": "overage",
        "description": "Overage: droplet_hours (2160 used, 1488 included)",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": "672",
        "unit": "hour",
        "unit_price": "0.01",
        "amount_cents": 672,
    }
