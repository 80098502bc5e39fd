"""No route accepts an unknown query parameter: `?dry_run=true` must not start a run."""

import json
from typing import Any

import pytest

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack
from tests.openapi import assert_promised

ROUTES = [
    *(
        "change_invoice",
        "correct_usage",
        "create_quote",
        "get_catalogue",
        "get_estimate",
        "get_invoice",
    ),
    *("get_invoice_history", "get_month_end", "get_quote", "get_subscription", "get_tenant"),
    *("get_usage", "issue_month_end", "list_invoices", "preview_month_end", "put_catalogue"),
    *("put_subscription", "put_subscription_change", "put_subscription_end", "put_tenant"),
    *("record_usage", "request_month_end"),
]


@pytest.mark.parametrize("name", ROUTES)
def test_an_unknown_parameter_is_refused_and_nothing_done(stack: Stack, name: str) -> None:
    before = {table: stack.raw_items(table) for table in ("accounts", "invoices", "usage")}
    call: dict[str, Any] = event(name)
    call["queryStringParameters"] = {"dry_run": "true"}
    call["multiValueQueryStringParameters"] = {"dry_run": ["true"]}
    call["requestContext"]["authorizer"]["claims"]["cognito:groups"] = "platform_admin"
    function = name.removesuffix("_change").removesuffix("_end") if "put" in name else name
    answer = load_handler(function).handler(call, LambdaContext())
    body, kind = json.loads(answer["body"]), answer["headers"]["Content-Type"]
    path, method = call["resource"].removeprefix("/api/v1"), call["httpMethod"].lower()
    assert answer["statusCode"] == 400
    assert_promised(path, 400, kind, body, method=method)
    assert body["errors"] == [{"field": "dry_run", "detail": "unknown parameter"}]
    assert before == {table: stack.raw_items(table) for table in before}
