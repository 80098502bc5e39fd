"""The read API through its handlers: scope, filters, cursors, and every refusal."""

import json
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from invoicing.invoices.invoice import InvoiceStatus
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack
from tests.integration.month_end.test_rollup import batch, set_status
from tests.openapi import assert_promised

MAY = {"period": "2026-05", "run_at": "2026-06-01T03:00:00Z"}
NOT_THERE = {
    "type": "about:blank",
    "title": "Not Found",
    "status": 404,
    "detail": "There is no such invoice.",
}


class Api:
    """The two handlers, called with the event files and a caller's groups."""

    def __init__(self) -> None:
        self.lists, self.gets = load_handler("list_invoices"), load_handler("get_invoice")

    def list(self, groups: str | None, **query: str) -> dict[str, Any]:
        """GET /invoices; returns the answer with its body parsed."""
        return self._call("/invoices", event("list_invoices"), groups, query)

    def get(self, groups: str | None, invoice_id: str, **query: str) -> dict[str, Any]:
        """GET /invoices/{id}; returns the answer with its body parsed."""
        call = event("get_invoice") | {"pathParameters": {"id": invoice_id}}
        return self._call("/invoices/{id}", call, groups, query)

    def _call(
        self, path: str, call: dict[str, Any], groups: str | None, query: dict[str, str]
    ) -> dict[str, Any]:
        claims = call["requestContext"]["authorizer"]["claims"]
        claims.pop("cognito:groups", None)
        if groups is not None:
            claims["cognito:groups"] = groups
        call["queryStringParameters"] = query or None
        call["multiValueQueryStringParameters"] = {k: [v] for k, v in query.items()} or None
        handler = self.gets if "{id}" in path else self.lists
        answer: dict[str, Any] = handler.handler(call, LambdaContext())
        body = json.loads(answer["body"])
        assert_promised(path, answer["statusCode"], answer["headers"]["Content-Type"], body)
        return answer | {"body": body}


@pytest.fixture
def api(stack: Stack, rollup: ModuleType) -> Api:
    """The API over three tenants' April invoices and the pilot's May."""
    for number, tenant_id in enumerate(("acme", "pilot", "zebra")):
        stack.add_tenant(tenant_id, account_number=str(1000 + number))
    rollup.handler(batch("acme", "pilot", "zebra"), LambdaContext())
    rollup.handler(batch("pilot", **MAY), LambdaContext())
    return Api()


def ids(answer: dict[str, Any]) -> list[str]:
    """Returns the ids of the listed invoices, in order."""
    assert answer["statusCode"] == 200, answer
    return [invoice["id"] for invoice in answer["body"]["invoices"]]


def test_an_admin_sees_all(api: Api) -> None:
    everything = ["acme.2026-04", "pilot.2026-04", "pilot.2026-05", "zebra.2026-04"]
    assert sorted(ids(api.list("platform_admin"))) == everything
    assert ids(api.list("platform_admin", period="2026-04")) == [
        "acme.2026-04",
        "pilot.2026-04",
        "zebra.2026-04",
    ]
    assert ids(api.list("platform_admin", tenant_id="pilot")) == ["pilot.2026-05", "pilot.2026-04"]
    assert ids(api.list("platform_admin", tenant_id="pilot", period="2026-05")) == [
        "pilot.2026-05"
    ]


def test_a_tenant_sees_its_own_newest_first(api: Api) -> None:
    assert ids(api.list("tenant:pilot")) == ["pilot.2026-05", "pilot.2026-04"]
    assert ids(api.list("tenant:pilot", period="2026-04")) == ["pilot.2026-04"]
    assert ids(api.list("tenant:pilot", tenant_id="pilot", period="2026-03")) == []


def test_another_tenants_list_looks_like_a_tenant_that_does_not_exist(api: Api) -> None:
    others = api.list("tenant:pilot", tenant_id="acme")
    assert others == api.list("tenant:pilot", tenant_id="nobody-at-all")
    assert (others["statusCode"], others["body"]) == (200, {"invoices": [], "next_cursor": None})


def test_a_header_shows_the_contracts_fields(api: Api) -> None:
    [header] = api.list("tenant:acme")["body"]["invoices"]
    assert len(header.pop("fingerprint")) == 64
    assert header == {
        "id": "acme.2026-04",
        "number": "2604-1000",
        "tenant_id": "acme",
        "period_start": "2026-04-01",
        "period_end": "2026-05-01",
        "status": "draft",
        "revision": 1,
        "currency": "AUD",
        "subtotal_cents": 6422,
        "tax_cents": 642,
        "total_cents": 7064,
        "issued_at": None,
        "due_on": None,
    }


def test_answers_are_json_not_cached_and_open_to_the_allowed_origin(api: Api) -> None:
    for answer in (api.list("tenant:acme"), api.get("tenant:acme", "acme.2026-04")):
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_needs_no_caller(stack: Stack) -> None:
    for function in ("list_invoices", "get_invoice"):
        preflight = {"httpMethod": "OPTIONS", "requestContext": {}}
        answer = load_handler(function).handler(preflight, LambdaContext())
        assert (answer["statusCode"], answer["body"]) == (204, "")
        assert answer["headers"]["Access-Control-Allow-Methods"] == "GET,POST,PUT,OPTIONS"
        assert {"Authorization", "If-Match"} <= set(
            answer["headers"]["Access-Control-Allow-Headers"].split(",")
        )


def test_a_status_filters(stack: Stack, api: Api) -> None:
    set_status(stack, "pilot", InvoiceStatus.ISSUED)
    for groups in ("platform_admin", "tenant:pilot"):
        assert ids(api.list(groups, status="issued")) == ["pilot.2026-04"]
    assert ids(api.list("platform_admin", period="2026-04", status="draft")) == [
        "acme.2026-04",
        "zebra.2026-04",
    ]


def walk(api: Api, groups: str, **query: str) -> list[str]:
    """Follows the cursor from page to page; returns every id."""
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = api.list(groups, **query, **cursor)
        page = ids(answer)
        assert len(page) <= int(query["limit"])
        listed += page
        if answer["body"]["next_cursor"] is None:
            return listed
        cursor = {"cursor": answer["body"]["next_cursor"]}


@pytest.mark.parametrize("limit", ["1", "2", "3", "4", "100"])
def test_pages_are_complete_and_overlap_nowhere(api: Api, limit: str) -> None:
    assert walk(api, "tenant:pilot", limit=limit) == ["pilot.2026-05", "pilot.2026-04"]
    assert walk(api, "platform_admin", limit=limit, period="2026-04") == [
        "acme.2026-04",
        "pilot.2026-04",
        "zebra.2026-04",
    ]
    everything = walk(api, "platform_admin", limit=limit)
    assert len(everything) == len(set(everything)) == 4


def test_more_tenants_than_shards_are_listed_in_order(stack: Stack, rollup: ModuleType) -> None:
    tenants = [f"t{number:03}" for number in range(40)]
    for number, tenant_id in enumerate(tenants):
        stack.add_tenant(tenant_id, hours=None, account_number=str(number))
    for tenant_id in reversed(tenants):
        rollup.handler(batch(tenant_id), LambdaContext())
    expected = [f"{tenant_id}.2026-04" for tenant_id in tenants]
    assert walk(Api(), "platform_admin", limit="7", period="2026-04") == expected


def test_replaced_revisions_never_show_in_lists_and_can_be_read(
    stack: Stack, rollup: ModuleType, api: Api
) -> None:
    stack.usage.add("pilot", "pilot", date(2026, 4, 2), {"droplet_hours": Decimal(28)})
    rollup.handler(batch("pilot", force=True), LambdaContext())
    assert ids(api.list("tenant:pilot")) == ["pilot.2026-05", "pilot.2026-04"]
    assert len(ids(api.list("platform_admin", period="2026-04"))) == 3
    totals = {
        revision: api.get("tenant:pilot", "pilot.2026-04", revision=revision)["body"][
            "total_cents"
        ]
        for revision in ("1", "2")
    }
    assert totals == {"1": 7064, "2": 7095}
    assert api.get("tenant:pilot", "pilot.2026-04")["body"]["revision"] == 2


@pytest.mark.parametrize(
    ("groups", "invoice_id", "query"),
    [
        ("tenant:acme", "pilot.2026-04", {}),
        ("tenant:acme", "pilot.2026-04", {"revision": "1"}),
        ("tenant:acme", "nobody.2026-04", {}),
        ("tenant:acme", "acme.2026-05", {}),
        ("tenant:acme", "acme.2026-04", {"revision": "2"}),
        ("tenant:acme", "acme.2026-13", {}),
        ("tenant:acme", "acme.0000-01", {}),
        ("tenant:acme", "acme", {}),
        ("tenant:acme", "", {}),
        ("tenant:acme", "acme.2026-04#r1", {}),
        ("tenant:acme", "ACME.2026-04", {}),
        ("tenant:acme", "acme.2026-04\n", {}),
        ("tenant:acme", "../acme.2026-04", {}),
        ("tenant:acme", "acme.٢٠٢٦-٠٤", {}),
        ("platform_admin", "nobody.2026-04", {}),
        ("platform_admin", "acme#pages.2026-04", {}),
    ],
)
def test_what_is_not_yours_is_not_there(
    api: Api, groups: str, invoice_id: str, query: dict[str, str]
) -> None:
    answer = api.get(groups, invoice_id, **query)
    assert answer["statusCode"] == 404
    assert answer["body"] == NOT_THERE
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("groups", [None, "", "not_platform_admin", "metering", "tenant:"])
def test_without_a_recognised_group_everything_is_forbidden(api: Api, groups: str | None) -> None:
    for answer in (api.list(groups), api.get(groups, "acme.2026-04"), api.get(groups, "x")):
        assert answer["statusCode"] == 403
        assert answer["body"]["title"] == "Forbidden"
        assert answer["headers"]["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"limit": "1e2"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "٣"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"period": "2026-4"}, "period"),
        ({"period": "2026-00"}, "period"),
        ({"period": "2026-13"}, "period"),
        ({"period": "April"}, "period"),
        ({"period": ""}, "period"),
        ({"period": "2026-04-01"}, "period"),
        ({"status": "Draft"}, "status"),
        ({"status": "replaced"}, "status"),
        ({"cursor": "junk"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"tenant_id": ""}, "tenant_id"),
        ({"tenant_id": "A#1"}, "tenant_id"),
        ({"tenant": "acme"}, "tenant"),
        ({"tenantId": "acme"}, "tenantId"),
    ],
)
def test_a_faulty_parameter_is_a_400_that_names_it(
    api: Api, query: dict[str, str], field: str
) -> None:
    answer = api.list("tenant:acme", **query)
    assert answer["statusCode"] == 400
    assert [error["field"] for error in answer["body"]["errors"]] == [field]


def test_every_fault_is_named_at_once(api: Api) -> None:
    answer = api.list("tenant:acme", limit="0", period="x", status="y")
    assert sorted(error["field"] for error in answer["body"]["errors"]) == [
        "limit",
        "period",
        "status",
    ]


@pytest.mark.parametrize("revision", ["0", "-1", "x", "1.0", "01", "10000", "", "²"])
def test_a_faulty_revision_is_a_400(api: Api, revision: str) -> None:
    answer = api.get("tenant:acme", "acme.2026-04", revision=revision)
    assert answer["statusCode"] == 400
    assert answer["body"]["errors"][0]["field"] == "revision"


def test_a_parameter_given_twice_is_refused(api: Api) -> None:
    call = event("list_invoices")
    call["multiValueQueryStringParameters"] = {"tenant_id": ["acme", "pilot"]}
    answer = api.lists.handler(call, LambdaContext())
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["errors"] == [
        {"field": "tenant_id", "detail": "given more than once"}
    ]


def test_a_cursor_belongs_to_its_scope_and_filters(api: Api) -> None:
    admins = api.list("platform_admin", period="2026-04", limit="1")["body"]["next_cursor"]
    pilots = api.list("tenant:pilot", limit="1")["body"]["next_cursor"]
    assert ids(api.list("tenant:pilot", limit="1", cursor=pilots)) == ["pilot.2026-04"]
    foreign = [
        api.list("tenant:acme", cursor=pilots),
        api.list("platform_admin", cursor=pilots),
        api.list("tenant:pilot", cursor=admins),
        api.list("tenant:pilot", period="2026-04", cursor=pilots),
        api.list("tenant:pilot", status="draft", cursor=pilots),
        api.list("platform_admin", period="2026-05", cursor=admins),
        api.list("platform_admin", period="2026-04", cursor=admins[:-1]),
        api.list("platform_admin", period="2026-04", cursor=admins + "A"),
    ]
    assert [answer["statusCode"] for answer in foreign] == [400] * len(foreign)
    assert {answer["body"]["errors"][0]["field"] for answer in foreign} == {"cursor"}


def test_a_caller_of_several_tenants_names_one(api: Api) -> None:
    call = event("list_invoices")
    call["requestContext"]["authorizer"] = {
        "jwt": {"claims": {"cognito:groups": "[tenant:acme tenant:pilot]"}}
    }
    answer = api.lists.handler(call, LambdaContext())
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["errors"]) == (
        400,
        [{"field": "tenant_id", "detail": "name one of acme, pilot"}],
    )
    call["multiValueQueryStringParameters"] = {"tenant_id": ["acme"]}
    call["queryStringParameters"] = {"tenant_id": "acme"}
    answer = api.lists.handler(call, LambdaContext())
    assert [entry["id"] for entry in json.loads(answer["body"])["invoices"]] == ["acme.2026-04"]


def test_the_event_files_answer_as_they_are_named(api: Api) -> None:
    expected = {
        "list_invoices": 200,
        "list_invoices_tenant": 200,
        "list_invoices_stranger": 403,
        "get_invoice": 200,
        "get_invoice_admin": 200,
        "get_invoice_stranger": 404,
    }
    handlers = {"list": api.lists, "get_": api.gets}
    answers = {
        name: handlers[name[:4]].handler(event(name), LambdaContext())["statusCode"]
        for name in expected
    }
    assert answers == expected


def test_what_breaks_inside_is_a_500_that_tells_nothing(stack: Stack, api: Api) -> None:
    stack.dynamodb.delete_table(TableName="invoices")
    answer = api.get("tenant:acme", "acme.2026-04")
    assert answer["statusCode"] == 500
    assert answer["body"]["detail"] == "The request failed."
    assert "invoices" not in json.dumps(answer["body"])
