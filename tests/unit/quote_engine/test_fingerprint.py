"""The fingerprint is the same for the same inputs, and another for any other inputs."""

import sys
from typing import Any

import pytest

from quote_engine import fingerprint, parse_request, price
from tests.unit.quote_engine.support import pilot

STUDIO = ("subscriptions", 0, "plan")
RATE = (*STUDIO, "rates", 0)
ADDON = ("subscriptions", 0, "addons", 0)


def changed(path: tuple[str | int, ...], value: object) -> str:
    data: Any = pilot()
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return of(data)


def of(data: dict[str, Any]) -> str:
    request = parse_request(data)
    return fingerprint(request, price(request))


def test_a_fingerprint_is_known_and_stays() -> None:
    assert of(pilot()) == "d8f735307d98519f7d6e70c4f912af80198fce0b5f681e7fafa8d6483c0d0c6b"


def test_a_fingerprint_of_two_deployments_is_known_and_stays() -> None:
    data = pilot()
    tiers = [
        {"up_to": "10", "unit_price": "0.3", "flat_fee": "2"},
        {"up_to": None, "unit_price": "0.2"},
    ]
    egress = {
        "resource_kind": "egress",
        "unit": "GB",
        "model": "graduated",
        "included": "7",
        "tiers": tiers,
    }
    second = data["subscriptions"][0] | {
        "deployment_id": "second",
        "starts_on": "2026-04-13",
        "plan": data["subscriptions"][0]["plan"] | {"rates": [egress], "price": "99.99"},
        "usage": {"egress": "31.5", "gpu": "3"},
    }
    data["subscriptions"].insert(0, second)
    assert of(data) == "2dd255db90d4b1486f8df1c00f6544192dbdbf295ff9e1b0c86ae91197dc7968"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*STUDIO, "price"), "50"),
        ((*STUDIO, "price"), "50.000"),
        ((*RATE, "unit_price"), "0.0100"),
        ((*RATE, "included"), "1488.0"),
        (("subscriptions", 0, "usage"), {"droplet_hours": 2160}),
        (("subscriptions", 0, "usage"), {"droplet_hours": "2160.00"}),
    ],
)
def test_trailing_zeros_leave_no_mark(path: tuple[str | int, ...], value: object) -> None:
    assert changed(path, value) == of(pilot())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("period",), {"start": "2026-05-01", "end": "2026-06-01"}),
        (("currency",), "NZD"),
        (("tax",), "gst_free"),
        (("subscriptions", 0, "deployment_id"), "other"),
        (("subscriptions", 0, "starts_on"), "2026-01-11"),
        (("subscriptions", 0, "ends_on"), "2026-06-30"),
        (("subscriptions", 0, "usage"), {"droplet_hours": "2160.1"}),
        (("subscriptions", 0, "usage"), {"droplet_hours": "2160", "gpu": "1"}),
        (("subscriptions", 0, "discounts"), [{"percent": "10"}]),
        (("subscriptions", 0, "discounts"), [{"amount": "0"}]),
        (("subscriptions", 0, "minimum_commitment"), "0"),
        ((*STUDIO, "code"), "other"),
        ((*STUDIO, "name"), "Other"),
        ((*STUDIO, "price"), "50.01"),
        ((*STUDIO, "proration"), "none"),
        ((*RATE, "unit"), "hours"),
        ((*RATE, "included"), "1487"),
        ((*RATE, "unit_price"), "0.02"),
        ((*RATE, "minimum"), "0"),
        ((*RATE, "maximum"), "100"),
        ((*RATE, "pool"), "tenant"),
        ((*RATE, "convert"), {"divide_by": "1"}),
        ((*RATE, "convert"), {"multiply_by": "1"}),
        ((*RATE, "convert"), {"divide_by": "1", "rounding": "floor"}),
        ((*ADDON, "code"), "other"),
        ((*ADDON, "name"), "Other"),
        ((*ADDON, "price"), "7.51"),
        ((*ADDON, "quantity"), 2),
    ],
)
def test_any_other_input_leaves_its_mark(path: tuple[str | int, ...], value: object) -> None:
    assert changed(path, value) != of(pilot())


@pytest.mark.parametrize(
    ("path", "nothing"),
    [
        ((*RATE, "minimum"), None),
        ((*RATE, "maximum"), None),
        ((*RATE, "convert"), None),
        ((*RATE, "pool"), None),
        (("subscriptions", 0, "discounts"), []),
        (("subscriptions", 0, "minimum_commitment"), None),
    ],
)
def test_terms_that_are_not_there_leave_no_mark(
    path: tuple[str | int, ...], nothing: object
) -> None:
    assert changed(path, nothing) == of(pilot())


def test_equal_plans_leave_one_mark_however_they_are_written() -> None:
    data = pilot()
    second = {**data["subscriptions"][0], "deployment_id": "second"}
    other = {**second, "plan": {**second["plan"], "price": "50"}}
    same, written = (
        {**data, "subscriptions": [*data["subscriptions"], s]} for s in (second, other)
    )
    assert of(same) == of(written)


def test_plans_that_differ_in_a_price_nobody_paid_leave_a_mark_each() -> None:
    data = pilot()
    first = data["subscriptions"][0] | {"usage": {}}
    dearer = first["plan"] | {"rates": [first["plan"]["rates"][0] | {"unit_price": "0.02"}]}
    second = first | {"deployment_id": "second"}
    pairs = [
        [first, second],
        [first, second | {"plan": dearer}],
        [first | {"plan": dearer}, second],
        [first | {"plan": dearer}, second | {"plan": dearer}],
    ]
    assert len({of(data | {"subscriptions": pair}) for pair in pairs}) == len(pairs)


def test_the_order_of_discounts_leaves_no_mark() -> None:
    where = ("subscriptions", 0, "discounts")
    discounts = [{"percent": "10"}, {"amount": "5"}, {"percent": "90"}, {"amount": "7.00"}]
    assert changed(where, discounts) == changed(where, discounts[::-1])


def test_the_version_of_the_rules_leaves_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(pilot())
    module = sys.modules["quote_engine.fingerprint"]
    monkeypatch.setattr(module, "RULES_VERSION", "next")
    assert of(pilot()) != before


def test_the_lines_leave_their_mark() -> None:
    request = parse_request(pilot())
    quote = price(request)
    assert fingerprint(request, quote._replace(lines=quote.lines[1:])) != fingerprint(
        request, quote
    )


LATE = {"description": "Adjustment for 2026-03: kind (5 used, 3 invoiced)", "amount_cents": 200}


def test_the_treatment_of_each_adjustment_leaves_its_mark() -> None:
    taxes = [("gst", "gst"), ("gst", "gst_free"), ("gst_free", "gst"), ("gst_free", "gst_free")]
    twice = LATE, LATE | {"description": "Adjustment for 2026-02: kind (5 used, 3 invoiced)"}
    requests = [
        pilot()
        | {"adjustments": [one | {"tax": tax} for one, tax in zip(twice, two, strict=True)]}
        for two in taxes
    ]
    # The second and the third have the same lines, and tax the same part of them.
    assert price(parse_request(requests[1])) == price(parse_request(requests[2]))
    assert len({of(request) for request in requests}) == len(taxes)


@pytest.mark.parametrize("own", ["gst", "gst_free"])
def test_the_order_of_adjustments_leaves_no_mark_nor_whether_the_own_treatment_is_named(
    own: str,
) -> None:
    others = [LATE | {"tax": "gst_free"}, LATE | {"tax": "gst"}]
    unnamed = [LATE if late["tax"] == own else late for late in others]
    data = pilot() | {"tax": own}
    assert {
        of(data | {"adjustments": adjustments})
        for adjustments in (others, others[::-1], unnamed, unnamed[::-1])
    } == {of(data | {"adjustments": others})}
