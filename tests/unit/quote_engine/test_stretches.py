"""A month that is cut into parts: stretches, add-ons with days, and what the parts share."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quote_engine import (
    Addon,
    Discount,
    InvalidRequest,
    PerUnit,
    Plan,
    QuoteRequest,
    Subscription,
    UnpricedUsage,
    fingerprint,
    price,
)
from tests.unit.quote_engine.support import per_unit, request, subscription, table
from tests.unit.quote_engine.worked_months import worked_month

ROWS = (
    *table("stretches"),
    *table("addons"),
    *table("discount_days"),
    *table("commitment_days"),
)


@pytest.mark.parametrize(("month", "plan", "parts", "cents", "says"), ROWS)
def test_a_month_in_parts_is_billed_as_the_rules_say(
    month: str, plan: str, parts: str, cents: str, says: str
) -> None:
    lines = price(worked_month(month, plan, parts)).lines[:-1]
    assert ", ".join(str(line.amount_cents) for line in lines) == cents
    assert " & ".join(line.description for line in lines) == says


def april(day: int) -> date:
    return date(2026, 4, day)


def disk(first: int | None = None, last: int | None = None, **other: Any) -> Addon:
    days = (None if day is None else april(day) for day in (first, last))
    starts_on, ends_on = days
    return Addon("disk", Decimal("7.50"), starts_on=starts_on, ends_on=ends_on, **other)


STUDIO = Plan("studio", "Studio", Decimal("50.00"), "daily", (per_unit("0.01", "1488"),))


def studio(
    first: int, last: int | None, *addons: Addon, used: str = "0", **other: Any
) -> Subscription:
    ends_on = None if last is None else april(last)
    usage = {"kind": Decimal(used)}
    return Subscription("pilot", april(first), ends_on, STUDIO, addons, usage, **other)


def test_an_addon_with_days_and_a_cut_month_print_the_same_lines() -> None:
    cut = request(studio(1, 15), studio(16, None, disk(), used="1500"))
    dated = request(studio(1, None, disk(16), used="1500"))
    assert price(cut) == price(dated)


PLANS: list[dict[str, Any]] = [
    {"code": "pro"},
    {"name": "Pro"},
    {"price": Decimal("50.01")},
    {"proration": "none"},
    {"rates": ()},
    {"rates": (per_unit("0.02", "1488"),)},
    {"rates": (per_unit("0.01", "1488", name="Hours"),)},
]


@pytest.mark.parametrize("change", PLANS, ids=lambda change: next(iter(change)))
def test_plans_that_differ_in_anything_are_two_stretches(change: dict[str, Any]) -> None:
    terms: dict[str, Any] = {
        "code": "studio",
        "name": "Studio",
        "price": Decimal("50.00"),
        "proration": "daily",
        "rates": STUDIO.rates,
    }
    other = Plan(**{**terms, **change})
    second = Subscription("pilot", april(16), None, other)
    kinds = [line.kind for line in price(request(studio(1, 15), second)).lines]
    assert kinds.count("plan_base") == 2


def test_plans_that_differ_in_trailing_zeros_are_one_stretch() -> None:
    same = Plan("studio", "Studio", Decimal("50"), "daily", (per_unit("0.010", "1488.0"),))
    lines = price(request(studio(1, 15), Subscription("pilot", april(16), None, same))).lines
    assert [line.amount_cents for line in lines] == [5000, 500]


def test_a_subscription_outside_the_month_takes_no_part() -> None:
    before = subscription(per_unit(), ends_on=date(2026, 3, 31), usage={"kind": "7"})
    month = subscription(per_unit(), starts_on=april(1), usage={"kind": "100"})
    quote = price(request(before, month))
    assert quote.lines == price(request(month)).lines
    assert quote.unpriced == (UnpricedUsage("pilot", "kind", Decimal(7)),)


def test_unpriced_usage_of_a_deployment_is_named_once() -> None:
    parts = [
        subscription(starts_on=april(1), ends_on=april(15), usage={"gpu": "2"}),
        subscription(starts_on=april(16), usage={"gpu": "3", "disk": "1"}),
    ]
    assert price(request(*parts)).unpriced == (
        UnpricedUsage("pilot", "disk", Decimal(1)),
        UnpricedUsage("pilot", "gpu", Decimal(5)),
    )


def test_entries_of_two_names_are_two_lines_of_one_price() -> None:
    renamed = request(studio(1, None, disk(last=15), disk(16, name="Disk")))
    lines = [line for line in price(renamed).lines if line.kind == "addon"]
    assert [(line.description, line.amount_cents) for line in lines] == [
        ("Addon: disk (15/30 days of 7.50)", 375),
        ("Addon: Disk (15/30 days of 7.50)", 375),
    ]


def test_addons_print_by_code_then_first_day() -> None:
    ip = Addon("ip", Decimal("1.00"))
    mixed = (
        ip,
        disk(21),
        Addon("disk", Decimal("9.00"), ends_on=april(10)),
        Addon("a", Decimal(3)),
    )
    lines = price(request(studio(1, None, *mixed))).lines
    assert [line.amount_cents for line in lines if line.kind == "addon"] == [300, 300, 250, 100]


FAULTY: list[tuple[tuple[Addon, ...], str]] = [
    ((disk(), disk()), "addons: code 'disk' stands 2 times"),
    (
        (disk(), disk(20)),
        "addons: code 'disk' stands twice on 2026-04-20 (ends_on is the last day billed)",
    ),
    (
        (disk(last=20), disk(20)),
        "addons: code 'disk' stands twice on 2026-04-20 (ends_on is the last day billed)",
    ),
    ((disk(4),), "addons: 'disk': starts_on must not be before 2026-04-05"),
    ((disk(last=4),), "addons: 'disk': ends_on must not be before 2026-04-05"),
    ((disk(26),), "addons: 'disk': starts_on must not be after 2026-04-25"),
    ((disk(6, 26),), "addons: 'disk': ends_on must not be after 2026-04-25"),
]


@pytest.mark.parametrize(("addons", "fault"), FAULTY, ids=[fault for _, fault in FAULTY])
def test_days_that_cannot_be_are_refused(addons: tuple[Addon, ...], fault: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        studio(5, 25, *addons)
    assert refused.value.faults == (fault,)


def test_an_addon_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        disk(16, 15)
    assert refused.value.faults == ("ends_on: must not be before starts_on",)


def hashed(*parts: Subscription) -> str:
    wanted = request(*parts)
    return fingerprint(wanted, price(wanted))


def whole_year(*addons: Addon) -> Subscription:
    days = (date(2026, 1, 10), date(2026, 12, 31))
    return Subscription("pilot", *days, STUDIO, addons)


def test_days_of_an_addon_outside_the_month_leave_no_mark() -> None:
    plain = hashed(whole_year(disk()))
    february, june = date(2026, 2, 3), date(2026, 6, 3)
    for starts_on, ends_on in ((february, None), (None, june), (february, june), (april(1), None)):
        dated = Addon("disk", Decimal("7.50"), starts_on=starts_on, ends_on=ends_on)
        assert hashed(whole_year(dated)) == plain
    later = Addon("disk", Decimal("9.00"), starts_on=date(2026, 5, 1))
    earlier = Addon("disk", Decimal("8.00"), ends_on=date(2026, 3, 31))
    assert hashed(whole_year(earlier, later)) == hashed(whole_year())
    assert hashed(whole_year(disk(2))) != plain


def test_the_request_has_no_addon_without_a_day_in_the_month() -> None:
    later = Addon("disk", Decimal("9.00"), starts_on=date(2026, 5, 1))
    wanted: QuoteRequest = request(whole_year(disk(16, 30), later))
    assert wanted.subscriptions[0].addons == (disk(16),)


def test_a_limit_of_discounts_is_the_deployments_month() -> None:
    generous = (Discount(percent=Decimal(80)), Discount(percent=Decimal(70)))
    lines = price(request(studio(1, 15, discounts=generous), studio(16, None))).lines
    # 150 % of the first half's 25.00 is more than the half, and less than the month.
    assert [line.amount_cents for line in lines if line.kind == "discount"] == [-2000, -1750]


def test_a_line_calls_usage_by_the_name_of_its_rate() -> None:
    named = subscription(per_unit(name="VM hours"), usage={"kind": "100"})
    line = price(request(named)).lines[1]
    assert (line.description, line.resource_kind) == ("Overage: VM hours (100 used)", "kind")


def test_a_pools_members_may_have_names_of_their_own() -> None:
    def member(name: str) -> Subscription:
        rate = PerUnit("kind", "hour", Decimal("0.01"), pool="tenant", name=name.upper())
        return subscription(rate, deployment_id=name, usage={"kind": "100"})

    texts = [line.description for line in price(request(member("a"), member("b"))).lines]
    assert texts[1] == "Overage: A (100 used; pool of 2: 200 used; 1.00 of 2.00)"
    assert texts[3] == "Overage: B (100 used; pool of 2: 200 used; 1.00 of 2.00)"
