"""Every worked figure of docs/money-rules.md, and how its lines read."""

from datetime import date
from decimal import Decimal, localcontext

import pytest

from quote_engine import (
    Addon,
    Graduated,
    Line,
    Package,
    Period,
    UnpricedUsage,
    Volume,
    parse_request,
    price,
)
from quote_engine.rounding import round_cents
from quote_engine.tax import tax_line
from tests.unit.quote_engine.support import (
    cents_and_text,
    overage,
    per_unit,
    pilot,
    request,
    subscription,
    table,
    tiers,
)


def test_the_pilot_tenant_owes_seventy_dollars_sixty_four() -> None:
    quote = price(parse_request(pilot()))
    assert quote.lines == (
        Line("plan_base", "Plan: Studio", "pilot", None, "1", "month", "50.00", 5000),
        Line("addon", "Addon: storage_50gb", "pilot", None, "1", "month", "7.50", 750),
        Line(
            "overage",
            "Overage: droplet_hours (2160 used, 1488 included)",
            "pilot",
            "droplet_hours",
            "672",
            "hour",
            "0.01",
            672,
        ),
        Line("tax", "GST 10%", None, None, "1", "", "6.42", 642),
    )
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (6422, 642, 7064)
    assert (quote.currency, quote.unpriced) == ("AUD", ())


@pytest.mark.parametrize(("dollars", "over", "cents"), table("rounding"))
def test_half_a_cent_is_rounded_away_from_zero(dollars: str, over: str, cents: str) -> None:
    assert round_cents(Decimal(dollars), int(over)) == int(cents)


def test_a_quotient_just_below_half_a_cent_does_not_pass_for_one() -> None:
    just_below = Decimal("0.014" + "9" * 150)
    assert round_cents(just_below, 3) == 0
    assert round_cents(Decimal("0.015"), 3) == 1


@pytest.mark.parametrize(
    ("since", "used", "included", "unit_price", "cents", "says"), table("per_unit")
)
def test_per_unit_prices_what_is_used_beyond_the_allowance(  # noqa: PLR0913, PLR0917
    since: str, used: str, included: str, unit_price: str, cents: str, says: str
) -> None:
    line = overage(per_unit(unit_price, included), used, date.fromisoformat(since))
    assert cents_and_text(line) == (int(cents), says)


@pytest.mark.parametrize(("steps", "used", "included", "cents", "says"), table("graduated"))
def test_graduated_prices_each_tiers_share_at_its_own_price(
    steps: str, used: str, included: str, cents: str, says: str
) -> None:
    rate = Graduated("kind", "hour", tiers(steps)[0], Decimal(included), tiers(steps)[1])
    assert cents_and_text(overage(rate, used)) == (int(cents), says)


@pytest.mark.parametrize(("steps", "used", "included", "cents", "says"), table("volume"))
def test_volume_prices_everything_in_the_tier_it_falls_in(
    steps: str, used: str, included: str, cents: str, says: str
) -> None:
    rate = Volume("kind", "hour", tiers(steps)[0], Decimal(included), tiers(steps)[1])
    assert cents_and_text(overage(rate, used)) == (int(cents), says)


@pytest.mark.parametrize(
    ("size", "dollars", "used", "included", "cents", "says"), table("package")
)
def test_package_bills_started_packages_in_full(  # noqa: PLR0913, PLR0917
    size: str, dollars: str, used: str, included: str, cents: str, says: str
) -> None:
    rate = Package("kind", "GB", Decimal(size), Decimal(dollars), Decimal(included))
    assert cents_and_text(overage(rate, used)) == (int(cents), says)


@pytest.mark.parametrize(
    ("month", "starts_on", "ends_on", "monthly", "cents", "says"), table("proration")
)
def test_a_plan_is_billed_for_its_calendar_days(  # noqa: PLR0913, PLR0917
    month: str, starts_on: str, ends_on: str, monthly: str, cents: str, says: str
) -> None:
    part_month = subscription(
        starts_on=date.fromisoformat(starts_on),
        ends_on=None if ends_on == "-" else date.fromisoformat(ends_on),
        price=monthly,
    )
    lines = price(request(part_month, period=Period.month(month))).lines
    assert cents_and_text(lines[0] if lines else None) == (int(cents), says)


@pytest.mark.parametrize(("subtotal", "gst"), table("gst"))
def test_gst_is_a_tenth_of_the_subtotal_half_a_cent_up(subtotal: str, gst: str) -> None:
    assert tax_line({"gst": int(subtotal)}).amount_cents == int(gst)


def test_gst_is_taken_once_on_the_subtotal_and_not_per_line() -> None:
    five_cents = [subscription(deployment_id=name, price="0.05") for name in "abc"]
    quote = price(request(*five_cents))
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (15, 2, 17)


def test_a_gst_free_tenant_gets_a_tax_line_of_nothing() -> None:
    quote = price(request(subscription(), tax="gst_free"))
    assert quote.lines[-1] == Line("tax", "GST-free", None, None, "1", "", "0.00", 0)
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (5000, 0, 5000)


def test_a_tax_line_prints_its_amount_to_the_cent() -> None:
    assert tax_line({"gst": 1055}).unit_price == "1.06"
    assert tax_line({"gst": 44}).unit_price == "0.04"


ADDONS = [
    (Addon("ip", Decimal("4.00")), "Addon: ip (21/30 days of 4.00)", "2.80", 280),
    (Addon("ip", Decimal(4), 3), "Addon: ip (21/30 days of 3 x 4.00)", "8.40", 840),
    (
        Addon("ip", Decimal("0.05"), 1, "Address"),
        "Addon: Address (21/30 days of 0.05)",
        "0.04",
        4,
    ),
    (Addon("free", Decimal(0)), "Addon: free (21/30 days of 0.00)", "0.00", 0),
]


@pytest.mark.parametrize(("addon", "text", "unit_price", "cents"), ADDONS)
def test_an_addon_is_prorated_with_its_plan(
    addon: Addon, text: str, unit_price: str, cents: int
) -> None:
    part_month = subscription(addons=(addon,), starts_on=date(2026, 4, 10))
    assert price(request(part_month)).lines[1] == Line(
        "addon", text, "pilot", None, "1", "month", unit_price, cents
    )


def test_several_of_an_addon_are_one_line() -> None:
    with_addons = subscription(addons=(Addon("ip", Decimal("4.005"), 3),))
    assert price(request(with_addons)).lines[1] == Line(
        "addon", "Addon: ip", "pilot", None, "3", "month", "4.005", 1202
    )


def test_a_plan_without_proration_bills_a_whole_month_for_one_day() -> None:
    one_day = subscription(
        per_unit(included="100"),
        starts_on=date(2026, 4, 30),
        addons=(Addon("ip", Decimal("4.00")),),
        usage={"kind": "150"},
        proration="none",
    )
    quote = price(request(one_day))
    assert [line.amount_cents for line in quote.lines] == [5000, 400, 50, 545]
    assert quote.lines[0].description == "Plan: Studio"


def test_prorated_graduated_tiers_keep_their_bounds() -> None:
    steps, _ = tiers("to 10 at 1.00; open at 0.50 + 2.00")
    rate = Graduated("kind", "hour", steps, Decimal(31))
    line = overage(rate, "32", date(2026, 5, 15))  # 31 x 17/31 = 17 free, 15 billable
    assert line is not None
    assert line.description == (
        "Overage: kind (32 used, 17 included for 17/31 days; 10 x 1.00 + 5 x 0.50 + 2.00 flat fee)"
    )
    assert (line.quantity, line.unit_price, line.amount_cents) == ("1", "14.50", 1450)


def test_prorated_volume_and_packages_keep_their_sizes() -> None:
    steps, _ = tiers("to 15 at 1.00 + 3.00; open at 0.50")
    since = date(2026, 5, 15)
    volume = overage(Volume("kind", "hour", steps, Decimal(31)), "32", since)
    package = overage(
        Package("kind", "GB", Decimal(15), Decimal("2.50"), Decimal(31)), "32", since
    )
    assert volume is not None and package is not None
    assert (volume.amount_cents, volume.quantity, volume.unit_price) == (1800, "1", "18.00")
    assert (package.amount_cents, package.quantity, package.unit) == (250, "1", "package of 15 GB")


def test_a_quantity_that_does_not_end_is_printed_in_words() -> None:
    line = overage(per_unit("1.00", "100"), "100", date(2026, 5, 15))  # 100 - 1700/31
    assert line is not None
    assert line.description.endswith("; about 45.16129 x 1.00)")
    assert (line.quantity, line.unit, line.unit_price) == ("1", "", "45.16")


@pytest.mark.parametrize(
    ("used", "quantity", "unit_price", "says"),
    [
        ("0.123456", "0.123456", "1000000.00", "Overage: kind (0.123456 used)"),
        ("0.1234560", "0.123456", "1000000.00", "Overage: kind (0.123456 used)"),
        (
            "0.1234565",
            "1",
            "123456.50",
            "Overage: kind (about 0.123457 used; about 0.123457 x 1000000.00)",
        ),
    ],
)
def test_a_quantity_has_at_most_six_decimals(
    used: str, quantity: str, unit_price: str, says: str
) -> None:
    line = overage(per_unit("1000000.00"), used)
    assert line is not None
    assert (line.quantity, line.unit_price, line.description) == (quantity, unit_price, says)


def test_a_flat_fee_on_nothing_is_one_fee_and_on_next_to_nothing_is_in_words() -> None:
    steps, _ = tiers("to 10 at 1.00 + 5.00; open at 0.50")
    nothing = overage(Graduated("kind", "hour", steps, flat_fee_at_zero=True), "0")
    assert nothing is not None
    assert (nothing.quantity, nothing.unit, nothing.unit_price) == ("1", "flat fee", "5.00")
    rate = Graduated("kind", "hour", steps, Decimal("0.000000000001"))
    line = overage(rate, "0.000000000001", date(2026, 5, 15))  # 1e-12 x 14/31 billable
    assert line is not None
    assert (line.quantity, line.unit, line.unit_price) == ("1", "", "5.00")
    assert line.description.endswith("; about 0 x 1.00 + 5.00 flat fee)")


def test_prices_and_quantities_are_printed_in_one_way_only() -> None:
    odd = subscription(
        per_unit("1E-7"),
        per_unit("0.0500", kind="other"),
        usage={"kind": "1E+9", "other": "12.500"},
        price="50.000",
    )
    lines = price(request(odd)).lines
    printed = [(line.quantity, line.unit_price) for line in lines]
    assert printed == [
        ("1", "50.00"),
        ("1000000000", "0.0000001"),
        ("12.5", "0.05"),
        ("1", "15.06"),
    ]


def test_lines_stand_in_a_fixed_order_whatever_the_order_of_the_request() -> None:
    addons = (Addon("b", Decimal(1)), Addon("a", Decimal(1)))
    rates = (per_unit("1", kind="z"), per_unit("1", kind="y"))
    usage = {"z": "1", "y": "1"}
    second = subscription(*rates, deployment_id="two", addons=addons, usage=usage)
    first = subscription(deployment_id="one")
    lines = price(request(second, first)).lines
    assert [(line.kind, line.deployment_id, line.description) for line in lines] == [
        ("plan_base", "one", "Plan: Studio"),
        ("plan_base", "two", "Plan: Studio"),
        ("addon", "two", "Addon: a"),
        ("addon", "two", "Addon: b"),
        ("overage", "two", "Overage: y (1 used)"),
        ("overage", "two", "Overage: z (1 used)"),
        ("tax", None, "GST 10%"),
    ]


def test_nothing_active_means_nothing_to_invoice() -> None:
    for nothing in (request(), request(subscription(starts_on=date(2026, 5, 1)))):
        quote = price(nothing)
        assert quote.lines == ()
        assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (0, 0, 0)


def test_usage_without_a_rate_is_named_and_not_billed() -> None:
    metered = subscription(per_unit(), usage={"kind": "100", "zoo": "7", "gpu": "3", "idle": "0"})
    quote = price(request(metered))
    assert quote.unpriced == (
        UnpricedUsage("pilot", "gpu", Decimal(3)),
        UnpricedUsage("pilot", "zoo", Decimal(7)),
    )
    assert quote.subtotal_cents == 5100


def test_usage_of_a_subscription_that_is_not_active_is_named_too() -> None:
    ended = subscription(per_unit(), usage={"kind": "5"}, ends_on=date(2026, 3, 31))
    assert price(request(ended)).unpriced == (UnpricedUsage("pilot", "kind", Decimal(5)),)


def test_the_largest_numbers_allowed_are_still_exact() -> None:
    most = "99999999999999999999.999999999999"
    line = overage(per_unit("999999999999.999999999999"), most)
    assert line is not None
    # (1e20 - 1e-12) x (1e12 - 1e-12) = 1e32 - 1e8 - 1 + 1e-24 dollars
    assert line.amount_cents == 9999999999999999999999989999999900


def test_the_callers_decimal_settings_do_not_matter_and_are_left_alone() -> None:
    with localcontext() as callers:
        callers.prec = 3
        quote = price(parse_request(pilot()))
        assert callers.prec == 3
        assert Decimal(2) / 3 == Decimal("0.667")
    assert quote.total_cents == 7064
