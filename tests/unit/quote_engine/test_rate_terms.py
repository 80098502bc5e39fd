"""The terms of a rate beside its model: a conversion, a minimum and a maximum."""

from datetime import date
from decimal import Decimal
from typing import Any, cast

import pytest

from quote_engine import (
    Graduated,
    InvalidRequest,
    Line,
    Package,
    Volume,
    parse_plan,
    plan_json,
    price,
)
from tests.unit.quote_engine.support import (
    cents_and_text,
    conversion,
    decimal_or_none,
    overage,
    per_unit,
    plan,
    request,
    subscription,
    table,
    tiers,
)


@pytest.mark.parametrize(
    ("convert", "unit_price", "used", "included", "cents", "says"), table("convert")
)
def test_a_quantity_is_converted_before_the_allowance(  # noqa: PLR0913, PLR0917
    convert: str, unit_price: str, used: str, included: str, cents: str, says: str
) -> None:
    rate = per_unit(unit_price, included, unit="GB", convert=conversion(convert))
    assert cents_and_text(overage(rate, used)) == (int(cents), says)


def test_a_converted_quantity_stays_exact_in_a_prorated_month() -> None:
    rate = per_unit("1.00", "31", unit="GB", convert=conversion("/ 3"))
    line = overage(rate, "93.0315", date(2026, 5, 15))  # 31.0105 - 17 GB
    assert line is not None
    assert line.description == (
        "Overage: kind (93.0315 used / 3 = 31.0105 GB, 17 included for 17/31 days)"
    )
    assert (line.quantity, line.unit, line.unit_price) == ("14.0105", "GB", "1.00")
    assert line.amount_cents == 1401


def test_every_model_prices_the_converted_quantity() -> None:
    steps, _ = tiers("to 10 at 1.00; open at 0.50 + 2.00")
    by_1000 = conversion("/ 1000")
    graduated = overage(Graduated("kind", "GB", steps, convert=by_1000), "15000")
    volume = overage(Volume("kind", "GB", steps, convert=by_1000), "15000")
    package = overage(Package("kind", "GB", Decimal(4), Decimal(3), convert=by_1000), "12001")
    assert [cents_and_text(line) for line in (graduated, volume, package)] == [
        (
            1450,
            "Overage: kind (15000 used / 1000 = 15 GB; 10 x 1.00 + 5 x 0.50 + 2.00 flat fee)",
        ),
        (950, "Overage: kind (15000 used / 1000 = 15 GB; 15 x 0.50 + 2.00 flat fee)"),
        (1200, "Overage: kind (12001 used / 1000 = 12.001 GB; 4 packages of 4)"),
    ]


@pytest.mark.parametrize(
    ("unit_price", "used", "included", "minimum", "maximum", "cents", "says"), table("bounds")
)
def test_a_rates_amount_stays_between_its_minimum_and_its_maximum(  # noqa: PLR0913, PLR0917
    unit_price: str,
    used: str,
    included: str,
    minimum: str,
    maximum: str,
    cents: str,
    says: str,
) -> None:
    low, high = decimal_or_none(minimum), decimal_or_none(maximum)
    line = overage(per_unit(unit_price, included, minimum=low, maximum=high), used)
    assert cents_and_text(line) == (int(cents), says)


def test_a_bound_is_one_unit_of_itself_and_is_not_prorated() -> None:
    steps, _ = tiers("to 10 at 1.00; open at 0.50 + 2.00")
    rate = Graduated("kind", "hour", steps, Decimal(31), maximum=Decimal("9.00"))
    line = overage(rate, "32", date(2026, 5, 15))  # 15 billable: 10.00 + 2.50 + 2.00
    assert line == Line(
        "overage",
        "Overage: kind (32 used, 17 included for 17/31 days; 10 x 1.00 + 5 x 0.50 + 2.00 flat fee;"
        " 14.50 lowered to the maximum 9.00)",
        "pilot",
        "kind",
        "1",
        "maximum charge",
        "9.00",
        900,
    )


@pytest.mark.parametrize("pool", [None, "tenant"])
def test_the_name_of_a_rate_reads_back_as_it_was_stored(pool: Any) -> None:
    named = plan(per_unit(name="VM hours", pool=pool))
    stored: Any = plan_json(named)
    assert stored["rates"][0]["name"] == "VM hours"
    assert parse_plan(stored) == named
    assert "name" not in cast(Any, plan_json(plan(per_unit())))["rates"][0]


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 201])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        per_unit(name=name)


def test_a_minimum_is_due_in_an_active_month_only() -> None:
    rate = per_unit(minimum=Decimal("5.00"))
    ended = subscription(rate, ends_on=date(2026, 3, 31))
    one_day = subscription(rate, ends_on=date(2026, 4, 1))
    assert price(request(ended)).lines == ()
    assert [line.amount_cents for line in price(request(one_day)).lines] == [167, 500, 67]
