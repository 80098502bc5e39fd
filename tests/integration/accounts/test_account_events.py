"""The event files of the accounts functions, answered one after another."""

import json
from typing import Any

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack


def answer(function: str, name: str | None = None) -> tuple[int, Any]:
    """Returns the status and body of a function's answer to an event file."""
    response = load_handler(function).handler(event(name or function), LambdaContext())
    return response["statusCode"], json.loads(response["body"])


def test_the_event_files_are_answered(stack: Stack) -> None:
    stack.add_tenant("pilot", hours=None)
    assert answer("get_catalogue")[1]["price"] == "50.00"
    status, plan = answer("put_catalogue")
    assert (status, plan["price"], plan["version"]) == (201, "55.00", 2)
    status, tenant = answer("put_tenant")
    assert (status, tenant["tenant_id"], tenant["abn"]) == (201, "wattle", "51824753556")
    status, kiln = answer("put_subscription")
    assert (status, kiln["segments"][0]["plan_version"]) == (201, 2)
    status, changed = answer("put_subscription", "put_subscription_change")
    [segment] = changed["segments"]
    assert (status, segment["addons"][0]["ends_on"]) == (200, "2026-05-15")
    status, refused = answer("put_subscription", "put_subscription_end")
    assert (status, refused["title"]) == (412, "Precondition Failed")
    assert answer("get_subscription") == (200, changed)
    status, own = answer("get_tenant")
    assert (status, own["tenant_id"]) == (200, "pilot")
    for function in ("put_catalogue", "put_tenant", "put_subscription"):
        assert answer(function)[0] == 200
