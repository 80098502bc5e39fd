"""Tenants over HTTP: every field is checked, no change is lost, account numbers are unique."""

from typing import Any

import pytest

from invoicing.accounts.account import Address, Tenant
from invoicing.foundation import back_off
from tests.account_bodies import WATTLE
from tests.integration.accounts.accounts_api import Caller
from tests.integration.conftest import Stack
from tests.integration.month_end.test_storage_faults import Call, faults
from tests.integration.usage.test_usage import cancelled

ADMIN = Caller()


def tenants_stored(stack: Stack) -> set[str]:
    """Returns the ids of all stored tenants."""
    return {i["pk"]["S"] for i in stack.raw_items("accounts") if i["sk"]["S"] == "tenant"}


def test_a_tenant_is_created_read_and_changed(stack: Stack) -> None:
    created = ADMIN.put_tenant("wattle", WATTLE)
    assert (created.status, created.etag) == (201, '"1"')
    assert created.body == WATTLE | {"tenant_id": "wattle", "abn": "51824753556"}
    assert ADMIN.get_tenant("wattle") == ADMIN.put_tenant("wattle", WATTLE)
    stored = stack.accounts.account("wattle").tenant
    assert stored.abn == "51824753556"
    assert stored.address == Address(("12 Foundry Lane",), "Fremantle", "AU", "WA", "6160")

    changed = ADMIN.put_tenant("wattle", WATTLE | {"name": "Wattle Pty Ltd"}, if_match='"1"')
    assert (changed.status, changed.etag, changed.body["name"]) == (200, '"2"', "Wattle Pty Ltd")
    # The answer of GET can be sent back as it is; it changes nothing.
    sent_back = ADMIN.put_tenant("wattle", ADMIN.get_tenant("wattle").body, if_match='"2"')
    assert (sent_back.status, sent_back.etag) == (200, '"2"')


def test_what_is_left_out_is_taken_away(stack: Stack) -> None:
    ADMIN.put_tenant("wattle", WATTLE)
    least = {"name": "Wattle", "account_number": "2001", "tax": "gst"}
    bare = ADMIN.put_tenant("wattle", least, if_match='"1"').body
    assert (bare["abn"], bare["address"], bare["billing_email"]) == (None, None, None)
    assert stack.accounts.account("wattle").tenant == Tenant("wattle", "Wattle", "2001", "gst")


def test_a_tenant_stored_before_there_were_versions_reads_and_changes(stack: Stack) -> None:
    content = '{"name": "Old", "account_number": "9", "tax": "gst", "tax_reason": ""}'
    item = {"pk": "old", "sk": "tenant", "kind": "tenant", "document": content}
    raw = {name: {"S": value} for name, value in (item | {"account_number": "9"}).items()}
    stack.dynamodb.put_item(TableName="accounts", Item=raw)
    assert stack.accounts.account("old").tenant == Tenant("old", "Old", "9", "gst")
    answer = ADMIN.get_tenant("old")
    assert (answer.etag, answer.body["abn"]) == ('"1"', None)
    changed = ADMIN.put_tenant("old", answer.body | {"name": "New"}, if_match='"1"')
    assert (changed.status, changed.etag) == (200, '"2"')


def test_a_lost_update_is_refused_and_a_lost_reply_is_not(stack: Stack) -> None:
    ADMIN.put_tenant("wattle", WATTLE)
    ours, theirs = WATTLE | {"tax_reason": "mine"}, WATTLE | {"tax_reason": "theirs"}
    assert ADMIN.put_tenant("wattle", theirs, if_match='"1"').etag == '"2"'
    assert ADMIN.put_tenant("wattle", ours, if_match='"1"').status == 412
    assert ADMIN.put_tenant("wattle", ours).status == 428
    assert ADMIN.get_tenant("wattle").body["tax_reason"] == "theirs"
    retry = ADMIN.put_tenant("wattle", theirs, if_match='"1"')
    assert (retry.status, retry.etag) == (200, '"2"')


def test_an_account_number_that_is_refused_is_not_used_up(stack: Stack) -> None:
    ADMIN.put_tenant("wattle", WATTLE)
    stolen = ADMIN.put_tenant("banksia", WATTLE)
    assert (stolen.status, stolen.fields) == (409, ["account_number"])
    renumbered = ADMIN.put_tenant("wattle", WATTLE | {"account_number": "2002"}, if_match='"1"')
    assert (renumbered.status, renumbered.fields) == (409, ["account_number"])
    assert tenants_stored(stack) == {"wattle"}
    assert stack.accounts.number_owners(["2001", "2002"]) == {"2001": "wattle"}
    assert ADMIN.put_tenant("banksia", WATTLE | {"account_number": "2002"}).status == 201


def test_faulty_fields_are_named_and_nothing_is_stored(stack: Stack) -> None:
    faulty: dict[str, Any] = {
        "account_number": "12345678",
        "abn": "51 824 753 557",
        "billing_email": "accounts",
        "colour": "red",
    }
    for field, value in faulty.items():
        answer = ADMIN.put_tenant("wattle", WATTLE | {field: value})
        assert (answer.status, answer.fields) == (400, [field])
    country = WATTLE["address"] | {"country": "Australia"}
    all_at_once = ADMIN.put_tenant("wattle", WATTLE | faulty | {"address": country})
    assert sorted(all_at_once.fields) == ["abn", "address.country", "billing_email", "colour"]
    bodies: tuple[Any, ...] = ([], None, "", "{", "[" * 100_000)
    for body in bodies:
        assert ADMIN.put_tenant("wattle", body).fields == ["body"]
    assert tenants_stored(stack) == set()
    assert stack.accounts.number_owners(["2001"]) == {}


def test_gst_free_needs_a_reason(stack: Stack) -> None:
    abroad = WATTLE | {"tax": "gst_free", "tax_reason": "", "abn": None}
    answer = ADMIN.put_tenant("wattle", abroad)
    assert (answer.status, answer.fields) == (400, ["tax_reason"])
    reason = "Export: customer in New Zealand (GST Act s 38-190)"
    assert ADMIN.put_tenant("wattle", abroad | {"tax_reason": reason}).status == 201


@pytest.mark.parametrize("tenant_id", ["A", "a#b", "wattle\n"])
def test_an_id_that_cannot_be_is_refused_or_not_there(stack: Stack, tenant_id: str) -> None:
    assert ADMIN.put_tenant(tenant_id, WATTLE).fields == ["tenant_id"]
    assert ADMIN.get_tenant(tenant_id).status == 404


def test_a_tenant_reads_itself_and_writes_nothing(stack: Stack) -> None:
    ADMIN.put_tenant("wattle", WATTLE)
    stack.add_tenant("pilot", hours=None)
    wattle, pilot = Caller("tenant:wattle"), Caller("tenant:pilot")
    assert wattle.get_tenant("wattle") == ADMIN.get_tenant("wattle")
    assert pilot.get_tenant("wattle") == pilot.get_tenant("nobody")
    assert pilot.get_tenant("wattle").status == 404
    assert wattle.put_tenant("wattle", WATTLE).status == 403
    assert wattle.list("/tenants").status == 403
    for caller in (Caller(None), Caller("metering"), Caller("finance")):
        assert caller.get_tenant("wattle").status == 403
        assert caller.put_tenant("wattle", WATTLE).status == 403


def test_all_tenants_are_listed_page_by_page(stack: Stack) -> None:
    for number, tenant_id in enumerate(("c", "a", "b-1"), start=1):
        ADMIN.put_tenant(tenant_id, WATTLE | {"account_number": str(number)})
    whole = ADMIN.list("/tenants").body
    assert [tenant["tenant_id"] for tenant in whole["tenants"]] == ["a", "b-1", "c"]
    assert whole["tenants"][0] == ADMIN.get_tenant("a").body
    assert whole["next_cursor"] is None
    first = ADMIN.list("/tenants", limit="2").body
    second = ADMIN.list("/tenants", limit="2", cursor=first["next_cursor"]).body
    assert first["tenants"] + second["tenants"] == whole["tenants"]
    assert second["next_cursor"] is None
    assert ADMIN.list("/tenants", limit="0").fields == ["limit"]
    assert ADMIN.list("/tenants", cursor="AAAA").fields == ["cursor"]
    assert ADMIN.list("/tenants", tenant_id="a").fields == ["tenant_id"]


def test_writers_that_meet_try_again_and_then_give_up_without_harm(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(back_off, "sleep", pauses.append)
    meetings = 3

    def meet(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems" and len(pauses) < meetings:
            raise cancelled("None", "TransactionConflict")
        return call()

    with faults(monkeypatch, meet):
        assert ADMIN.put_tenant("wattle", WATTLE).status == 201
        assert len(pauses) == 3
        meetings = 100
        busy = ADMIN.put_tenant("banksia", WATTLE | {"account_number": "2002"})
    assert busy.status == 503
    assert tenants_stored(stack) == {"wattle"}
    assert stack.accounts.number_owners(["2002"]) == {}


def test_an_error_of_another_kind_is_not_taken_for_a_lost_race(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            raise cancelled("ValidationError", "None")
        return call()

    with faults(monkeypatch, fail):
        assert ADMIN.put_tenant("wattle", WATTLE).status == 500
