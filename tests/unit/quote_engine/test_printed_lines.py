"""Lines that a person can check with a calculator: what was printed in twelve decimals before."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quote_engine import Addon, PerUnit, Subscription, Volume, price
from tests.unit.quote_engine.support import (
    conversion,
    discounts,
    per_unit,
    request,
    subscription,
    tiers,
)


def since(day: int, *rates: PerUnit | Volume, **terms: Any) -> Subscription:
    return subscription(*rates, starts_on=date(2026, 4, day), **terms)


IP = (Addon("ip", Decimal("4.00"), 3),)
BLENDED = Volume("kind", "hour", tiers("to 10 at 0.05 + 0.01; open at 0.50")[0])
GIGABYTES = per_unit("0.10", "25", unit="GB")

PRINTED = {
    "a part of a month": (
        since(30, price="49.95"),
        ("Plan: Studio (1/30 days of 49.95)", "1", "month", "1.67", 167),
    ),
    "another part of a month": (
        since(12, price="29.95"),
        ("Plan: Studio (19/30 days of 29.95)", "1", "month", "18.97", 1897),
    ),
    "several of an add-on for a part of a month": (
        since(12, addons=IP),
        ("Addon: ip (19/30 days of 3 x 4.00)", "1", "month", "7.60", 760),
    ),
    "a blended price": (
        since(1, BLENDED, usage={"kind": "0.3"}),
        ("Overage: kind (0.3 used; 0.3 x 0.05 + 0.01 flat fee)", "1", "", "0.03", 3),
    ),
    "an allowance that does not end": (
        since(12, GIGABYTES, usage={"kind": "20"}),
        (
            "Overage: kind (20 used, about 15.833333 included for 19/30 days; "
            "about 4.166667 x 0.10)",
            *("1", "", "0.42", 42),
        ),
    ),
    "a rate with a name": (
        since(1, per_unit("0.01", name="VM hours"), usage={"kind": "672"}),
        ("Overage: VM hours (672 used)", "672", "hour", "0.01", 672),
    ),
    "sibling: whole months are still counted": (
        since(1, addons=IP),
        ("Addon: ip", "3", "month", "4.00", 1200),
    ),
    "sibling: an add-on of a whole month under a plan of a part": (
        subscription(ends_on=date(2026, 4, 29), addons=IP),
        ("Addon: ip (29/30 days of 3 x 4.00)", "1", "month", "11.60", 1160),
    ),
    "sibling: a converted quantity that does not end": (
        since(1, per_unit("1.00", convert=conversion("/ 3")), usage={"kind": "200"}),
        (
            "Overage: kind (200 used / 3 = about 66.666667 hour; about 66.666667 x 1.00)",
            *("1", "", "66.67", 6667),
        ),
    ),
    "sibling: a price of many decimals is printed as it was given": (
        since(1, per_unit("0.000123456789"), usage={"kind": "1000000"}),
        ("Overage: kind (1000000 used)", "1000000", "hour", "0.000123456789", 12346),
    ),
    "sibling: a discount of a part of the days": (
        since(12, price="29.95", discounts=discounts("33.3%")),
        ("Discount: 33.3% of 18.97", "1", "", "-6.32", -632),
    ),
}


@pytest.mark.parametrize("case", PRINTED.values(), ids=PRINTED.keys())
def test_a_person_can_check_a_line(
    case: tuple[Subscription, tuple[str, str, str, str, int]],
) -> None:
    billed, (says, quantity, unit, unit_price, cents) = case
    lines = [(*line[1:2], *line[4:]) for line in price(request(billed)).lines]
    assert (says, quantity, unit, unit_price, cents) in lines
