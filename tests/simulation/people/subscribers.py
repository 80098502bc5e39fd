"""Customers who change their add-ons by the API, in mid-month or ahead of it (I14).

They do it before the month is over, so that what it should cost is settled when it is rolled up.
An earlier month may still be made again: what they change later must not change it.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.simulation.books.model import ADDON_CODE, AddonChange, Customer, CustomerSegment, Month
from tests.simulation.people.producers import api_event
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.world import World

AHEAD = 0.3
ROUTE = "/api/v1/tenants/{tenant_id}/subscriptions/{deployment_id}/changes"


@dataclass(slots=True)
class Subscribers:
    """Sends the changes of the customers, and looks at every answer."""

    world: World

    def before_the_end_of(self, month: Month) -> None:
        """Sends what changes in this month and, now and then, what will change in the next."""
        for customer in self.world.customers:
            for deployment_id, segments in customer.deployments.items():
                for segment in segments:
                    self._send_all(customer, deployment_id, segment, month)

    def _send_all(
        self, customer: Customer, deployment_id: str, segment: CustomerSegment, month: Month
    ) -> None:
        for change in segment.changes:
            if change.first in month.days:
                body = _from_its_day(change)
            elif change.first in month.next().days and self.world.rng.random() < AHEAD:
                body = _from_last_day(change, segment, month)
            else:
                continue
            stored = self._send(customer.tenant_id, deployment_id, body)
            self._compare(stored, customer, deployment_id, month)

    def _send(self, tenant_id: str, deployment_id: str, body: dict[str, Any]) -> Any:
        world = self.world
        event = api_event("platform_admin", int(world.now.timestamp() * 1000), httpMethod="POST")
        event |= {
            "resource": ROUTE,
            "pathParameters": {"tenant_id": tenant_id, "deployment_id": deployment_id},
            "headers": {"If-Match": "*"},
            "multiValueHeaders": {"If-Match": ["*"]},
            "body": json.dumps(body),
        }
        answer = world.functions.subscribe.handler(event, None)
        if answer["statusCode"] != HTTPStatus.OK:
            raise InvariantViolated("I14", f"{deployment_id} {body}: {answer['body']}")
        world.say(f"{deployment_id} changes its add-ons: {body}")
        return json.loads(answer["body"])["segments"]

    def _compare(self, stored: Any, customer: Customer, deployment_id: str, month: Month) -> None:
        """I14: no segment has begun, and each day so far has what was last said of it."""
        segments = customer.deployments[deployment_id]
        if len(stored) != len(segments):
            raise InvariantViolated("I14", f"{deployment_id} has {len(stored)} segments: {stored}")
        months = self.world.settings.months
        for known in months[: months.index(month) + 1]:
            for day in known.days:
                due = sum(segment.addons_on(day) for segment in segments if segment.active(day))
                if _quantity_on(day.isoformat(), stored) != due:
                    text = f"{deployment_id} should have {due} add-ons on {day}: {stored}"
                    raise InvariantViolated("I14", text)


def _from_its_day(change: AddonChange) -> dict[str, Any]:
    last = change.last.isoformat() if change.last else None
    addon = {"code": ADDON_CODE, "quantity": change.quantity, "ends_on": last}
    return {"from": change.first.isoformat(), "addons": [addon] if change.quantity else []}


def _from_last_day(change: AddonChange, segment: CustomerSegment, month: Month) -> dict[str, Any]:
    """Says on the last day of a month all that there will be until the end of the next."""
    day = month.days[-1]
    addons = [
        {
            "code": ADDON_CODE,
            "quantity": run.quantity,
            "starts_on": run.first.isoformat(),
            "ends_on": run.last.isoformat(),
        }
        for run in segment.addon_runs([day, *month.next().days])
    ]
    if change.quantity and change.last is None:
        addons[-1]["ends_on"] = None
    return {"from": day.isoformat(), "addons": addons}


def _quantity_on(day: str, stored: Any) -> int:
    """Returns how many add-ons an answer shows for a day."""
    quantity = 0
    for segment in stored:
        for addon in segment["addons"]:
            first = addon["starts_on"] or segment["starts_on"]
            last = addon["ends_on"] or segment["ends_on"] or day
            quantity += addon["quantity"] if first <= day <= last else 0
    return quantity
