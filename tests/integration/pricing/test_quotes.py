"""Quotes and estimates show the invoice's own figures, before and during the month."""

import json
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.account import Tenant
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.tenants_table import TenantsTable
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import APRIL, STUDIO, Stack
from tests.integration.month_end.test_rollup import batch
from tests.openapi import assert_promised

PILOTS = {
    "plan": "studio",
    "addons": [{"code": "storage_50gb"}],
    "usage": {"droplet_hours": "2160"},
    "period": "2026-04",
}


def call(
    name: str, groups: str | None, subject: str = "someone", **changes: Any
) -> tuple[int, Any]:
    """Calls a function with its event and these changes; checks the answer against OpenAPI."""
    request = event(name) | changes
    claims = request["requestContext"]["authorizer"]["claims"]
    claims.pop("cognito:groups", None)
    claims |= {"sub": subject} | ({"cognito:groups": groups} if groups else {})
    answer = load_handler(name).handler(request, LambdaContext())
    path = request["resource"].removeprefix("/api/v1")
    body = json.loads(answer["body"])
    kind = answer["headers"]["Content-Type"]
    method = request["httpMethod"].lower()
    assert_promised(path, answer["statusCode"], kind, body, method=method)
    return answer["statusCode"], body


def ask(groups: str | None, subject: str = "someone", **changes: Any) -> tuple[int, Any]:
    """POST /quotes with the pilot's usual body and these changes."""
    return call("create_quote", groups, subject, body=json.dumps(PILOTS | changes))


def read(quote_id: str, groups: str | None, subject: str = "someone") -> tuple[int, Any]:
    """GET /quotes/{id}."""
    return call("get_quote", groups, subject, pathParameters={"id": quote_id})


def test_the_quote_is_the_invoice_to_the_fingerprint(stack: Stack, rollup: ModuleType) -> None:
    stack.add_tenant("pilot", hours=None)
    status, quote = ask("tenant:pilot", deployment_id="pilot", starts_on="2026-01-10")
    assert status == 201
    assert [line["amount_cents"] for line in quote["lines"]] == [5000, 750, 672, 642]
    assert (quote["total_cents"], quote["tenant_id"], quote["tax"]) == (7064, "pilot", "gst")
    for day in (1, 15, 30):
        hours = {"droplet_hours": Decimal(720)}
        stack.usage.add("pilot", "pilot", date(2026, 4, day), hours)
    rollup.handler(batch("pilot"), LambdaContext())
    _, invoice = call("get_invoice", "tenant:pilot")
    assert invoice["lines"] == quote["lines"]
    assert invoice["fingerprint"] == quote["fingerprint"]


def test_a_quote_is_read_again_as_it_was_given(stack: Stack) -> None:
    stack.add_tenant("pilot", hours=None)
    _, quote = ask("tenant:pilot")
    assert read(quote["id"], "tenant:pilot", "a colleague") == (200, quote)
    assert read(quote["id"], "platform_admin") == (200, quote)
    others = read(quote["id"], "tenant:acme")
    assert others == read("f" * 32, "tenant:acme") == read("junk", "tenant:acme")
    assert others[0] == 404


def test_a_prospect_says_its_tax_and_reads_its_own_quote_alone(stack: Stack) -> None:
    status, refused = ask(None)
    assert (status, refused["errors"][0]["field"]) == (400, "tax")
    status, quote = ask(None, "a prospect", tax="gst_free")
    assert (status, quote["total_cents"], quote["tenant_id"]) == (201, 6422, None)
    assert read(quote["id"], None, "a prospect") == (200, quote)
    assert read(quote["id"], None, "another prospect")[0] == 404
    assert read(quote["id"], "tenant:acme", "a tenant's user")[0] == 404


def test_the_tenants_tax_treatment_is_quoted_and_not_argued_with(stack: Stack) -> None:
    TenantsTable(stack.accounts.name).put(Tenant("kauri", "Kauri", "900", "gst_free", "export"))
    status, quote = ask("tenant:kauri")
    assert (status, quote["tax_cents"], quote["total_cents"]) == (201, 0, 6422)
    status, refused = ask("tenant:kauri", tax="gst")
    assert (status, refused["errors"]) == (
        400,
        [{"field": "tax", "detail": "is gst_free for tenant kauri"}],
    )


def test_the_newest_version_is_quoted_unless_another_is_named(stack: Stack) -> None:
    dearer = type(STUDIO)("studio", "Studio", Decimal("60.00"), "daily", STUDIO.rates)
    PriceVersions(stack.accounts.name, PLANS).put(dearer, 2)
    _, newest = ask(None, tax="gst_free", usage={}, addons=[])
    _, first = ask(None, tax="gst_free", usage={}, addons=[], plan_version=1)
    assert (newest["total_cents"], first["total_cents"]) == (6000, 5000)


def test_negotiated_terms_are_quoted_as_they_would_be_billed(stack: Stack) -> None:
    discounts = [{"percent": "10"}, {"amount": "1.00"}]
    terms: dict[str, Any] = {"discounts": discounts, "minimum_commitment": "60.00"}
    _, quote = ask(None, tax="gst", **terms)
    # 64.22 less 6.42 and 1.00 is 56.80; 3.20 tops it up to 60.00; GST 6.00.
    amounts = {line["kind"]: line["amount_cents"] for line in quote["lines"]}
    assert (amounts["discount"], amounts["minimum"], amounts["tax"]) == (-100, 320, 600)
    assert quote["total_cents"] == 6600


def test_a_part_month_is_quoted_as_it_would_be_billed(stack: Stack) -> None:
    _, quote = ask(None, tax="gst_free", usage={}, starts_on="2026-04-10", addons=[])
    assert (
        next(line["description"] for line in quote["lines"])
        == "Plan: Studio (21/30 days of 50.00)"
    )
    assert quote["total_cents"] == 3500


def test_addons_are_quoted_for_their_own_days(stack: Stack) -> None:
    storage = {"code": "storage_50gb"}
    addons = [
        storage | {"ends_on": "2026-04-15"},
        storage | {"quantity": 2, "starts_on": "2026-04-16", "ends_on": "2026-05-31"},
    ]
    _, quote = ask(None, tax="gst_free", usage={}, addons=addons)
    # 15 of 30 days of 7.50 and of 2 x 7.50.
    assert [line["amount_cents"] for line in quote["lines"]] == [5000, 375, 750, 0]
    may = [storage | {"starts_on": "2026-05-01"}]
    _, without = ask(None, tax="gst_free", usage={}, addons=may)
    _, plain = ask(None, tax="gst_free", usage={}, addons=[])
    assert (without["lines"], without["fingerprint"]) == (plain["lines"], plain["fingerprint"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plan": "nothing"}, "plan"),
        ({"plan_version": 9}, "plan"),
        ({"addons": [{"code": "nothing"}]}, "addon"),
        ({"addons": [{"code": "storage_50gb", "version": 9}]}, "addon"),
        ({"addons": [{"code": "storage_50gb", "quantity": 0}]}, "addons.0.quantity"),
        ({"addons": [{"code": "storage_50gb"}] * 2}, "addons.1"),
        ({"addons": [{"code": "storage_50gb", "starts_on": "2026-03-31"}]}, "addons.0.starts_on"),
        ({"addons": [{"code": "storage_50gb", "ends_on": "soon"}]}, "addons.0.ends_on"),
        ({"usage": {"gpu_hours": "1"}}, "usage.gpu_hours"),
        ({"usage": {"droplet_hours": "-1"}}, "usage.droplet_hours"),
        ({"usage": {"droplet_hours": 5}}, "usage.droplet_hours"),
        ({"period": "April"}, "period"),
        ({"starts_on": "2026-04-10", "ends_on": "2026-04-09"}, "ends_on"),
        ({"starts_on": "2026-05-01"}, "usage.droplet_hours"),
        ({"starts_on": 20260410}, "starts_on"),
        ({"discounts": [{"percent": "101"}]}, "discounts.0"),
        ({"minimum_commitment": 70.5}, "minimum_commitment"),
        ({"tax": "exempt"}, "tax"),
        ({"price": "1.00"}, "price"),
    ],
)
def test_a_quote_never_degrades(stack: Stack, changes: dict[str, Any], field: str) -> None:
    status, problem = ask(None, **({"tax": "gst"} | changes))
    assert status == 400
    assert [error["field"].partition(":")[0] for error in problem["errors"]] == [field]
    assert not [i for i in stack.raw_items("accounts") if i["pk"]["S"].startswith("quote#")]


def test_another_tenant_and_none_are_the_same_to_an_asker(stack: Stack) -> None:
    stack.add_tenant("pilot", hours=None)
    others = ask("tenant:acme", tenant_id="pilot")
    assert others == ask("tenant:acme", tenant_id="nobody")
    assert others[0] == 404
    assert ask("platform_admin", tenant_id="nobody") == others
    assert ask("platform_admin", tenant_id="pilot")[0] == 201


def estimate(groups: str, **query: str) -> tuple[int, Any]:
    """GET /estimates as of 15 April, 12:00 UTC."""
    many = {name: [value] for name, value in query.items()} or None
    return call(
        "get_estimate",
        groups,
        queryStringParameters=query or None,
        multiValueQueryStringParameters=many,
    )


def test_an_estimate_is_the_month_so_far_with_its_projection_beside_it(stack: Stack) -> None:
    stack.add_tenant("pilot", hours=None)
    for day in (1, 15):
        hours = {"droplet_hours": Decimal(540)}
        stack.usage.add("pilot", "pilot", date(2026, 4, day), hours)
    status, shown = estimate("tenant:pilot")
    assert (status, shown["estimate"], shown["period"]) == (200, True, "2026-04")
    assert shown["period_over"] is False
    # 1,080 hours in 15 of 30 days are within the allowance: 57.50, and GST 5.75.
    assert shown["to_date"]["total_cents"] == 6325
    # Projected over 30 days they are 2,160 hours: the pilot's April.
    assert shown["projection"]["total_cents"] == 7064
    assert shown["projection"]["lines"][2]["quantity"] == "672"


def test_an_estimate_of_a_closed_month_is_its_invoice(stack: Stack, rollup: ModuleType) -> None:
    stack.add_tenant("pilot")
    later = event("get_estimate")["requestContext"] | {"requestTimeEpoch": 1777680000000}
    _, shown = call("get_estimate", "tenant:pilot", requestContext=later)
    assert shown["period_over"] is True
    rollup.handler(batch("pilot"), LambdaContext())
    invoice = stack.invoices.get("pilot", APRIL)
    assert shown["to_date"]["fingerprint"] == invoice.header.fingerprint
    assert shown["projection"] == shown["to_date"]


def test_estimates_are_scoped(stack: Stack) -> None:
    stack.add_tenant("pilot")
    others = estimate("tenant:acme", tenant_id="pilot")
    assert others == estimate("tenant:acme", tenant_id="nobody")
    assert others[0] == 404
    assert estimate("platform_admin")[0] == 400
    assert estimate("platform_admin", tenant_id="")[0] == 400
    assert estimate("tenant:acme", tenant_id="A#1")[0] == 400
    assert estimate("platform_admin", tenant_id="pilot")[0] == 200
    assert estimate("metering", tenant_id="pilot")[0] == 403


@pytest.mark.parametrize("period", ["2026-05", "April", ""])
def test_a_month_that_has_not_begun_or_is_none_is_a_400(stack: Stack, period: str) -> None:
    stack.add_tenant("pilot")
    status, problem = estimate("tenant:pilot", period=period)
    assert (status, problem["errors"][0]["field"]) == (400, "period")


def test_a_deployment_that_starts_later_in_the_month_is_projected_from_its_own_days(
    stack: Stack,
) -> None:
    stack.add_tenant("pilot", hours=None, starts_on=date(2026, 4, 11))
    stack.usage.add("pilot", "pilot", date(2026, 4, 12), {"droplet_hours": Decimal(500)})
    _, shown = estimate("tenant:pilot")
    # 500 hours in 5 days are 2,000 in 20; for 20 of 30 days 992 hours are included.
    assert shown["projection"]["lines"][2]["quantity"] == "1008"
