"""The fingerprint: the same for the same inputs, another for any other."""

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
    assert of(pilot()) == "bdae4d578273336fe3716fc23831baddd629a014584af6e36e9c15b1be5d3205"


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
        ((*STUDIO, "code"), "other"),
        ((*STUDIO, "name"), "Other"),
        ((*STUDIO, "price"), "50.01"),
        ((*STUDIO, "proration"), "none"),
        ((*RATE, "unit"), "hours"),
        ((*RATE, "included"), "1487"),
        ((*RATE, "unit_price"), "0.02"),
        ((*ADDON, "code"), "other"),
        ((*ADDON, "name"), "Other"),
        ((*ADDON, "price"), "7.51"),
        ((*ADDON, "quantity"), 2),
    ],
)
def test_any_other_input_leaves_its_mark(path: tuple[str | int, ...], value: object) -> None:
    assert changed(path, value) != of(pilot())


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
