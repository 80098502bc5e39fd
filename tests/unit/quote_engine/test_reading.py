"""A sound request is read without its reader's checks: the constructors have to miss nothing."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from quote_engine import InvalidRequest, parse_request
from tests.unit.quote_engine.support import pilot

BOUNDS = {"minimum": "1", "maximum": "2", "name": "Hours"}
TIERS = [
    {"up_to": "10", "unit_price": "2", "flat_fee": "1"},
    {"up_to": None, "unit_price": "1", "flat_fee": "0"},
]
GB = {"unit": "GB", "included": "1"}
PACKAGES = {"package_size": "10", "package_price": "1"}
DATES = {"starts_on": "2026-04-02", "ends_on": "2026-04-03"}
LATE = {"description": "late", "deployment_id": "pilot", "resource_kind": "gpu", "tax": "gst"}
TEXTS = ("code", "name", "unit", "resource_kind", "description", "deployment_id")


def with_every_field() -> dict[str, Any]:
    """The pilot's request, with all the texts and figures that a request can have."""
    data = pilot()
    (first,) = data["subscriptions"]
    first["ends_on"] = "2026-04-30"
    first["discounts"] = [{"percent": "10"}, {"amount": "5"}]
    first["minimum_commitment"] = "1"
    first["addons"][0] |= {"name": "Storage", **DATES}
    rates = first["plan"]["rates"]
    rates[0] |= BOUNDS | {"convert": {"divide_by": "10"}}
    rates.append(GB | {"resource_kind": "a", "model": "graduated", "tiers": deepcopy(TIERS)})
    rates.append(GB | {"resource_kind": "b", "model": "volume", "tiers": deepcopy(TIERS)})
    rates.append(GB | PACKAGES | {"resource_kind": "c", "model": "package"})
    rates.append(
        {"resource_kind": "d", "unit": "GB", "model": "per_unit", "unit_price": "1", "included": 1}
        | {"convert": {"multiply_by": "2"}}
    )
    return data | {"adjustments": [LATE | {"amount_cents": 1}]}


def leaves(value: Any, *way: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yields the way to everything in a document that is no object and no list."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for step, item in items:
            yield from leaves(item, *way, step)
    else:
        yield way


def written(way: tuple[str | int, ...]) -> str:
    """`subscriptions[0].plan.price`, as faults name it."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in way]
    return "".join(steps).removeprefix(".")


def changed(way: tuple[str | int, ...], value: object) -> dict[str, Any]:
    data = with_every_field()
    parent: Any = data
    for step in way[:-1]:
        parent = parent[step]
    parent[way[-1]] = value
    return data


def refusal(data: object) -> tuple[str, ...]:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(data)
    return refused.value.faults


def test_the_request_with_every_field_is_sound() -> None:
    assert len(parse_request(with_every_field()).subscriptions[0].plan.rates) == 5


@pytest.mark.parametrize("way", list(leaves(with_every_field())), ids=written)
def test_every_field_is_refused_by_its_path(way: tuple[str | int, ...]) -> None:
    """A blank is no text; -1 is no figure, no day and no choice, and as text no whole number."""
    wrong: object = " " if way[-1] in TEXTS else "-1"
    (fault,) = refusal(changed(way, wrong))
    assert fault.startswith(f"{written(way)}: ")


@pytest.mark.parametrize(
    "way", [way for way in leaves(with_every_field()) if way[-1] in TEXTS], ids=written
)
def test_every_text_is_refused_alike(way: tuple[str | int, ...]) -> None:
    most = 400 if way[-1] == "description" else 200
    for text, fault in (
        ("", "must not be empty"),
        ("x" * (most + 1), f"must have at most {most} characters"),
        ("a\nb", "must be printable text on one line"),
    ):
        assert refusal(changed(way, text)) == (f"{written(way)}: {fault}",)


def test_a_kind_of_usage_is_a_text_too() -> None:
    faults = refusal(changed(("subscriptions", 0, "usage", " "), "1"))
    assert faults == ("subscriptions[0].usage. : must not be empty",)


def test_two_faults_of_one_object_are_both_named_though_each_alone_would_do() -> None:
    data = with_every_field()
    addon = data["subscriptions"][0]["addons"][0]
    addon |= {"code": " ", "price": "-1", "quantity": 0, "colour": "red"}
    at = "subscriptions[0].addons[0]"
    assert refusal(data) == (
        f"{at}.code: must not be empty",
        f"{at}.price: must not be negative",
        f"{at}.quantity: must be from 1 to 1000000000",
        f"{at}.colour: unknown field",
    )


def test_a_fault_that_only_a_constructor_sees_stands_beside_those_of_the_reader() -> None:
    data = with_every_field()
    data["subscriptions"][0]["addons"][0]["ends_on"] = "2026-04-01"
    data["currency"] = "JPY"
    first, second = refusal(data)
    assert first.startswith("currency: JPY cannot be billed")
    assert second == "subscriptions[0].addons[0].ends_on: must not be before starts_on"
