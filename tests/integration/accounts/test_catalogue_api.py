"""Plans and add-ons over HTTP: a change is a new version, and what cannot price is refused."""

import json
from typing import Any

import pytest

from invoicing.accounts.account import AddonPrice
from invoicing.accounts.catalogue_table import ADDONS, MOST_VERSIONS, PLANS, PriceVersions
from tests.account_bodies import PLAN
from tests.integration.accounts.accounts_api import Caller
from tests.integration.conftest import Stack
from tests.integration.month_end.test_storage_faults import Call, faults

ADMIN, TENANT, NOBODY = Caller(), Caller("tenant:pilot"), Caller(None)


def test_a_plan_is_created_kept_and_changed_as_a_new_version(stack: Stack) -> None:
    first = ADMIN.put_price("plans", "kiln", PLAN)
    assert (first.status, first.etag, first.body["version"]) == (201, '"1"', 1)
    # Numbers come back in their canonical form.
    tiers = first.body["rates"][0]["tiers"]
    assert tiers[1] == {"up_to": None, "unit_price": "0.50", "flat_fee": "0.00"}

    same = ADMIN.put_price("plans", "kiln", PLAN | {"price": 30})
    assert (same.status, same.etag, same.body) == (200, '"1"', first.body)

    dearer = PLAN | {"price": "33.00"}
    second = ADMIN.put_price("plans", "kiln", dearer, if_match='"1"')
    assert (second.status, second.etag, second.body["price"]) == (201, '"2"', "33.00")
    assert ADMIN.get_price("plans", "kiln").body == second.body
    assert ADMIN.get_price("plans", "kiln", version="1").body == first.body
    assert ADMIN.get_price("plans", "kiln", version="3").status == 404


def test_a_retry_after_a_lost_reply_is_answered_as_its_first_try(stack: Stack) -> None:
    ADMIN.put_price("plans", "kiln", PLAN)
    dearer = PLAN | {"price": "33.00"}
    answers = [ADMIN.put_price("plans", "kiln", dearer, if_match='"1"') for _ in range(3)]
    assert [(reply.status, reply.etag) for reply in answers] == [(201, '"2"')] + [(200, '"2"')] * 2
    assert len({json.dumps(reply.body) for reply in answers}) == 1


def test_a_late_copy_of_an_old_request_brings_no_old_price_back(stack: Stack) -> None:
    ADMIN.put_price("plans", "kiln", PLAN)
    ADMIN.put_price("plans", "kiln", PLAN | {"price": "33.00"}, if_match='"1"')
    late = ADMIN.put_price("plans", "kiln", PLAN)
    assert late.status == 428
    assert ADMIN.get_price("plans", "kiln").body["price"] == "33.00"


def test_a_change_names_the_version_that_it_changes(stack: Stack) -> None:
    ADMIN.put_price("addons", "backup", {"price": "12.00"})
    dearer = {"price": "13.00"}
    assert ADMIN.put_price("addons", "backup", dearer).status == 428
    assert ADMIN.put_price("addons", "backup", dearer, if_match='"2"').status == 412
    assert ADMIN.put_price("addons", "backup", dearer, if_match="2").fields == ["If-Match"]
    assert ADMIN.put_price("addons", "backup", dearer, If_None_Match="*").status == 412
    assert ADMIN.get_price("addons", "backup").body["price"] == "12.00"
    assert ADMIN.put_price("addons", "backup", dearer, if_match='"7", "1"').status == 201


def test_what_is_not_there_is_created_without_a_word_and_not_with_a_version(stack: Stack) -> None:
    assert ADMIN.put_price("addons", "a", {"price": 1}, if_match='"1"').status == 412
    assert ADMIN.put_price("addons", "a", {"price": 1}, if_match="*").status == 412
    assert ADMIN.put_price("addons", "a", {"price": 1}, If_None_Match="*").status == 201
    assert ADMIN.put_price("addons", "a", {"price": 1}, If_None_Match="*").status == 200


def test_what_cannot_price_is_refused_by_place(stack: Stack) -> None:
    before = stack.raw_items("accounts")
    gap = PLAN["rates"][0] | {"tiers": [{"up_to": "10", "unit_price": "-1"}]}
    for body, fields in (
        (PLAN | {"price": 30.5, "colour": "red"}, ["price", "colour"]),
        (PLAN | {"rates": [gap]}, ["rates[0].tiers[0].unit_price"]),
        ([], ["body"]),
        ("{", ["body"]),
        ("[" * 100_000, ["body"]),
        ('{"price": ' + "9" * 5000 + "}", ["body"]),
    ):
        answer = ADMIN.put_price("plans", "kiln", body)
        assert (answer.status, answer.fields) == (400, fields)
    assert ADMIN.put_price("addons", "kiln", {"price": 7.5}).fields == ["price"]
    assert stack.raw_items("accounts") == before


def test_of_a_million_faults_the_first_are_told(stack: Stack) -> None:
    plan = PLAN | {f"{n}-{'x' * 5000}": 1 for n in range(1500)}
    answer = ADMIN.put_price("plans", "kiln", plan)
    assert (answer.status, len(answer.fields)) == (400, 100)
    assert answer.body["detail"].endswith("; and 1400 more")
    assert len(json.dumps(answer.body)) < 200_000


@pytest.mark.parametrize("code", ["a b", "a#b", "x" * 65])
def test_a_code_that_cannot_be_is_refused_or_not_there(stack: Stack, code: str) -> None:
    assert ADMIN.put_price("plans", code, PLAN).fields == ["code"]
    assert ADMIN.get_price("plans", code).status == 404
    assert ADMIN.get_price("addons", code).status == 404


def test_the_versions_of_a_code_end(stack: Stack) -> None:
    PriceVersions(stack.accounts.name, PLANS).put(stack.accounts.plan("studio", 1), MOST_VERSIONS)
    answer = ADMIN.put_price("plans", "studio", PLAN, if_match=f'"{MOST_VERSIONS}"')
    assert (answer.status, "9999 versions" in answer.body["detail"]) == (409, True)


def test_everybody_signed_in_reads_and_an_admin_alone_writes(stack: Stack) -> None:
    for caller in (TENANT, NOBODY, Caller("metering")):
        assert caller.get_price("plans", "studio").status == 200
        assert caller.list("/addons").status == 200
        assert caller.put_price("plans", "studio", PLAN).status == 403
        assert caller.put_price("addons", "new", {"price": "1"}).status == 403
    assert NOBODY.get_price("plans", "nothing").status == 404
    assert NOBODY.get_price("plans", "studio", version="0").fields == ["version"]
    assert NOBODY.get_price("plans", "studio", colour="red").fields == ["colour"]


def test_lists_show_the_newest_versions_page_by_page(stack: Stack) -> None:
    for code in ("zinc", "amber", "Brick"):
        ADMIN.put_price("plans", code, PLAN)
    ADMIN.put_price("plans", "amber", PLAN | {"price": "31.00"}, if_match='"1"')
    whole = ADMIN.list("/plans").body
    assert [(plan["code"], plan["version"]) for plan in whole["plans"]] == [
        ("Brick", 1),
        ("amber", 2),
        ("studio", 1),
        ("zinc", 1),
    ]
    assert whole["plans"][1] == {
        "code": "amber",
        "name": "Kiln",
        "price": "31.00",
        "proration": "daily",
        "version": 2,
    }
    assert whole["next_cursor"] is None
    pages: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = ADMIN.list("/plans", limit="1", **cursor).body
        pages += page["plans"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert pages == whole["plans"]
    assert ADMIN.list("/addons", **cursor).fields == ["cursor"]
    assert ADMIN.list("/plans", limit="101").fields == ["limit"]
    assert ADMIN.list("/addons").body["addons"] == [
        {"code": "storage_50gb", "name": None, "price": "7.50", "version": 1}
    ]


def test_when_another_adds_a_version_in_between_both_are_kept(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers at once can never make the same version: the second is checked again."""
    price = stack.accounts.addon("storage_50gb", 1).price
    others = iter((2, 3))

    def overtaken(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if operation == "PutItem" and "8.00" in arguments["Item"]["document"]["S"]:
            for version in others:
                PriceVersions(stack.accounts.name, ADDONS).put(
                    AddonPrice("storage_50gb", "Other", price), version
                )
                break
        return call()

    body = {"price": "8.00"}
    with faults(monkeypatch, overtaken):
        assert ADMIN.put_price("addons", "storage_50gb", body, if_match='"1"').status == 412
        answer = ADMIN.put_price("addons", "storage_50gb", body, if_match="*")
    assert (answer.status, answer.etag) == (201, '"4"')
    assert ADMIN.get_price("addons", "storage_50gb", version="3").body["name"] == "Other"
