"""Finance closing a month: the month-end routes and the sweep, over moto's tables."""

import json
from datetime import datetime
from types import ModuleType
from typing import Any

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack
from tests.integration.month_end.test_rollup import batch
from tests.openapi import assert_promised

FINANCE, ADMINS = "finance", "platform_admin"
DIGEST = "0" * 64


class Office:
    """The functions, called by people who are admins unless a test sets other groups."""

    def __init__(self, stack: Stack, rollup: ModuleType) -> None:
        self.stack = stack
        self.rollup = rollup
        self.functions = {
            name: load_handler(name)
            for name in (
                *("get_month_end", "preview_month_end", "issue_month_end", "sweep_month_end"),
                *("request_month_end", "start_month_end", "change_invoice"),
                *("get_invoice_history", "sweep_late_usage"),
            )
        }

    def roll_up(self, *tenant_ids: str, **fields: Any) -> list[str]:
        """Rolls up one batch of messages; returns the tenants that failed."""
        answer = self.rollup.handler(batch(*tenant_ids, **fields), LambdaContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def report(
        self, period: str = "2026-04", at: str | None = None, **query: str
    ) -> dict[str, Any]:
        """GET /month-ends/{period}, which must answer 200."""
        answer = self.ask("get_month_end", period, query, at=at)
        assert answer["statusCode"] == 200, answer
        body: dict[str, Any] = answer["body"]
        return body

    def ask(
        self,
        name: str,
        period: str | None = "2026-04",
        query: dict[str, str] | None = None,
        body: Any = None,
        **caller: str | None,
    ) -> dict[str, Any]:
        """Calls a function of the month-end API; fails unless the answer is a promised one.

        `caller` may set the user (`who`), the `groups`, and the time (`at`).
        """
        call = event(name)
        if period is not None:
            call["pathParameters"] = {"period": period}
        call["queryStringParameters"] = query
        call["multiValueQueryStringParameters"] = {k: [v] for k, v in (query or {}).items()}
        if body is not None:
            call["body"] = body if isinstance(body, str) else json.dumps(body)
        self._sign(call, caller.get("who") or FINANCE, caller.get("groups") or ADMINS)
        if (at := caller.get("at")) is not None:
            moment = datetime.fromisoformat(at)
            call["requestContext"]["requestTimeEpoch"] = int(moment.timestamp()) * 1000
        return self._answer(name, call)

    def issue_one(self, tenant_id: str, body: Any, who: str = FINANCE) -> dict[str, Any]:
        """POST /invoices/{id}/issue for a tenant's April."""
        call = event("change_invoice") | {"body": json.dumps(body)}
        call["pathParameters"] = {"id": f"{tenant_id}.2026-04"}
        self._sign(call, who, ADMINS)
        return self._answer("change_invoice", call)

    def history(self, tenant_id: str) -> list[tuple[str, str, str | None]]:
        """Returns the history of a tenant's April: action, outcome and reason of each entry."""
        call = event("get_invoice_history")
        call["pathParameters"] = {"id": f"{tenant_id}.2026-04"}
        entries = self._answer("get_invoice_history", call)["body"]["entries"]
        return [(entry["action"], entry["outcome"], entry["reason"]) for entry in entries]

    def sweep(self, at: str = "2026-05-01T04:00:00Z") -> dict[str, Any]:
        """Runs the scheduled sweep at a moment."""
        scheduled = event("sweep_month_end") | {"time": at}
        result: dict[str, Any]
        result = self.functions["sweep_month_end"].handler(scheduled, LambdaContext())
        return result

    def sweep_late_usage(self, at: str) -> dict[str, Any]:
        """Runs the daily sweep of late usage at a moment."""
        scheduled = event("sweep_late_usage") | {"time": at}
        result: dict[str, Any]
        result = self.functions["sweep_late_usage"].handler(scheduled, LambdaContext())
        return result

    def sent(self) -> list[dict[str, Any]]:
        """Receives the messages on the queue; returns them in order of tenant id."""
        bodies = [json.loads(body) for body in self.stack.received()]
        return sorted(bodies, key=lambda body: str(body["tenant_id"]))

    def _sign(self, call: dict[str, Any], who: str, groups: str) -> None:
        claims = {"sub": f"sub-{who}", "cognito:username": who, "cognito:groups": groups}
        call["requestContext"]["authorizer"]["claims"] = claims

    def _answer(self, name: str, call: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.functions[name].handler(call, LambdaContext())
        body = json.loads(answer["body"])
        path, kind = call["resource"].removeprefix("/api/v1"), answer["headers"]["Content-Type"]
        method = call["httpMethod"].lower()
        assert_promised(path, answer["statusCode"], kind, body, method=method)
        return answer | {"body": body}
