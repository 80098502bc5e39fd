"""Subscriptions as callers send them: which versions are meant, which fields are refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.accounts.account import InvalidAccount, Segment
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.form_fields import InvalidForm, read_form
from invoicing.accounts.subscription_form import (
    ChangeForm,
    DeploymentForm,
    EndForm,
    Pins,
    SegmentForm,
)
from quote_engine import Discount

NEWEST = {
    ("plan", "studio"): 4,
    ("plan", "growth"): 2,
    ("addon", "storage"): 3,
    ("addon", "ip"): 1,
}
PINS = Pins(lambda kind, code: NEWEST[kind, code])
RUNNING = Segment(
    "acme", "web", date(2026, 1, 10), None, "studio", 1, (AddonChoice("storage", 2, 5),)
)
SEGMENT: dict[str, Any] = {"starts_on": "2026-01-10", "plan": "studio"}


def segment(*stored: Segment, **fields: Any) -> Segment:
    form = SegmentForm.model_validate(SEGMENT | fields)
    return PINS.segment(form, "acme", "web", stored)


def changed(**fields: Any) -> Segment:
    return PINS.changed(ChangeForm.model_validate({"from": "2026-04-16"} | fields), RUNNING)


def test_what_is_new_gets_the_newest_versions() -> None:
    new = segment(addons=[{"code": "storage"}, {"code": "ip", "quantity": 2}])
    assert new.plan_version == 4
    assert new.addons == (AddonChoice("ip", 1, 2), AddonChoice("storage", 3, 1))


def test_what_is_there_stays_on_its_versions() -> None:
    same_plan = segment(RUNNING, addons=[{"code": "storage"}, {"code": "ip"}])
    assert same_plan.plan_version == 1
    assert same_plan.addons == (AddonChoice("ip", 1, 1), AddonChoice("storage", 2, 1))
    assert segment(RUNNING, plan="growth").plan_version == 2


def test_a_version_that_is_named_is_taken() -> None:
    pinned = segment(RUNNING, plan_version=3, addons=[{"code": "storage", "version": 1}])
    assert (pinned.plan_version, pinned.addons) == (3, (AddonChoice("storage", 1, 1),))


def test_a_change_keeps_what_it_does_not_name() -> None:
    discounted = replace(
        RUNNING, discounts=(Discount(Decimal(10)),), minimum_commitment=Decimal(9)
    )
    form = ChangeForm.model_validate({"from": "2026-04-16", "plan": "growth"})
    assert PINS.changed(form, discounted) == replace(
        discounted, plan_code="growth", plan_version=2
    )
    form = ChangeForm.model_validate(
        {"from": "2026-04-16", "discounts": [], "minimum_commitment": None, "addons": []}
    )
    assert PINS.changed(form, discounted) == replace(RUNNING, addons=())


def test_a_subscription_moves_to_another_version_only_when_it_is_named() -> None:
    assert changed() == changed(plan="studio") == changed(plan_version=None) == RUNNING
    assert changed(plan_version=4).plan_version == 4


DATED = Segment(
    "acme",
    "web",
    date(2026, 1, 10),
    None,
    "studio",
    1,
    (
        AddonChoice("storage", 1, 5, ends_on=date(2026, 3, 31)),
        AddonChoice("storage", 2, 5, starts_on=date(2026, 4, 16)),
    ),
)


@pytest.mark.parametrize(
    ("starts_on", "version"),
    [
        (None, 1),
        ("2026-03-31", 1),
        # The first day was moved: the nearest one by its own first day.
        ("2026-04-01", 2),
        ("2026-04-16", 2),
        ("2026-07-01", 2),
    ],
)
def test_each_entry_stays_on_its_version(starts_on: str | None, version: int) -> None:
    [entry] = segment(DATED, addons=[{"code": "storage", "starts_on": starts_on}]).addons
    assert entry.version == version


def test_an_entry_keeps_its_version_when_two_segments_become_one() -> None:
    earlier = replace(RUNNING, ends_on=date(2026, 4, 15))
    later = replace(RUNNING, starts_on=date(2026, 4, 16), addons=(AddonChoice("storage", 1),))
    both = segment(
        earlier,
        later,
        addons=[
            {"code": "storage", "ends_on": "2026-04-15"},
            {"code": "storage", "starts_on": "2026-04-16"},
        ],
    )
    assert [entry.version for entry in both.addons] == [2, 1]


def test_an_addon_that_comes_back_after_an_end_gets_the_newest_version() -> None:
    def from_day(day: str) -> Segment:
        form = ChangeForm.model_validate({"from": day, "addons": [{"code": "storage"}]})
        return PINS.changed(form, ended.between(date.fromisoformat(day), None))

    ended = replace(RUNNING, addons=(AddonChoice("storage", 2, 5, ends_on=date(2026, 3, 31)),))
    assert from_day("2026-04-16").addons == (AddonChoice("storage", 3),)
    assert from_day("2026-03-31").addons == (AddonChoice("storage", 2),)


def test_terms_are_exact() -> None:
    exact = segment(discounts=[{"percent": "12.5"}, {"amount": 5}], minimum_commitment="100.10")
    assert exact.discounts == (Discount(percent=Decimal("12.5")), Discount(amount=Decimal(5)))
    assert exact.minimum_commitment == Decimal("100.10")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"starts_on": ...}, "starts_on"),
        ({"starts_on": None}, "starts_on"),
        ({"starts_on": 20260110}, "starts_on"),
        ({"starts_on": 1767225600}, "starts_on"),
        ({"starts_on": "2026-01-10T00:00:00Z"}, "starts_on"),
        ({"starts_on": "2026-02-30"}, "starts_on"),
        ({"starts_on": "20260110"}, "starts_on"),
        ({"starts_on": "٢026-01-10"}, "starts_on"),
        ({"starts_on": "0000-01-01"}, "starts_on"),
        ({"ends_on": "soon"}, "ends_on"),
        ({"plan": ...}, "plan"),
        ({"plan": ""}, "plan"),
        ({"plan": None}, "plan"),
        ({"plan": "\ud800"}, "plan"),
        ({"plan": "x" * 201}, "plan"),
        ({"plan_version": 0}, "plan_version"),
        ({"plan_version": 10_000}, "plan_version"),
        ({"plan_version": "1"}, "plan_version"),
        ({"plan_version": 1.0}, "plan_version"),
        ({"plan_version": True}, "plan_version"),
        ({"addons": {"storage": 1}}, "addons"),
        ({"addons": [{"code": "ip"}] * 201}, "addons"),
        ({"addons": [{"code": "ip", "starts_on": "soon"}]}, "addons.0.starts_on"),
        ({"addons": [{"code": "ip", "ends_on": 20260430}]}, "addons.0.ends_on"),
        ({"addons": [{"code": "ip", "quantity": 0}]}, "addons.0.quantity"),
        ({"addons": [{"code": "ip", "quantity": 1.5}]}, "addons.0.quantity"),
        ({"addons": [{"code": "ip", "quantity": 1_000_000_001}]}, "addons.0.quantity"),
        ({"addons": [{"code": "ip", "quantity": 10**4000}]}, "addons.0.quantity"),
        ({"addons": [{"code": "ip", "price": "0"}]}, "addons.0.price"),
        ({"addons": [{}]}, "addons.0.code"),
        ({"discounts": {"percent": "10"}}, "discounts"),
        ({"discounts": [{"percent": 12.5}]}, "discounts.0"),
        ({"discounts": [{"percent": "101"}]}, "discounts.0"),
        ({"discounts": [{"percent": "-1"}]}, "discounts.0"),
        ({"discounts": [{"percent": "1", "amount": "1"}]}, "discounts.0"),
        ({"discounts": [{}]}, "discounts.0"),
        ({"discounts": [{"amount": "1"}] * 21}, "discounts"),
        ({"minimum_commitment": 100.5}, "minimum_commitment"),
        ({"minimum_commitment": "-1"}, "minimum_commitment"),
        ({"minimum_commitment": -1}, "minimum_commitment"),
        ({"minimum_commitment": "1e3"}, "minimum_commitment"),
        ({"minimum_commitment": "1.0000000000001"}, "minimum_commitment"),
        ({"minimum_commitment": 10**12}, "minimum_commitment"),
        ({"minimum_commitment": "\u0661"}, "minimum_commitment"),
        ({"minimum_commitment": True}, "minimum_commitment"),
        ({"price": "1"}, "price"),
    ],
)
def test_a_faulty_field_of_a_segment_is_named(fields: dict[str, Any], field: str) -> None:
    body = {name: value for name, value in (SEGMENT | fields).items() if value is not ...}
    with pytest.raises(InvalidForm) as refused:
        read_form(DeploymentForm, {"segments": [SEGMENT, body]}, {"tenant_id": "acme"})
    assert list(refused.value.reasons) == [f"segments.1.{field}"]


MOST_MONEY = "999999999999.999999999999"


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": "x" * 200},
        {"plan_version": 1},
        {"plan_version": 9999},
        {"addons": [{"code": "ip"}] * 200},
        {"addons": [{"code": "x" * 200, "version": 9999}]},
        {"addons": [{"code": "ip", "quantity": 1}]},
        {"addons": [{"code": "ip", "quantity": 1_000_000_000}]},
        {"discounts": [{"amount": "1"}] * 20},
        {"discounts": [{"percent": "100"}, {"amount": MOST_MONEY}]},
        {"minimum_commitment": MOST_MONEY},
        {"minimum_commitment": 999_999_999_999},
        {"minimum_commitment": "0.000000000001"},
    ],
)
def test_a_segment_takes_what_each_bound_says(fields: dict[str, Any]) -> None:
    body = {"segments": [SEGMENT | fields] * 200}
    assert len(read_form(DeploymentForm, body, {}).segments) == 200


@pytest.mark.parametrize("deployment_id", ["x" * 64, "x" * 65])
def test_a_deployments_id_has_up_to_64_characters(deployment_id: str) -> None:
    form = SegmentForm.model_validate(SEGMENT)
    if len(deployment_id) == 64:
        assert PINS.segment(form, "acme", deployment_id, ()).deployment_id == deployment_id
        return
    with pytest.raises(InvalidAccount, match=r"^deployment_id: "):
        PINS.segment(form, "acme", deployment_id, ())


@pytest.mark.parametrize(
    ("model", "body", "field"),
    [
        (DeploymentForm, {}, "segments"),
        (DeploymentForm, {"segments": None}, "segments"),
        (DeploymentForm, {"segments": [SEGMENT] * 201}, "segments"),
        (DeploymentForm, {"segments": [], "tenant_id": "pilot"}, "tenant_id"),
        (DeploymentForm, {"segments": [], "version": 1}, "version"),
        (ChangeForm, {}, "from"),
        (ChangeForm, {"from": "2026-04"}, "from"),
        (ChangeForm, {"first_day": "2026-04-01", "from": "2026-04-01"}, "first_day"),
        (ChangeForm, {"from": "2026-04-01", "plan": None}, "plan"),
        (ChangeForm, {"from": "2026-04-01", "addons": None}, "addons"),
        (ChangeForm, {"from": "2026-04-01", "discounts": None}, "discounts"),
        (ChangeForm, {"from": "2026-04-01", "ends_on": "2026-05-01"}, "ends_on"),
        (EndForm, {}, "ends_on"),
        (EndForm, {"ends_on": None}, "ends_on"),
    ],
)
def test_a_faulty_field_is_named(model: Any, body: Any, field: str) -> None:
    with pytest.raises(InvalidForm) as refused:
        read_form(model, body, {"tenant_id": "acme"})
    assert list(refused.value.reasons) == [field]


def test_days_are_in_order() -> None:
    assert segment(ends_on="2026-01-10").ends_on == date(2026, 1, 10)
    with pytest.raises(InvalidAccount, match="ends_on: must not be before starts_on"):
        segment(ends_on="2026-01-09")
