"""Who may see what: the verified group claim in each of its shapes, and every look-alike."""

import base64
import json
from typing import Any

import pytest

from invoicing.api.access import Caller, TenantNotNamed, caller_of

ADMIN = Caller(is_admin=True, tenant_ids=frozenset())
METER = Caller(is_admin=False, tenant_ids=frozenset(), is_meter=True)
NOBODY = Caller(is_admin=False, tenant_ids=frozenset())


def _token(groups: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"cognito:groups": groups}).encode())
    return f"header.{payload.decode().rstrip('=')}.signature"


def rest_event(claim: object, token_groups: object = None) -> dict[str, Any]:
    """A REST API event; with `token_groups`, the bearer token that the authorizer verified."""
    headers = {} if token_groups is None else {"Authorization": _token(token_groups)}
    claims = {} if claim is None else {"cognito:groups": claim}
    return {"headers": headers, "requestContext": {"authorizer": {"claims": claims}}}


def http_event(claim: object) -> dict[str, Any]:
    """An HTTP API event (payload 2.0)."""
    return {"requestContext": {"authorizer": {"jwt": {"claims": {"cognito:groups": claim}}}}}


def tenants(*tenant_ids: str) -> Caller:
    """A caller in these tenants' groups and no other."""
    return Caller(is_admin=False, tenant_ids=frozenset(tenant_ids))


@pytest.mark.parametrize(
    ("event", "caller"),
    [
        (rest_event("platform_admin"), ADMIN),
        (rest_event("tenant:acme"), tenants("acme")),
        (rest_event("tenant:a,tenant:b", ["tenant:a", "tenant:b"]), tenants("a", "b")),
        (rest_event("[tenant:a tenant:b]", ["tenant:a", "tenant:b"]), tenants("a", "b")),
        (rest_event("[platform_admin]", ["platform_admin"]), ADMIN),
        (rest_event("other,tenant:a", ["other", "tenant:a"]), tenants("a")),
        (rest_event("platform_admin,x", ["platform_admin", "x"]), ADMIN),
        (http_event("[platform_admin]"), ADMIN),
        (rest_event("metering"), METER),
        (http_event("[metering]"), METER),
        (http_event("[tenant:acme other]"), tenants("acme")),
    ],
)
def test_the_verified_claim_gives_the_rights_in_every_shape(
    event: dict[str, Any], caller: Caller
) -> None:
    assert caller_of(event) == caller


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="no authorizer at all"),
        pytest.param({"requestContext": None}, id="no request context"),
        pytest.param(rest_event(None), id="no groups claim"),
        pytest.param(rest_event(""), id="an empty claim"),
        pytest.param(rest_event(["platform_admin"]), id="a claim that is not text"),
        pytest.param(rest_event("not_platform_admin"), id="an admin look-alike"),
        pytest.param(rest_event("metering2"), id="a metering look-alike"),
        pytest.param(rest_event("platform_admins"), id="an admin look-alike, plural"),
        pytest.param(rest_event("Platform_Admin"), id="an admin look-alike in other case"),
        pytest.param(rest_event("tenant:"), id="a tenant without an id"),
        pytest.param(rest_event("tenant:ACME"), id="a tenant id with capitals"),
        pytest.param(rest_event("tenant:acme\n"), id="a tenant id with a line end"),
        pytest.param(rest_event("tenant:" + "a" * 41), id="a tenant id that is too long"),
        pytest.param(rest_event("xtenant:acme"), id="a tenant look-alike"),
        pytest.param(
            rest_event("tenant:acme,platform_admin", ["tenant:acme,platform_admin"]),
            id="one group that is named like two",
        ),
        pytest.param(rest_event("tenant:acme,platform_admin"), id="two or one: in doubt, none"),
        pytest.param(rest_event("[platform_admin]", ["[platform_admin]"]), id="named in brackets"),
        pytest.param(rest_event("[platform_admin]"), id="brackets without a token"),
        pytest.param(
            rest_event("other", ["platform_admin"]), id="a token that says more than the claim"
        ),
        pytest.param(
            rest_event("a,b", ["platform_admin"]), id="a token that is not the claim's own"
        ),
        pytest.param(rest_event("a,b", "platform_admin"), id="a token whose groups are text"),
        pytest.param(rest_event("a,b", [1, 2]), id="a token whose groups are numbers"),
        pytest.param(http_event("platform_admin"), id="an HTTP API claim without brackets"),
        pytest.param(
            http_event("[tenant:acme,platform_admin]"), id="HTTP: one group with a comma"
        ),
        pytest.param(http_event(None), id="an HTTP API without the claim"),
    ],
)
def test_anything_else_gives_no_rights(event: dict[str, Any]) -> None:
    assert caller_of(event) == NOBODY


@pytest.mark.parametrize("token", ["junk", "a.b.c", "a.!!!.c", "a.W10.c", "a.e30.c"])
def test_an_unreadable_token_splits_nothing(token: str) -> None:
    event = rest_event("tenant:a,tenant:b") | {"headers": {"authorization": token}}
    assert caller_of(event) == NOBODY


def test_rights_come_from_nothing_but_the_claim() -> None:
    event = rest_event(None) | {
        "headers": {"x-groups": "platform_admin", "Authorization": _token(["platform_admin"])},
        "queryStringParameters": {"cognito:groups": "platform_admin", "tenant_id": "acme"},
    }
    event["requestContext"]["authorizer"]["claims"]["custom:tenant_id"] = "acme"
    assert caller_of(event) == NOBODY


def test_an_admin_sees_every_tenant_and_a_tenant_its_own() -> None:
    assert ADMIN.may_see("acme")
    assert tenants("acme").may_see("acme")
    assert not tenants("acme").may_see("pilot")


@pytest.mark.parametrize(
    ("caller", "requested", "scope"),
    [
        (ADMIN, None, None),
        (ADMIN, "acme", "acme"),
        (tenants("acme"), None, "acme"),
        (tenants("acme"), "pilot", "pilot"),
        (tenants("a", "b"), "b", "b"),
    ],
)
def test_a_list_is_scoped_to_the_tenant_named_or_owned(
    caller: Caller, requested: str | None, scope: str | None
) -> None:
    assert caller.tenant_scope(requested) == scope


def test_a_caller_in_several_tenant_groups_names_one() -> None:
    with pytest.raises(TenantNotNamed, match="a, b"):
        tenants("a", "b").tenant_scope(None)


@pytest.mark.parametrize(
    ("caller", "reads", "records"),
    [
        (ADMIN, True, True),
        (METER, False, True),
        (tenants("acme"), True, False),
        (NOBODY, False, False),
    ],
)
def test_reading_and_recording_are_separate_rights(
    caller: Caller, reads: bool, records: bool
) -> None:
    assert (caller.may_read, caller.may_record_usage) == (reads, records)
    assert METER.may_see("acme") is False
