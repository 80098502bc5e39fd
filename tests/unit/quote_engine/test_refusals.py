"""Input that cannot be priced is refused, with every fault named by its path."""

from copy import deepcopy
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, cast

import pytest

from quote_engine import (
    Addon,
    Convert,
    Discount,
    Graduated,
    InvalidRequest,
    Package,
    PerUnit,
    Plan,
    QuoteRequest,
    Subscription,
    Tier,
    Volume,
    parse_addon,
    parse_plan,
    parse_request,
)
from tests.unit.quote_engine.support import APRIL, per_unit, pilot, plan, subscription

ABSENT = object()
ONE = Decimal(1)
DAY = date(2026, 4, 1)


def with_change(data: Any, path: str, value: object) -> Any:
    parent = data
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        parent = parent[step]
    if value is ABSENT:
        del parent[last]
    else:
        parent[last] = value
    return data


S = "subscriptions/0"
R = f"{S}/plan/rates/0"
AT_S = "subscriptions[0]"
AT_P = f"{AT_S}.plan"
AT_R = f"{AT_P}.rates[0]"
PLAIN = "must be a plain decimal such as 12.50, not "
TWICE = "subscriptions: deployment_id 'pilot' is subscribed twice on "
ONE_DISCOUNT = "exactly one of percent, amount must be given"
EITHER = "exactly one of divide_by, multiply_by must be given"
NO_CENTS = "cannot be billed: must be an ISO 4217 currency with two decimals, such as AUD"
NOT_OBJECT = "must be an object, not "


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("currency", ABSENT, "currency: missing"),
        ("currency", "aud", "currency: must be 3 upper-case letters"),
        ("currency", "AUDX", "currency: must be 3 upper-case letters"),
        ("currency", "AUD\n", "currency: must be 3 upper-case letters"),
        ("currency", "JPY", f"currency: JPY {NO_CENTS}"),
        ("currency", "ZZZ", f"currency: ZZZ {NO_CENTS}"),
        ("currency", 36, "currency: must be a string, not an integer"),
        ("tax", "vat", "tax: must be one of gst, gst_free, not 'vat'"),
        ("tax", None, "tax: must be one of gst, gst_free, not null"),
        ("tax", ABSENT, "tax: missing"),
        ("coupon", "x", "coupon: unknown field"),
        ("a\nb", "x", "a\\nb: unknown field"),
        ("period", ABSENT, "period: missing"),
        ("period", "2026-04", f"period: {NOT_OBJECT}'2026-04'"),
        ("period/start", "2026-04-02", "period.start: must be the first day of a month, "
         "from 2000-01 to 9999-11"),
        ("period/end", "2026-04-30", "period.end: must be the first day of the month after start"),
        ("period/end", "2026-04-31", "period.end: 2026-04-31 is not a day of the calendar"),
        ("period/end", "20260501", "period.end: must be a date such as 2026-04-01, "
         "not '20260501'"),
        ("period/end", 3, "period.end: must be a date such as 2026-04-01, not an integer"),
        ("subscriptions", {}, "subscriptions: must be a list, not an object"),
        ("subscriptions", ABSENT, "subscriptions: missing"),
        (S, [], f"{AT_S}: {NOT_OBJECT}a list"),
        (f"{S}/deployment_id", " ", f"{AT_S}.deployment_id: must not be empty"),
        (f"{S}/deployment_id", "x" * 201, f"{AT_S}.deployment_id: must have at most 200 "
         "characters"),
        (f"{S}/deployment_id", "a\tb", f"{AT_S}.deployment_id: must be printable text on one "
         "line"),
        (f"{S}/starts_on", None, f"{AT_S}.starts_on: must be a date such as 2026-04-01, not null"),
        (f"{S}/ends_on", "2026-01-09", f"{AT_S}.ends_on: must not be before starts_on"),
        (f"{S}/ends_on", True, f"{AT_S}.ends_on: must be a date such as 2026-04-01, "
         "not a boolean"),
        (f"{S}/discounts", {}, f"{AT_S}.discounts: must be a list, not an object"),
        (f"{S}/discounts", ["10%"], f"{AT_S}.discounts[0]: {NOT_OBJECT}'10%'"),
        (f"{S}/discounts", [{}], f"{AT_S}.discounts[0].percent: {ONE_DISCOUNT}"),
        (f"{S}/discounts", [{"percent": "5"}, {"percent": "5", "amount": "5"}],
         f"{AT_S}.discounts[1].percent: {ONE_DISCOUNT}"),
        (f"{S}/discounts", [{"percent": "100.1"}], f"{AT_S}.discounts[0].percent: "
         "must be at most 100"),
        (f"{S}/discounts", [{"percent": "-1"}], f"{AT_S}.discounts[0].percent: "
         "must not be negative"),
        (f"{S}/discounts", [{"percent": "10%"}], f"{AT_S}.discounts[0].percent: {PLAIN}'10%'"),
        (f"{S}/discounts", [{"amount": 5.0}], f"{AT_S}.discounts[0].amount: must be a decimal "
         "string, not a float"),
        (f"{S}/discounts", [{"amount": "5", "until": "x"}], f"{AT_S}.discounts[0].until: "
         "unknown field"),
        (f"{S}/minimum_commitment", "-1", f"{AT_S}.minimum_commitment: must not be negative"),
        (f"{S}/minimum_commitment", 1.5, f"{AT_S}.minimum_commitment: must be a decimal string, "
         "not a float"),
        (f"{S}/plan", ABSENT, f"{AT_P}: missing"),
        (f"{S}/plan", 1.5, f"{AT_P}: {NOT_OBJECT}a float"),
        (f"{S}/plan/price", 50.0, f"{AT_P}.price: must be a decimal string, not a float"),
        (f"{S}/plan/price", "-1", f"{AT_P}.price: must not be negative"),
        (f"{S}/plan/price", "-0", f"{AT_P}.price: must not be negative"),
        (f"{S}/plan/price", "1e3", f"{AT_P}.price: {PLAIN}'1e3'"),
        (f"{S}/plan/price", "+1", f"{AT_P}.price: {PLAIN}'+1'"),
        (f"{S}/plan/price", ".5", f"{AT_P}.price: {PLAIN}'.5'"),
        (f"{S}/plan/price", "1,000", f"{AT_P}.price: {PLAIN}'1,000'"),
        (f"{S}/plan/price", "NaN", f"{AT_P}.price: {PLAIN}'NaN'"),
        (f"{S}/plan/price", "Infinity", f"{AT_P}.price: {PLAIN}'Infinity'"),
        (f"{S}/plan/price", "１", f"{AT_P}.price: {PLAIN}'１'"),  # noqa: RUF001
        (f"{S}/plan/price", "1000000000000", f"{AT_P}.price: must have at most 12 digits before "
         "the decimal point"),
        (f"{S}/plan/price", "1.0000000000001", f"{AT_P}.price: must have at most 12 decimals"),
        (f"{S}/plan/price", None, f"{AT_P}.price: must be a decimal string, not null"),
        (f"{S}/plan/proration", "weekly", f"{AT_P}.proration: must be one of daily, none, "
         "not 'weekly'"),
        (f"{S}/plan/rates", None, f"{AT_P}.rates: must be a list, not null"),
        (f"{R}/model", "stairs", f"{AT_R}.model: must be one of per_unit, graduated, volume, "
         "package, not 'stairs'"),
        (f"{R}/model", ABSENT, f"{AT_R}.model: missing"),
        (f"{R}/unit_price", 0.01, f"{AT_R}.unit_price: must be a decimal string, not a float"),
        (f"{R}/unit_price", True, f"{AT_R}.unit_price: must be a decimal string, not a boolean"),
        (f"{R}/included", "-3", f"{AT_R}.included: must not be negative"),
        (f"{R}/minimum", "-1", f"{AT_R}.minimum: must not be negative"),
        (f"{R}/minimum", 0.5, f"{AT_R}.minimum: must be a decimal string, not a float"),
        (f"{R}/maximum", "1" * 13, f"{AT_R}.maximum: must have at most 12 digits before "
         "the decimal point"),
        (f"{R}/convert", {}, f"{AT_R}.convert.divide_by: {EITHER}"),
        (f"{R}/convert", {"divide_by": "2", "multiply_by": "2"},
         f"{AT_R}.convert.divide_by: {EITHER}"),
        (f"{R}/convert", {"divide_by": "0"}, f"{AT_R}.convert.divide_by: must be more than zero"),
        (f"{R}/convert", {"multiply_by": "-2"}, f"{AT_R}.convert.multiply_by: must not be "
         "negative"),
        (f"{R}/convert", {"multiply_by": 0.5}, f"{AT_R}.convert.multiply_by: must be a decimal "
         "string, not a float"),
        (f"{R}/convert", {"divide_by": "2", "rounding": "up"}, f"{AT_R}.convert.rounding: "
         "must be one of none, ceiling, floor, half_up, not 'up'"),
        (f"{R}/convert", {"divide_by": "2", "by": "2"}, f"{AT_R}.convert.by: unknown field"),
        (f"{R}/convert", "1000", f"{AT_R}.convert: {NOT_OBJECT}'1000'"),
        (f"{R}/convert", {"multiply_by": 10**20}, f"{AT_R}.convert.multiply_by: must have at most "
         "20 digits before the decimal point"),
        (f"{R}/pool", "deployment", f"{AT_R}.pool: must be one of tenant, not 'deployment'"),
        (f"{R}/tiers", [], f"{AT_R}.tiers: unknown field"),
        (f"{S}/addons/0/quantity", 0, f"{AT_S}.addons[0].quantity: must be from 1 to 1000000000"),
        (f"{S}/addons/0/quantity", "1", f"{AT_S}.addons[0].quantity: must be an integer, "
         "not '1'"),
        (f"{S}/addons/0/quantity", True, f"{AT_S}.addons[0].quantity: must be an integer, "
         "not a boolean"),
        (f"{S}/addons/0/name", "", f"{AT_S}.addons[0].name: must not be empty"),
        (f"{S}/usage", [], f"{AT_S}.usage: must be an object, not a list"),
        (f"{S}/usage/droplet_hours", "-1", f"{AT_S}.usage.droplet_hours: must not be negative"),
        (f"{S}/usage/droplet_hours", 2.5, f"{AT_S}.usage.droplet_hours: must be a decimal string, "
         "not a float"),
        (f"{S}/usage/droplet_hours", 10**20, f"{AT_S}.usage.droplet_hours: must have at most 20 "
         "digits before the decimal point"),
        (f"{S}/usage/", "1", f"{AT_S}.usage.: must not be empty"),
    ],
)  # fmt: skip
def test_a_faulty_request_is_refused_by_path(path: str, value: object, fault: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(with_change(pilot(), path, value))
    assert refused.value.faults == (fault,)


@pytest.mark.parametrize(
    ("data", "kind"), [([], "a list"), (None, "null"), (1.5, "a float"), (b"", "bytes")]
)
def test_a_request_is_an_object(data: object, kind: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^request: must be an object, not {kind}$"):
        parse_request(data)


def test_every_fault_is_named_at_once() -> None:
    data = pilot()
    first = data["subscriptions"][0]
    first["plan"]["price"] = 50.0
    first["plan"]["rates"][0]["unit_price"] = "0.01 AUD"
    first["plan"]["rates"].append({"model": "volume", "resource_kind": "x", "unit": "GB"})
    first["addons"][0]["colour"] = "red"
    first["usage"]["gpu"] = "-1"
    data["subscriptions"].append("second")
    data["tax"] = "none"
    with pytest.raises(InvalidRequest) as refused:
        parse_request(data)
    assert sorted(refused.value.faults) == [
        "subscriptions[0].addons[0].colour: unknown field",
        "subscriptions[0].plan.price: must be a decimal string, not a float",
        "subscriptions[0].plan.rates[0].unit_price: "
        "must be a plain decimal such as 12.50, not '0.01 AUD'",
        "subscriptions[0].plan.rates[1].tiers: missing",
        "subscriptions[0].usage.gpu: must not be negative",
        "subscriptions[1]: must be an object, not 'second'",
        "tax: must be one of gst, gst_free, not 'none'",
    ]
    assert str(refused.value) == "; ".join(refused.value.faults)


@pytest.mark.parametrize(
    ("rate", "faults"),
    [
        ({"tiers": []}, ("rates[0].tiers: must not be empty",)),
        (
            {"tiers": [{"up_to": "1", "unit_price": "1"}]},
            ("rates[0].tiers: the last tier must be open (up_to null)",),
        ),
        (
            {"tiers": [{"up_to": None, "unit_price": "1"}, {"up_to": None, "unit_price": "1"}]},
            ("rates[0].tiers: only the last tier may be open (up_to null)",),
        ),
        (
            {"tiers": [{"unit_price": "1"}, {"up_to": None, "unit_price": 0.5}]},
            (
                "rates[0].tiers[0].up_to: missing",
                "rates[0].tiers[1].unit_price: must be a decimal string, not a float",
            ),
        ),
        (
            {"tiers": [{"up_to": "0", "unit_price": "1"}, {"up_to": None, "unit_price": "1"}]},
            ("rates[0].tiers[0].up_to: must be more than zero",),
        ),
        (
            {"tiers": [{"up_to": None, "unit_price": "1"}], "flat_fee_at_zero": "yes"},
            ("rates[0].flat_fee_at_zero: must be true or false, not 'yes'",),
        ),
    ],
)
def test_faulty_tiers_are_refused_by_path(
    rate: dict[str, object], faults: tuple[str, ...]
) -> None:
    graduated = {"model": "graduated", "resource_kind": "x", "unit": "GB", **rate}
    data = {"code": "p", "name": "P", "price": "1", "proration": "none", "rates": [graduated]}
    with pytest.raises(InvalidRequest) as refused:
        parse_plan(data)
    assert refused.value.faults == faults


def test_an_addon_of_the_catalogue_is_refused_by_field() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_addon({"code": 5, "price": "free"})
    assert refused.value.faults == (
        "code: must be a string, not an integer",
        "price: must be a plain decimal such as 12.50, not 'free'",
    )


def tier(up_to: str | None) -> Tier:
    return Tier(None if up_to is None else Decimal(up_to), ONE)


IMPOSSIBLE: list[tuple[Any, tuple[Any, ...], tuple[str, ...]]] = [
    (PerUnit, ("k", "h", 0.01), ("unit_price: must be a Decimal, not float",)),
    (PerUnit, ("k", "h", 1), ("unit_price: must be a Decimal, not int",)),
    (PerUnit, ("k", "h", Decimal("NaN")), ("unit_price: must be a finite number",)),
    (PerUnit, ("k", "h", Decimal("Infinity")), ("unit_price: must be a finite number",)),
    (PerUnit, ("", "h", -ONE), (
        "resource_kind: must not be empty", "unit_price: must not be negative")),
    (PerUnit, ("k", 5, ONE), ("unit: must be text, not int",)),
    (partial(PerUnit, minimum=cast(Any, 2), maximum=-ONE), ("k", "h", ONE), (
        "minimum: must be a Decimal, not int", "maximum: must not be negative")),
    (partial(PerUnit, convert=cast(Any, 1000)), ("k", "h", ONE), ("convert: must be a Convert",)),
    (partial(PerUnit, pool=cast(Any, "all")), ("k", "h", ONE), ("pool: must be one of tenant",)),
    (Convert, (), (f"divide_by: {EITHER}",)),
    (Convert, (ONE, Decimal(0), "up"), (
        "multiply_by: must be more than zero",
        "rounding: must be one of none, ceiling, floor, half_up",
        f"divide_by: {EITHER}")),
    (partial(PerUnit, minimum=Decimal(2), maximum=ONE), ("k", "h", ONE), (
        "minimum: must not be more than maximum",)),
    (partial(Package, minimum=Decimal(2), maximum=ONE), ("k", "GB", -ONE, ONE), (
        "package_size: must not be negative", "minimum: must not be more than maximum")),
    (partial(Volume, minimum=Decimal(2), maximum=ONE), ("k", "GB", ()), (
        "tiers: must not be empty", "minimum: must not be more than maximum")),
    (Package, ("k", "GB", Decimal(0), ONE), ("package_size: must be more than zero",)),
    (Package, ("k", "GB", -ONE, -ONE), (
        "package_size: must not be negative", "package_price: must not be negative")),
    (Tier, (-ONE, ONE), ("up_to: must not be negative",)),
    (Tier, (Decimal(0), ONE), ("up_to: must be more than zero",)),
    (Tier, (None, ONE, -ONE), ("flat_fee: must not be negative",)),
    (Volume, ("k", "GB", ()), ("tiers: must not be empty",)),
    (Volume, ("k", "GB", [tier(None)]), ("tiers: must be a tuple of Tier",)),
    (Volume, ("k", "GB", (1,)), ("tiers: must be a tuple of Tier",)),
    (Graduated, ("k", "GB", (tier("5"), tier("5"), tier(None))), (
        "tiers: up_to must rise from tier to tier",)),
    (Graduated, ("k", "GB", (tier("5"), tier("4"), tier(None))), (
        "tiers: up_to must rise from tier to tier",)),
    (Graduated, ("k", "GB", (tier(None), tier("4"))), (
        "tiers: only the last tier may be open (up_to null)",)),
    (Graduated, ("k", "GB", (tier("4"),)), ("tiers: the last tier must be open (up_to null)",)),
    (Graduated, ("k", "GB", (tier(None),), ONE, 1), ("flat_fee_at_zero: must be true or false",)),
    (Plan, ("", "", -ONE, "weekly", ["x"]), (
        "code: must not be empty",
        "name: must not be empty",
        "price: must not be negative",
        "proration: must be one of daily, none",
        "rates: must be a tuple of PerUnit or Graduated or Volume or Package")),
    (Plan, ("p", "P", ONE, "daily", (per_unit(), per_unit())), (
        "rates: resource_kind 'kind' stands 2 times",)),
    (Addon, ("ip", -ONE, 0, ""), (
        "price: must not be negative",
        "quantity: must be from 1 to 1000000000",
        "name: must not be empty")),
    (Addon, ("ip", ONE, ONE), ("quantity: must be a whole number, not Decimal",)),
    (Subscription, ("d", "2026", 1, "plan", ["ip"], {"k": -ONE, "": ONE, "f": 0.5}), (
        "starts_on: must be a date, not str",
        "ends_on: must be a date, not int",
        "plan: must be a Plan",
        "addons: must be a tuple of Addon",
        "usage.k: must not be negative",
        "usage.: must not be empty",
        "usage.f: must be a Decimal, not float")),
    (partial(Subscription, discounts=cast(Any, ["10%"])), ("d", DAY, None, plan()), (
        "discounts: must be a tuple of Discount",)),
    (partial(Subscription, minimum_commitment=-ONE), ("d", DAY, None, plan()), (
        "minimum_commitment: must not be negative",)),
    (Discount, (), (f"percent: {ONE_DISCOUNT}",)),
    (Discount, (10, -ONE), (
        "percent: must be a Decimal, not int",
        "amount: must not be negative",
        f"percent: {ONE_DISCOUNT}")),
    (Subscription, ("d", DAY, None, plan(), (), None), (
        "usage: must map each resource kind to a Decimal",)),
    (Subscription, ("d", DAY, date(2026, 3, 31), plan(), (Addon("ip", ONE), Addon("ip", ONE))), (
        "ends_on: must not be before starts_on", "addons: code 'ip' stands 2 times")),
    (QuoteRequest, ("2026-04", "aud", "vat", []), (
        "period: must be a Period",
        "currency: must be 3 upper-case letters",
        "tax: must be one of gst, gst_free",
        "subscriptions: must be a tuple of Subscription")),
    (QuoteRequest, (APRIL, "AUD", "gst", (subscription(), subscription())), (
        f"{TWICE}2026-01-10 (ends_on is the last day billed)",)),
]  # fmt: skip


@pytest.mark.parametrize(("model", "values", "faults"), IMPOSSIBLE)
def test_a_constructor_refuses_what_cannot_be(
    model: Any, values: tuple[Any, ...], faults: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        model(*values)
    assert refused.value.faults == faults


def test_the_same_deployment_twice_in_json_is_refused() -> None:
    data = pilot()
    data["subscriptions"].append(data["subscriptions"][0])
    with pytest.raises(InvalidRequest) as refused:
        parse_request(data)
    assert refused.value.faults == (f"{TWICE}2026-01-10 (ends_on is the last day billed)",)


@pytest.mark.parametrize(
    ("ends_on", "starts_on", "day"),
    [
        ("2026-04-10", "2026-04-10", "2026-04-10"),
        ("2026-04-10", "2026-04-09", "2026-04-09"),
        (None, "2026-06-01", "2026-06-01"),
        ("2026-03-31", "2026-03-01", "2026-03-01"),
    ],
)
def test_a_deployment_is_not_subscribed_twice_on_a_day(
    ends_on: str | None, starts_on: str, day: str
) -> None:
    data = pilot()
    old = data["subscriptions"][0]
    data["subscriptions"] = [old | {"starts_on": starts_on}, old | {"ends_on": ends_on}]
    with pytest.raises(InvalidRequest) as refused:
        parse_request(data)
    assert refused.value.faults == (f"{TWICE}{day} (ends_on is the last day billed)",)


def test_later_changes_to_the_callers_usage_do_not_reach_a_subscription() -> None:
    usage = {"kind": ONE}
    built = Subscription("d", DAY, None, plan(), (), usage)
    usage["kind"] = Decimal(9)
    assert built.usage == {"kind": ONE}


def _two_deployments(price: object, other_price: object) -> dict[str, Any]:
    """A request of two deployments on plans that are alike but for the price."""
    request = pilot()
    (first,) = request["subscriptions"]
    second = deepcopy(first) | {"deployment_id": "second"}
    first["plan"]["price"], second["plan"]["price"] = price, other_price
    return request | {"subscriptions": [first, second]}


def test_a_plan_of_several_deployments_is_read_once() -> None:
    first, second = parse_request(_two_deployments("50.00", "50.00")).subscriptions
    assert first.plan is second.plan


@pytest.mark.parametrize(("alike", "shown"), [(True, "a boolean"), (1.0, "a float")])
def test_a_plan_that_python_takes_for_an_equal_one_is_read_itself(
    alike: object, shown: str
) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_request(_two_deployments(1, alike))
    place = "subscriptions[1].plan.price"
    assert error.value.faults == (f"{place}: must be a decimal string, not {shown}",)


def test_a_faulty_plan_of_several_deployments_is_refused_at_each() -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_request(_two_deployments("-1", "-1"))
    assert error.value.faults == tuple(
        f"subscriptions[{n}].plan.price: must not be negative" for n in (0, 1)
    )


def test_a_plan_that_json_could_not_hold_is_read_all_the_same() -> None:
    with pytest.raises(InvalidRequest) as error:
        parse_request(_two_deployments("1", Decimal(1)))
    place = "subscriptions[1].plan.price"
    assert error.value.faults == (f"{place}: must be a decimal string, not Decimal",)
