"""A plan or add-on that cannot price is refused, and the faulty place is named."""

from copy import deepcopy
from typing import Any

import pytest

from invoicing.accounts.catalogue_form import read_addon, read_plan
from invoicing.accounts.form_fields import InvalidForm, read_priced
from tests.account_bodies import PLAN


def refused(read: Any, body: Any) -> list[str]:
    """Returns the places that are named as faulty."""
    with pytest.raises(InvalidForm) as invalid:
        read_priced(read, body, "kiln")
    return list(invalid.value.reasons)


def broken(path: str, value: Any) -> dict[str, Any]:
    """Returns the plan with another value at a path like `rates.0.tiers`; `...` removes it."""
    plan: Any = deepcopy(PLAN)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner = plan
    for step in parents:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return dict(plan)


TIERS = "rates.0.tiers"
PER_UNIT = {"resource_kind": "a", "unit": "u", "model": "per_unit", "unit_price": "1"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (broken("price", 30.5), ["price"]),
        (broken("price", "-1"), ["price"]),
        (broken("price", "1e3"), ["price"]),
        (broken("price", "NaN"), ["price"]),
        (broken("price", 10**40), ["price"]),
        (broken("price", ...), ["price"]),
        (broken("colour", "red"), ["colour"]),
        (broken("name", "two\nlines"), ["name"]),
        (broken("name", "\x00"), ["name"]),
        (broken("name", "\ud800"), ["name"]),
        (broken("name", "x" * 201), ["name"]),
        (broken("proration", "hourly"), ["proration"]),
        (broken("rates.0.model", "per_unit"), ["rates[0].unit_price", "rates[0].tiers"]),
        (broken("rates.0.convert", {"divide_by": "0"}), ["rates[0].convert.divide_by"]),
        (broken(f"{TIERS}.1.up_to", "20"), ["rates[0].tiers"]),
        (broken(f"{TIERS}.1.up_to", "5"), ["rates[0].tiers"]),
        (broken(f"{TIERS}.0.up_to", None), ["rates[0].tiers"]),
        (broken(f"{TIERS}.0.unit_price", -1), ["rates[0].tiers[0].unit_price"]),
        (broken(f"{TIERS}.0.from", "0"), ["rates[0].tiers[0].from"]),
        (broken(TIERS, []), ["rates[0].tiers"]),
        (broken(TIERS, [{}] * 51), ["rates[0].tiers"]),
        (broken("rates", [{}] * 51), ["rates"]),
        (broken("rates", [PER_UNIT, PER_UNIT]), ["rates"]),
        (broken("code", "other"), ["code"]),
        (broken("code", None), ["code"]),
        (broken("version", 2), ["version"]),
        ([], ["body"]),
        (None, ["body"]),
    ],
)
def test_a_plan_that_cannot_price_is_refused_by_place(body: Any, fields: list[str]) -> None:
    assert [field.split(" ")[0] for field in refused(read_plan, body)] == fields


def test_every_faulty_place_is_named_at_once() -> None:
    body = broken("price", 1.5) | {"colour": "red", "proration": "hourly"}
    assert refused(read_plan, body) == ["price", "proration", "colour"]


TOO_MANY = "convert.multiply_by: must be at most 100000000"
TOO_FEW = "convert.divide_by: must be at least 0.00000001"
TOO_DEAR = "package_price: must be less than 1000000000000 for each unit"


def packages(size: str, price: str) -> dict[str, str]:
    return {"model": "package", "package_size": size, "package_price": price}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"convert": {"multiply_by": "100000000"}}, None),
        ({"convert": {"multiply_by": 100000000}}, None),
        ({"convert": {"multiply_by": "100000000.000000000001"}}, TOO_MANY),
        ({"convert": {"multiply_by": "99999999999999999999"}}, TOO_MANY),
        ({"convert": {"divide_by": "0.00000001"}}, None),
        ({"convert": {"divide_by": "0.000000009999"}}, TOO_FEW),
        ({"convert": {"divide_by": "0.000000000001", "rounding": "ceiling"}}, TOO_FEW),
        ({"convert": {"divide_by": "99999999999999999999"}}, None),
        (packages("0.000000000001", "0.999999999999"), None),
        (packages("0.000000000001", "1"), TOO_DEAR),
        (packages("0.5", "499999999999.999999999999"), None),
        (packages("0.5", "500000000000"), TOO_DEAR),
        (packages("1", "999999999999.999999999999"), None),
        (packages("99999999999999999999.999999999999", "999999999999.999999999999"), None),
    ],
)
def test_a_rate_whose_month_no_invoice_could_hold_is_refused_by_name(
    fields: dict[str, Any], fault: str | None
) -> None:
    plain = {"resource_kind": "z", "unit": "u", "model": "per_unit", "unit_price": "1"}
    rate = {"resource_kind": "b", "unit": "u"}
    rate |= fields if "model" in fields else {"model": "per_unit", "unit_price": "1"} | fields
    # Named by its place in what was sent, which is not the order of kinds.
    body = PLAN | {"rates": [plain, rate, PER_UNIT]}
    if fault is None:
        assert len(read_priced(read_plan, body, "kiln").rates) == 3
        return
    with pytest.raises(InvalidForm) as invalid:
        read_priced(read_plan, body, "kiln")
    place, _, reason = fault.partition(": ")
    assert invalid.value.reasons == {f"rates[1].{place}": reason}


def test_every_rate_that_costs_too_much_is_named_at_once() -> None:
    rates = [
        PER_UNIT | {"resource_kind": kind, "convert": {by: factor}}
        for kind, by, factor in (
            ("b", "multiply_by", "100000001"),
            ("a", "divide_by", "0.000000001"),
        )
    ]
    named = {"rates[0].convert.multiply_by", "rates[1].convert.divide_by"}
    assert set(refused(read_plan, PLAN | {"rates": rates})) == named


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": 7.5}, "price"),
        ({"price": "-7.50"}, "price"),
        ({"price": "7.50", "quantity": 2}, "quantity"),
        ({"price": "7.50", "starts_on": "2026-04-16"}, "starts_on"),
        ({"price": "7.50", "ends_on": None}, "ends_on"),
        ({"price": "7.50", "name": ""}, "name"),
        ({"name": "Storage"}, "price"),
        ({"price": "7.50", "version": 1}, "version"),
        ({"price": "7.50", "rates": []}, "rates"),
    ],
)
def test_an_addon_that_cannot_price_is_refused_by_field(body: Any, field: str) -> None:
    assert refused(read_addon, body) == [field]


@pytest.mark.parametrize("code", ["k", "x" * 64])
def test_a_code_has_up_to_64_characters(code: str) -> None:
    assert read_priced(read_plan, PLAN, code).code == code
    assert read_priced(read_addon, {"price": "1"}, code).code == code


@pytest.mark.parametrize("code", ["", ".", "..", "-a", "a b", "a#b", "a/b", "é", "x" * 65])
def test_a_code_can_stand_in_a_path(code: str) -> None:
    for read, body in ((read_plan, PLAN), (read_addon, {"price": "1"})):
        with pytest.raises(InvalidForm) as invalid:
            read_priced(read, body, code)
        assert list(invalid.value.reasons) == ["code"]


def test_a_plan_too_large_to_store_is_refused() -> None:
    long = {"unit": "é" * 200, "model": "graduated"}
    tiers: list[dict[str, Any]] = [
        {"up_to": f"{n}.123456789012", "unit_price": "123456789012"} for n in range(1, 50)
    ]
    tiers.append({"up_to": None, "unit_price": "1"})
    rates = [long | {"resource_kind": f"{n}-{'é' * 190}", "tiers": tiers} for n in range(50)]
    with pytest.raises(InvalidForm, match="over 300,000"):
        read_priced(read_plan, PLAN | {"rates": rates}, "kiln")


def test_the_largest_usual_plan_is_taken() -> None:
    tiers: list[dict[str, Any]] = [{"up_to": str(n), "unit_price": "0.0125"} for n in range(1, 50)]
    tiers.append({"up_to": None, "unit_price": "0.01"})
    rate = PLAN["rates"][0] | {"tiers": tiers}
    rates = [rate | {"resource_kind": f"kind_{n}"} for n in range(50)]
    assert len(read_priced(read_plan, PLAN | {"rates": rates}, "kiln").rates) == 50
