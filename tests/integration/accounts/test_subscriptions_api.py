"""Subscriptions over HTTP: start, change, end; never two on one day, and no change is lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.account import AddonPrice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.foundation import back_off
from local.handlers import LambdaContext
from tests.account_bodies import PLAN, WATTLE
from tests.integration.accounts.accounts_api import DEPLOYMENT, SUBSCRIPTIONS, Answer, Caller
from tests.integration.conftest import APRIL, STUDIO, Stack
from tests.integration.month_end.test_rollup import batch
from tests.integration.month_end.test_storage_faults import Call, faults
from tests.integration.usage.test_usage import cancelled

ADMIN = Caller()
START: dict[str, Any] = {"starts_on": "2026-01-10", "plan": "studio"}
# As an answer shows it: its days are its segment's.
STORAGE: dict[str, Any] = {
    "code": "storage_50gb",
    "version": 1,
    "quantity": 1,
    "starts_on": None,
    "ends_on": None,
}


@pytest.fixture
def wattle(stack: Stack) -> Stack:
    """The stack with a tenant that has no deployment yet."""
    ADMIN.put_tenant("wattle", WATTLE)
    return stack


def days(answer: Answer) -> list[tuple[str, str | None, str]]:
    """Returns first day, last day and plan of each segment in an answer."""
    assert answer.status in (200, 201), answer.body
    segments = answer.body["segments"]
    return [(segment["starts_on"], segment["ends_on"], segment["plan"]) for segment in segments]


def test_a_subscription_starts_with_the_newest_prices(wattle: Stack) -> None:
    terms = {"discounts": [{"percent": "10"}], "minimum_commitment": "40.00"}
    started = ADMIN.put_segments(
        "wattle", "web", START | terms | {"addons": [{"code": "storage_50gb", "quantity": 2}]}
    )
    assert (started.status, started.etag) == (201, '"1"')
    segment = {
        "starts_on": "2026-01-10",
        "ends_on": None,
        "plan": "studio",
        "plan_version": 1,
        "addons": [STORAGE | {"quantity": 2}],
        "discounts": [{"percent": "10"}],
        "minimum_commitment": "40.00",
    }
    whole = {"tenant_id": "wattle", "deployment_id": "web", "segments": [segment]}
    assert started.body == whole
    assert ADMIN.get_segments("wattle", "web") == replace(started, status=200)
    assert wattle.accounts.owners(["web"]) == {"web": "wattle"}
    # Sent back unchanged, it changes nothing.
    names = {"tenant_id": "wattle", "deployment_id": "web"}
    sent_back = ADMIN.send("PUT", DEPLOYMENT, names, whole)
    assert (sent_back.status, sent_back.etag) == (200, '"1"')


def test_a_new_version_moves_nobody_until_it_is_named(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START | {"addons": [{"code": "storage_50gb"}]})
    PriceVersions(wattle.accounts.name, PLANS).put(replace(STUDIO, price=Decimal(60)), 2)
    PriceVersions(wattle.accounts.name, ADDONS).put(
        AddonPrice("storage_50gb", None, Decimal(9)), 2
    )
    # A retry of the start; then the segment is split without naming versions.
    again = ADMIN.put_segments("wattle", "web", START | {"addons": [{"code": "storage_50gb"}]})
    assert (again.status, again.etag) == (200, '"1"')
    split = ADMIN.put_segments(
        "wattle",
        "web",
        START | {"ends_on": "2026-03-31", "addons": [{"code": "storage_50gb"}]},
        START | {"starts_on": "2026-04-01", "addons": [{"code": "storage_50gb", "quantity": 3}]},
        if_match='"1"',
    )
    pinned = [
        (segment["plan_version"], segment["addons"][0]["version"])
        for segment in split.body["segments"]
    ]
    assert pinned == [(1, 1), (1, 1)]
    moved = ADMIN.change("wattle", "web", '"2"', from_="2026-05-01", plan_version=2)
    assert [segment["plan_version"] for segment in moved.body["segments"]] == [1, 1, 2]
    assert [segment["addons"][0]["version"] for segment in moved.body["segments"]] == [1, 1, 1]
    second = ADMIN.put_segments("wattle", "db", START).body["segments"]
    assert second[0]["plan_version"] == 2


def test_a_plan_is_changed_from_a_day_in_one_write(wattle: Stack) -> None:
    ADMIN.put_price("plans", "kiln", PLAN)
    ADMIN.put_segments("wattle", "web", START | {"addons": [{"code": "storage_50gb"}]})
    changed = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", plan="kiln")
    assert days(changed) == [
        ("2026-01-10", "2026-04-15", "studio"),
        ("2026-04-16", None, "kiln"),
    ]
    assert changed.etag == '"2"'
    # A retry after a lost reply, with the version of the first try.
    retry = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", plan="kiln")
    assert (retry.status, retry.etag, retry.body) == (200, '"2"', changed.body)
    stored = wattle.accounts.account("wattle").segments
    assert [(segment.starts_on.isoformat(), segment.plan_code) for segment in stored] == [
        ("2026-01-10", "studio"),
        ("2026-04-16", "kiln"),
    ]


def test_addons_are_added_and_dropped_from_a_day_within_their_segment(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START)
    storage = [{"code": "storage_50gb", "quantity": 2}]
    added = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", addons=storage)
    two = STORAGE | {"quantity": 2, "starts_on": "2026-04-16"}
    assert days(added) == [("2026-01-10", None, "studio")]
    assert added.body["segments"][0]["addons"] == [two]
    assert ADMIN.get_segments("wattle", "web") == added
    # A retry after a lost reply, with the version of the first try.
    retry = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", addons=storage)
    assert (retry.status, retry.etag, retry.body) == (200, '"2"', added.body)
    dropped = ADMIN.change("wattle", "web", '"2"', from_="2026-06-01", addons=[])
    assert dropped.body["segments"][0]["addons"] == [two | {"ends_on": "2026-05-31"}]
    # Sent back unchanged, it changes nothing.
    names = {"tenant_id": "wattle", "deployment_id": "web"}
    sent_back = ADMIN.send("PUT", DEPLOYMENT, names, dropped.body)
    assert (sent_back.status, sent_back.etag) == (200, '"3"')
    # On its own first day it is taken back, and an end drops what begins after it.
    undone = ADMIN.change("wattle", "web", '"3"', from_="2026-04-16", addons=[])
    assert undone.body["segments"][0]["addons"] == []
    ADMIN.change("wattle", "web", '"4"', from_="2026-07-01", addons=storage)
    ended = ADMIN.end("wattle", "web", "2026-06-30", '"5"')
    assert ended.body["segments"][0]["addons"] == []


def test_addons_go_on_over_a_change_of_other_terms(wattle: Stack) -> None:
    storage = {"code": "storage_50gb", "starts_on": "2026-02-01"}
    ADMIN.put_segments("wattle", "web", START | {"addons": [storage]})
    changed = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", minimum_commitment="40.00")
    assert [segment["addons"] for segment in changed.body["segments"]] == [
        [STORAGE | {"starts_on": "2026-02-01"}],
        [STORAGE],
    ]


def test_days_that_an_addon_cannot_have_are_named(wattle: Stack) -> None:
    year = START | {"ends_on": "2026-12-31"}
    for addons, field in (
        ([{"starts_on": "2026-01-09"}], "addons.0.starts_on"),
        ([{"ends_on": "2027-01-01"}], "addons.0.ends_on"),
        ([{"starts_on": "2026-02-02", "ends_on": "2026-02-01"}], "addons.0.ends_on"),
        ([{"starts_on": "soon"}], "addons.0.starts_on"),
        ([{}, {}], "addons.1"),
        ([{"starts_on": "2026-03-01"}, {"ends_on": "2026-03-01"}], "addons.0"),
        ([{}] * 201, "addons"),
    ):
        storage = [{"code": "storage_50gb"} | days_of_one for days_of_one in addons]
        answer = ADMIN.put_segments("wattle", "web", year | {"addons": storage})
        assert (answer.status, answer.fields) == (400, [f"segments.0.{field}"])
    ADMIN.put_segments("wattle", "web", year)
    early = [{"code": "storage_50gb", "starts_on": "2026-04-15"}]
    answer = ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", addons=early)
    assert (answer.status, answer.fields) == (400, ["addons.0.starts_on"])


def test_an_addon_in_mid_month_divides_no_allowance(wattle: Stack, rollup: ModuleType) -> None:
    ADMIN.put_segments("wattle", "web", START)
    storage = [{"code": "storage_50gb"}]
    ADMIN.change("wattle", "web", '"1"', from_="2026-04-16", addons=storage)
    for number in range(16, 31):
        hours = {"droplet_hours": Decimal(72)}
        wattle.usage.add("wattle", "web", date(2026, 4, number), hours)
    rollup.handler(batch("wattle"), LambdaContext())
    invoice = wattle.invoices.get("wattle", APRIL)
    # 1,080 hours of the 1,488 that are included; 15 of 30 days of 7.50 are 3.75.
    assert [(line.kind, line.amount_cents) for line in invoice.lines] == [
        ("plan_base", 5000),
        ("addon", 375),
        ("tax", 538),
    ]


def test_an_end_is_the_last_day_billed_and_takes_later_segments_with_it(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START)
    ADMIN.change("wattle", "web", '"1"', from_="2026-07-01", minimum_commitment="9.00")
    ended = ADMIN.end("wattle", "web", "2026-05-31", '"2"')
    assert (ended.etag, days(ended)) == ('"3"', [("2026-01-10", "2026-05-31", "studio")])
    retry = ADMIN.end("wattle", "web", "2026-05-31", '"2"')
    assert (retry.status, retry.etag) == (200, '"3"')
    assert len(wattle.accounts.account("wattle").segments) == 1


def test_all_segments_may_be_set_anew(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START)
    late = START | {"starts_on": "2026-02-10"}
    moved = ADMIN.put_segments("wattle", "web", late, if_match='"1"')
    assert days(moved) == [("2026-02-10", None, "studio")]
    none = ADMIN.put_segments("wattle", "web", if_match='"2"')
    assert (none.status, none.body["segments"], none.etag) == (200, [], '"3"')
    account = wattle.accounts.account("wattle")
    assert account.segments == ()
    assert account.unsubscribed == {"web"}
    assert ADMIN.get_segments("wattle", "web").body["segments"] == []
    assert ADMIN.list(SUBSCRIPTIONS, {"tenant_id": "wattle"}).body["subscriptions"] == []
    again = ADMIN.put_segments("wattle", "web", late, if_match='"3"')
    assert days(again) == [("2026-02-10", None, "studio")]
    assert wattle.accounts.account("wattle").unsubscribed == frozenset()


def test_a_version_is_named_for_every_real_change(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START)
    attempts: list[Callable[[str | None], Answer]] = [
        lambda tag: ADMIN.put_segments("wattle", "web", if_match=tag),
        lambda tag: ADMIN.change("wattle", "web", tag, from_="2026-04-01", discounts=[]),
        lambda tag: ADMIN.change(
            "wattle", "web", tag, from_="2026-04-01", minimum_commitment="9.00"
        ),
        lambda tag: ADMIN.end("wattle", "web", "2026-04-01", tag),
    ]
    assert [attempt(None).status for attempt in attempts] == [428, 200, 428, 428]
    assert [attempt('"2"').status for attempt in attempts] == [412, 200, 412, 412]
    assert days(ADMIN.get_segments("wattle", "web")) == [("2026-01-10", None, "studio")]


def test_what_is_not_there_is_named_and_nothing_is_written(wattle: Stack) -> None:
    before = wattle.raw_items("accounts")
    for segments, field in (
        ([START | {"plan": "loft"}], "segments.0.plan"),
        ([START | {"plan_version": 2}], "segments.0.plan"),
        ([START | {"addons": [{"code": "loft"}]}], "segments.0.addons"),
        ([START | {"addons": [{"code": "storage_50gb", "version": 9}]}], "segments.0.addons"),
        ([START, START], "segments.1.starts_on"),
        ([START | {"starts_on": "2026-03-01"}, START], "segments.0.starts_on"),
        ([START | {"ends_on": "2026-01-09"}], "segments.0.ends_on"),
        ([START | {"starts_on": "2026-02-30"}], "segments.0.starts_on"),
    ):
        answer = ADMIN.put_segments("wattle", "web", *segments)
        assert (answer.status, answer.fields) == (400, [field])
    unknown = ADMIN.put_segments("nobody", "web", START)
    assert (unknown.status, unknown.body["detail"]) == (404, "There is no such tenant.")
    for answer in (
        ADMIN.change("wattle", "web", from_="2026-04-01"),
        ADMIN.end("nobody", "web", "2026-04-01"),
        ADMIN.get_segments("wattle", "web"),
    ):
        assert (answer.status, answer.body["detail"]) == (404, "There is no such deployment.")
    assert wattle.raw_items("accounts") == before


def test_a_change_of_what_does_not_run_is_refused(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START | {"ends_on": "2026-05-31"})
    for answer, field in (
        (ADMIN.change("wattle", "web", '"1"', from_="2026-01-09"), "from"),
        (ADMIN.change("wattle", "web", '"1"', from_="2026-06-01"), "from"),
        (ADMIN.change("wattle", "web", '"1"', from_="2026-02-01", plan="loft"), "plan"),
        (ADMIN.change("wattle", "web", '"1"', from_="2026-02-01", plan_version=7), "plan"),
        (ADMIN.end("wattle", "web", "2026-06-01", '"1"'), "ends_on"),
        (ADMIN.end("wattle", "web", "0001-01-01", '"1"'), "ends_on"),
        (ADMIN.change("wattle", "web", '"1"', from_="9999-12-31"), "from"),
    ):
        assert (answer.status, answer.fields) == (400, [field])
    assert ADMIN.get_segments("wattle", "web").etag == '"1"'


def test_a_deployment_is_one_tenants_for_good(wattle: Stack) -> None:
    wattle.add_tenant("pilot", hours=None)
    ADMIN.put_segments("wattle", "web", START)
    for answer in (
        ADMIN.put_segments("pilot", "web", START),
        ADMIN.change("pilot", "web", from_="2026-04-01"),
        ADMIN.end("pilot", "web", "2026-04-01"),
    ):
        assert (answer.status, answer.fields) == (409, ["deployment_id"])
    assert ADMIN.get_segments("pilot", "web").status == 404


def test_a_tenant_reads_its_own_and_writes_nothing(wattle: Stack) -> None:
    wattle.add_tenant("pilot", hours=None)
    ADMIN.put_segments("wattle", "web", START)
    owner, pilot = Caller("tenant:wattle"), Caller("tenant:pilot")
    assert owner.get_segments("wattle", "web") == ADMIN.get_segments("wattle", "web")
    names = {"tenant_id": "wattle"}
    assert owner.list(SUBSCRIPTIONS, names) == ADMIN.list(SUBSCRIPTIONS, names)
    others = pilot.get_segments("wattle", "web")
    assert others == pilot.get_segments("wattle", "none") == pilot.get_segments("pilot", "web")
    assert others.status == 404
    listed = pilot.list(SUBSCRIPTIONS, names)
    assert (listed.status, listed) == (404, pilot.list(SUBSCRIPTIONS, {"tenant_id": "nobody"}))
    for caller in (owner, Caller(None), Caller("metering")):
        assert caller.put_segments("wattle", "web").status == 403
        assert caller.change("wattle", "web", from_="2026-04-01").status == 403
        assert caller.end("wattle", "web", "2026-04-01").status == 403
    assert Caller("metering").get_segments("wattle", "web").status == 403


def test_segments_are_listed_page_by_page(wattle: Stack) -> None:
    names = {"tenant_id": "wattle"}
    assert ADMIN.list(SUBSCRIPTIONS, names).body == {"subscriptions": [], "next_cursor": None}
    assert ADMIN.list(SUBSCRIPTIONS, {"tenant_id": "nobody"}).status == 404
    for deployment_id in ("web-2", "web", "db"):
        ADMIN.put_segments("wattle", deployment_id, START)
    ADMIN.change("wattle", "web", '"1"', from_="2026-04-01", minimum_commitment="9.00")
    whole = ADMIN.list(SUBSCRIPTIONS, names).body["subscriptions"]
    assert [(segment["deployment_id"], segment["starts_on"]) for segment in whole] == [
        ("db", "2026-01-10"),
        ("web", "2026-01-10"),
        ("web", "2026-04-01"),
        ("web-2", "2026-01-10"),
    ]
    first = ADMIN.list(SUBSCRIPTIONS, names, limit="2").body
    rest = ADMIN.list(SUBSCRIPTIONS, names, limit="2", cursor=first["next_cursor"]).body
    assert first["subscriptions"] + rest["subscriptions"] == whole
    assert rest["next_cursor"] is None
    wattle.add_tenant("pilot", hours=None)
    foreign = ADMIN.list(SUBSCRIPTIONS, {"tenant_id": "pilot"}, cursor=first["next_cursor"])
    assert foreign.fields == ["cursor"]


@pytest.mark.parametrize("deployment_id", ["a#b", "é", "x" * 65, "a b"])
def test_an_id_that_cannot_be_is_refused_or_not_there(wattle: Stack, deployment_id: str) -> None:
    assert ADMIN.put_segments("wattle", deployment_id, START).fields == ["deployment_id"]
    assert ADMIN.get_segments("wattle", deployment_id).status == 404


def test_more_segments_than_a_transaction_holds_are_refused_whole(wattle: Stack) -> None:
    many = [
        START | {"starts_on": f"{1900 + n}-01-01", "ends_on": f"{1900 + n}-01-01"}
        for n in range(100)
    ]
    answer = ADMIN.put_segments("wattle", "web", *many)
    assert (answer.status, answer.fields) == (400, ["segments"])
    assert ADMIN.put_segments("wattle", "web", *many[:98]).status == 201


def test_a_deployment_stored_before_there_were_versions_can_be_changed(wattle: Stack) -> None:
    owner = {"pk": "deployment#web", "sk": "owner", "document": '{"tenant_id": "wattle"}'}
    terms = {"plan_code": "studio", "plan_version": 1, "addons": [], "ends_on": None}
    segment = {"pk": "wattle", "sk": "sub#web#2026-01-10", "document": json.dumps(terms)}
    for item in (owner, segment):
        raw = {name: {"S": value} for name, value in item.items()}
        wattle.dynamodb.put_item(TableName="accounts", Item=raw)
    assert ADMIN.get_segments("wattle", "web").etag == '"1"'
    assert ADMIN.end("wattle", "web", "2026-04-30", '"1"').etag == '"2"'
    assert ADMIN.end("wattle", "web", "2026-04-29", '"1"').status == 412


def test_two_starts_that_meet_never_share_a_day(
    wattle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is judged by what the first has written, not by what it has read itself."""
    overtakes = iter([1])

    def overtaken(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems" and next(overtakes, None):
            ADMIN.put_segments("wattle", "web", START | {"starts_on": "2026-03-01"})
        return call()

    with faults(monkeypatch, overtaken):
        second = ADMIN.put_segments("wattle", "web", START)
    assert second.status == 428
    assert days(ADMIN.get_segments("wattle", "web")) == [("2026-03-01", None, "studio")]


def test_a_write_whose_reply_was_lost_is_found_done(
    wattle: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(operation: str, _: dict[str, Any], call: Call) -> Any:
        answer = call()
        if operation == "TransactWriteItems":
            # As the SDK's own retry would be refused without a request token.
            raise cancelled("ConditionalCheckFailed", "None")
        return answer

    monkeypatch.setattr(back_off, "sleep", lambda _: None)
    with faults(monkeypatch, lose):
        started = ADMIN.put_segments("wattle", "web", START)
        ended = ADMIN.end("wattle", "web", "2026-05-31", '"1"')
    assert (started.status, started.etag) == (200, '"1"')
    assert (ended.status, ended.etag) == (200, '"2"')


def test_what_is_put_is_quoted_and_billed(wattle: Stack, rollup: ModuleType) -> None:
    terms = {"discounts": [{"percent": "10"}], "minimum_commitment": "70.00"}
    storage = [{"code": "storage_50gb", "quantity": 2}]
    ADMIN.put_segments("wattle", "web", START | terms | {"addons": storage})
    hours = {"droplet_hours": Decimal(1600)}
    wattle.usage.add("wattle", "web", date(2026, 4, 15), hours)
    rollup.handler(batch("wattle"), LambdaContext())
    lines = wattle.invoices.get("wattle", APRIL).lines
    # 50.00 + 2 x 7.50 + 112 hours over at a cent = 66.12; 10 % off is 6.61, which leaves 59.51;
    # 10.49 top it up to 70.00, and GST is 7.00.
    assert [(line.kind, line.amount_cents) for line in lines] == [
        ("plan_base", 5000),
        ("addon", 1500),
        ("overage", 112),
        ("minimum", 1049),
        ("discount", -661),
        ("tax", 700),
    ]


def test_a_first_day_that_is_moved_keeps_its_prices(wattle: Stack) -> None:
    ADMIN.put_segments("wattle", "web", START)
    PriceVersions(wattle.accounts.name, PLANS).put(replace(STUDIO, price=Decimal(60)), 2)
    for version, day in enumerate(("2026-01-05", "2026-02-20", "2026-01-01"), start=1):
        moved = START | {"starts_on": day}
        answer = ADMIN.put_segments("wattle", "web", moved, if_match=f'"{version}"')
        assert [segment["plan_version"] for segment in answer.body["segments"]] == [1]


def test_a_deployment_cannot_begin_with_nothing(wattle: Stack) -> None:
    assert ADMIN.put_segments("wattle", "typo").fields == ["segments"]
    assert ADMIN.get_segments("wattle", "typo").status == 404


def test_usage_of_a_deployment_that_was_taken_back_is_named_on_the_invoice(
    wattle: Stack, rollup: ModuleType
) -> None:
    ADMIN.put_segments("wattle", "web", START)
    ADMIN.put_segments("wattle", "db", START)
    used = {"droplet_hours": Decimal(5000)}
    wattle.usage.add("wattle", "web", date(2026, 4, 20), used)
    ADMIN.put_segments("wattle", "web", if_match='"1"')
    rollup.handler(batch("wattle"), LambdaContext())
    [unpriced] = wattle.invoices.get("wattle", APRIL).unpriced
    assert (unpriced.deployment_id, unpriced.resource_kind) == ("web", "droplet_hours")
    assert unpriced.quantity == Decimal(5000)
