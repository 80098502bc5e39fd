"""Corrections through the handler: what tests of them share."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.settings import settings
from invoicing.usage.metering import Metering
from invoicing.usage.usage_event import UsageOutcome
from invoicing.usage.usage_events_table import UsageEventsTable
from local.handlers import LambdaContext, load_handler
from quote_engine import Period
from tests.events import event
from tests.integration.conftest import APRIL, Stack
from tests.openapi import assert_promised

# 1 May 2026, when events/correct_usage.json was received.
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)


def sent(number: int, **changes: Any) -> dict[str, Any]:
    """Returns an event of 2 of the pilot's hours on 15 April, as it is sent."""
    return {
        "id": f"e-{number}",
        "source": "collector-1",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": "2",
        "occurred_at": "2026-04-15T12:00:00Z",
    } | changes


@dataclass
class Desk:
    """POST /usage/corrections over tables where pilot's and acme's deployments are known."""

    stack: Stack
    function: ModuleType

    @classmethod
    def over(cls, stack: Stack) -> "Desk":
        """Returns the desk, with nothing counted yet."""
        for tenant_id in ("pilot", "acme"):
            stack.add_tenant(tenant_id, hours=None)
        return cls(stack, load_handler("correct_usage"))

    def count(self, *events: dict[str, Any], received: datetime = RECEIVED) -> list[UsageOutcome]:
        """Records events as POST /usage does; returns their outcomes."""
        table = UsageEventsTable("usage")
        metering = Metering(AccountsTable("accounts"), table, settings().zone)
        return [result.outcome for result in metering.record(events, received)]

    def post(self, body: Any, at: datetime = RECEIVED, groups: str = "platform_admin") -> Any:
        """Posts a correction; checks the answer against the OpenAPI document, returns it parsed.

        It has the `status` added to it.
        """
        call = event("correct_usage") | {"body": json.dumps(body)}
        call["requestContext"]["authorizer"]["claims"]["cognito:groups"] = groups
        call["requestContext"]["requestTimeEpoch"] = int(at.timestamp() * 1000)
        answer = self.function.handler(call, LambdaContext())
        status, parsed = answer["statusCode"], json.loads(answer["body"])
        kind = answer["headers"]["Content-Type"]
        assert_promised("/usage/corrections", status, kind, parsed, method="post")
        return parsed | {"status": status}

    def day(
        self, expect: str, quantity: str, correction_id: str = "c-1", /, **changes: Any
    ) -> dict[str, Any]:
        """Returns the correction of the pilot's hours on 15 April."""
        place = {"deployment_id": "pilot", "resource_kind": "droplet_hours", "day": "2026-04-15"}
        quantities = {"expect": expect, "quantity": quantity}
        return {"id": correction_id, "reason": "typo", "day": place | quantities | changes}

    def event(
        self,
        number: int,
        expect: str,
        quantity: str,
        correction_id: str = "c-1",
        /,
        **changes: Any,
    ) -> dict[str, Any]:
        """Returns the correction of one of the pilot's events."""
        place = {"deployment_id": "pilot", "source": "collector-1", "id": f"e-{number}"}
        quantities = {"expect": expect, "quantity": quantity}
        return {"id": correction_id, "reason": "typo", "event": place | quantities | changes}

    def events(self, events: Sequence[Any], correction_id: str = "c-1") -> dict[str, Any]:
        """Returns the taking back of these events."""
        return {"id": correction_id, "reason": "wrong file", "events": list(events)}

    def standing(self, period: Period = APRIL, deployment_id: str = "pilot") -> tuple[Any, Any]:
        """Returns a deployment's days and total, by kind."""
        month = self.stack.usage.days(deployment_id, period)
        total = month.total.quantities if month.total else {}
        return {day: dict(used) for day, used in month.days.items()}, dict(total)

    def raw(self, prefix: str) -> list[dict[str, Any]]:
        """Returns the usage table's items whose partition begins so, in order of their keys."""
        items = self.stack.raw_items("usage")
        found = [i for i in items if i["deployment_period"]["S"].startswith(prefix)]
        return sorted(found, key=lambda i: (i["deployment_period"]["S"], i["day"]["S"]))


def hours(quantity: str) -> dict[str, Decimal]:
    """Returns so many droplet hours."""
    return {"droplet_hours": Decimal(quantity)}


def errors(answer: Any) -> dict[str, str]:
    """Returns what a refusal says, by field."""
    return {error["field"]: error["detail"] for error in answer["errors"]}
