"""An attacker with a valid token, a forged one, or none at all gets nothing."""

import base64
import json
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import Deployed, as_role
from tests.openapi import assert_promised

OTHERS_AND_NONE = ("/invoices/acme.2026-04", "/invoices/nobody.2026-04")


def test_another_tenants_invoice_and_none_answer_the_same_bytes(invoiced: Deployed) -> None:
    token = invoiced.local.token("pilot")
    assert invoiced.call(OTHERS_AND_NONE[0], invoiced.local.token("acme")).status == 200
    others, none = (invoiced.call(path, token) for path in OTHERS_AND_NONE)
    assert (others.status, none.status) == (404, 404)
    assert others.body == none.body
    assert others.headers["Content-Type"] == none.headers["Content-Type"]
    assert_promised("/invoices/{id}", 404, "application/problem+json", others.json)


def test_another_tenants_list_and_none_answer_the_same_bytes(invoiced: Deployed) -> None:
    token = invoiced.local.token("pilot")
    others, none = (
        invoiced.call(f"/invoices?tenant_id={tenant_id}", token)
        for tenant_id in ("acme", "nobody")
    )
    assert (others.status, others.body) == (none.status, none.body)
    assert others.json == {"invoices": [], "next_cursor": None}


@pytest.mark.parametrize("path", ["/invoices", "/invoices/pilot.2026-04"])
def test_without_a_valid_token_there_is_no_answer(invoiced: Deployed, path: str) -> None:
    assert invoiced.call(path).status == 401
    assert invoiced.call(path, "not.a.token").status == 401


def test_an_edited_token_is_no_token(invoiced: Deployed) -> None:
    header, payload, signature = invoiced.local.token("pilot").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["cognito:groups"] = ["platform_admin"]
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    answer = invoiced.call("/invoices", f"{header}.{forged}.{signature}")
    assert answer.status in (401, 403)
    assert b"tenant_id" not in answer.body


@pytest.mark.parametrize(
    ("username", "groups"),
    [
        ("no-groups", ()),
        ("look-alike", ("not_platform_admin",)),
        ("comma", ("tenant:acme,platform_admin",)),
        ("brackets", ("[platform_admin]",)),
        ("capitals", ("tenant:ACME", "Platform_Admin")),
        ("empty-tenant", ("tenant:",)),
        ("unknown", ("finance",)),
    ],
)
def test_look_alike_groups_give_no_rights(
    invoiced: Deployed, username: str, groups: tuple[str, ...]
) -> None:
    token = invoiced.user_in(username, *groups)
    for path in ("/invoices", "/invoices/acme.2026-04", "/invoices/nobody.2026-04"):
        answer = invoiced.call(path, token)
        assert answer.status == 403
        assert_promised("/invoices", 403, "application/problem+json", answer.json)


def test_a_user_of_two_tenants_names_one_and_sees_no_third(invoiced: Deployed) -> None:
    token = invoiced.user_in("two-tenants", "tenant:pilot", "tenant:acme")
    refused = invoiced.call("/invoices", token)
    assert (refused.status, refused.json["errors"][0]["field"]) == (400, "tenant_id")
    for tenant_id, count in (("pilot", 1), ("acme", 1), ("kauri-books", 0)):
        listed = invoiced.call(f"/invoices?tenant_id={tenant_id}&period=2026-04", token).json
        assert len(listed["invoices"]) == count
    assert invoiced.call("/invoices/kauri-books.2026-04", token).status == 404


def test_a_cursor_that_was_edited_or_is_another_callers_is_refused(invoiced: Deployed) -> None:
    admin, pilot = invoiced.local.token("admin"), invoiced.local.token("pilot")
    cursor = invoiced.call("/invoices?period=2026-04&limit=1", admin).json["next_cursor"]
    good = invoiced.call(f"/invoices?period=2026-04&limit=1&cursor={cursor}", admin)
    assert (good.status, len(good.json["invoices"])) == (200, 1)
    edited = ("B" if cursor[0] == "A" else "A") + cursor[1:]
    attempts = [
        (admin, f"period=2026-04&cursor={edited}"),
        (admin, f"period=2026-03&cursor={cursor}"),
        (admin, f"period=2026-04&status=draft&cursor={cursor}"),
        (admin, f"cursor={cursor}"),
        (pilot, f"period=2026-04&cursor={cursor}"),
        (pilot, f"cursor={cursor}"),
    ]
    for token, query in attempts:
        answer = invoiced.call(f"/invoices?{query}", token)
        assert (answer.status, answer.json["errors"][0]["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "limit=1e3", "period=2026-13", "period=x", "a=b"]
)
def test_odd_parameters_are_400_and_never_500(invoiced: Deployed, query: str) -> None:
    answer = invoiced.call(f"/invoices?{query}", invoiced.local.token("pilot"))
    assert answer.status == 400
    assert_promised("/invoices", 400, "application/problem+json", answer.json)
    assert [error["field"] for error in answer.json["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "invoice_id",
    ["x", "pilot.2026-04#r1", "pilot#pages.2026-04", "..", "%00", "é.2026-04", "a" * 900],
)
def test_odd_ids_are_404_and_never_500(invoiced: Deployed, invoice_id: str) -> None:
    path = f"/invoices/{quote(invoice_id, safe='%.')}"
    assert invoiced.call(path, invoiced.local.token("admin")).status == 404


def test_a_preflight_is_answered_without_a_token(invoiced: Deployed) -> None:
    for path in ("/invoices", "/invoices/pilot.2026-04"):
        answer = invoiced.call(path, method="OPTIONS")
        assert answer.status in (200, 204)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_invoices_cannot_be_written_over_http(invoiced: Deployed, method: str) -> None:
    answer = invoiced.call("/invoices/pilot.2026-04", invoiced.local.token("admin"), method)
    assert answer.status in (403, 404, 405)


KEY = {"tenant_id": {"S": "pilot"}, "period_start": {"S": "2026-04-01"}}
FORBIDDEN = [
    ("ListInvoicesRole", "dynamodb", "put_item", "invoices"),
    ("ListInvoicesRole", "dynamodb", "get_item", "invoices"),
    ("ListInvoicesRole", "dynamodb", "scan", "invoices"),
    ("ListInvoicesRole", "dynamodb", "scan", "accounts"),
    ("GetInvoiceRole", "dynamodb", "put_item", "invoices"),
    ("GetInvoiceRole", "dynamodb", "delete_item", "invoices"),
    ("GetInvoiceRole", "dynamodb", "scan", "usage"),
    ("RollupTenantRole", "dynamodb", "scan", "invoices"),
    ("RollupTenantRole", "dynamodb", "scan", "accounts"),
    ("RecordUsageRole", "dynamodb", "get_item", "invoices"),
    ("RecordUsageRole", "dynamodb", "scan", "usage"),
    ("IngestUsageRole", "dynamodb", "put_item", "invoices"),
    ("GetUsageRole", "dynamodb", "put_item", "usage"),
    ("GetUsageRole", "dynamodb", "get_item", "invoices"),
    ("PutCatalogueRole", "dynamodb", "delete_item", "accounts"),
    ("PutTenantRole", "dynamodb", "delete_item", "accounts"),
    ("PutTenantRole", "dynamodb", "scan", "accounts"),
    ("PutSubscriptionRole", "dynamodb", "scan", "accounts"),
    ("PutSubscriptionRole", "dynamodb", "put_item", "invoices"),
    ("GetCatalogueRole", "dynamodb", "put_item", "accounts"),
    ("GetTenantRole", "dynamodb", "put_item", "accounts"),
    ("GetSubscriptionRole", "dynamodb", "put_item", "accounts"),
    ("StartMonthEndRole", "dynamodb", "scan", "accounts"),
    ("StartMonthEndRole", "dynamodb", "get_item", "invoices"),
    ("StartMonthEndRole", "dynamodb", "put_item", "invoices"),
]


@pytest.mark.parametrize(("role", "service", "operation", "table"), FORBIDDEN)
def test_a_functions_role_can_do_nothing_else(
    invoiced: Deployed, role: str, service: str, operation: str, table: str
) -> None:
    [physical] = [name for name in invoiced.local.physical_ids("AWS::IAM::Role") if role in name]
    client = as_role(invoiced, physical, service)
    arguments = {"TableName": invoiced.local.outputs["tables"][table]}
    more = {"put_item": {"Item": KEY}, "get_item": {"Key": KEY}, "delete_item": {"Key": KEY}}
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**arguments, **more.get(operation, {}))
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_the_functions_run_with_their_own_roles_and_those_suffice(invoiced: Deployed) -> None:
    """All runs and reads of this session used the deployed functions, with AUTH on."""
    [physical] = [
        name for name in invoiced.local.physical_ids("AWS::IAM::Role") if "GetInvoiceRole" in name
    ]
    client = as_role(invoiced, physical, "dynamodb")
    table = invoiced.local.outputs["tables"]["invoices"]
    assert "Item" in client.get_item(TableName=table, Key=KEY)
