"""Counts usage events exactly once: dedupe items, a day and its month total change together.

Events of one deployment and day share transactions of up to 98 dedupe items, so that the two
totals are written once for all of them: 2.04 write units per event, where the minimum is 2.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import batched
from time import sleep
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from invoicing.foundation.dynamodb import connection
from invoicing.usage.usage_event import UsageEvent, UsageOutcome
from invoicing.usage.usage_table import DAY, EXACT, KEY, OWNER, UsageTable

# A DynamoDB transaction takes 100 actions: the day, its month total, and these.
EVENTS_A_TRANSACTION = 98
TRIES = 8
DEDUPE = "event"
REFUSED, INVALID = "ConditionalCheckFailed", "ValidationError"
TOO_LARGE = "Item size to update has exceeded the maximum allowed size"
PASSING = frozenset(("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"))


class UsageNotRecorded(Exception):
    """DynamoDB stayed busy; nothing is lost, because sending the events again is safe."""


class UsageOfAnotherTenant(Exception):
    """The month's usage of this deployment belongs to another tenant."""


type Outcomes = dict[str, UsageOutcome]


class UsageEventsTable:
    """Writes events into the usage table; `UsageTable` reads their totals.

    It forgets an event once it is too old to be accepted again. With `forgets=False` it remembers
    events for good: for callers who state when events were received, and so can send them at any
    time.
    """

    def __init__(self, table_name: str, *, forgets: bool = True) -> None:
        self._name = table_name
        self._forgets = forgets
        self._totals = UsageTable(table_name)

    def record(self, tenant_id: str, day: str, events: Sequence[UsageEvent]) -> Outcomes:
        """Counts events of a tenant's deployment and day (billing zone); returns outcomes by key.

        Their keys must differ. If a total has no room for the resource kinds of a transaction, its
        events are rejected: sending them again would never help. Raises UsageNotRecorded, with
        some events possibly counted, and UsageOfAnotherTenant, with no event counted of the
        transaction that caused it.
        """
        outcomes: Outcomes = {}
        for batch in batched(events, EVENTS_A_TRANSACTION, strict=False):
            outcomes |= self._record_batch(tenant_id, day, batch)
        return outcomes

    def _record_batch(self, tenant_id: str, day: str, batch: Iterable[UsageEvent]) -> Outcomes:
        outcomes: Outcomes = {}
        events = list(batch)
        for attempt in range(TRIES):
            if not events:
                return outcomes
            reasons = self._write(tenant_id, day, events)
            if reasons is None:
                return outcomes | {event_key(event): UsageOutcome.ACCEPTED for event in events}
            known = _already_there(events, reasons)
            outcomes |= known
            events = [event for event in events if event_key(event) not in known]
            if not known and _too_large(reasons):
                return outcomes | {event_key(event): UsageOutcome.REJECTED for event in events}
            if not known:
                sleep(random.uniform(0.5, 1) * 0.02 * 2**attempt)
        raise UsageNotRecorded(f"{len(events)} events of {day} after {TRIES} tries")

    def _write(
        self, tenant_id: str, day: str, events: Sequence[UsageEvent]
    ) -> list[dict[str, Any]] | None:
        """Returns None if everything was written; otherwise why not, for each of the actions."""
        puts = [{"Put": self._dedupe_item(tenant_id, event)} for event in events]
        quantities: dict[str, Decimal] = defaultdict(Decimal)
        for event in events:
            quantities[event.resource_kind] = EXACT.add(
                quantities[event.resource_kind], event.quantity
            )
        totals = self._totals.bumps(tenant_id, events[0].deployment_id, day, quantities)
        client: Any = connection().client
        try:
            client.transact_write_items(
                TransactItems=[*puts, *totals], ClientRequestToken=uuid4().hex
            )
        except ClientError as error:
            reasons: list[dict[str, Any]] | None = error.response.get("CancellationReasons")
            if not reasons:
                raise
            _refuse_other_causes(tenant_id, reasons, len(events))
            return reasons
        return None

    def _dedupe_item(self, tenant_id: str, event: UsageEvent) -> dict[str, Any]:
        item = {
            KEY: {"S": f"{tenant_id}#{event_key(event)}"},
            DAY: {"S": DEDUPE},
            OWNER: {"S": tenant_id},
            "digest": {"S": event.digest},
        }
        if self._forgets:
            item["expires_at"] = {"N": str(int(event.expires_at.timestamp()))}
        return {
            "TableName": self._name,
            "Item": item,
            "ConditionExpression": f"attribute_not_exists({KEY})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def event_key(event: UsageEvent) -> str:
    """Returns what identifies an event within its tenant."""
    return f"{event.source}#{event.id}"


def _already_there(events: Sequence[UsageEvent], reasons: Sequence[dict[str, Any]]) -> Outcomes:
    return {
        event_key(event): UsageOutcome.DUPLICATE
        if reason["Item"]["digest"]["S"] == event.digest
        else UsageOutcome.CONFLICT
        for event, reason in zip(events, reasons, strict=False)
        if reason.get("Code") == REFUSED
    }


def _too_large(reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a total would exceed DynamoDB's 400 KB, as it does with thousands of kinds."""
    return any(_no_room(reason) for reason in reasons)


def _no_room(reason: Mapping[str, Any]) -> bool:
    return reason.get("Code") == INVALID and TOO_LARGE in reason.get("Message", "")


def _refuse_other_causes(
    tenant_id: str, reasons: Sequence[dict[str, Any]], event_count: int
) -> None:
    if any(reason.get("Code") == REFUSED for reason in reasons[event_count:]):
        raise UsageOfAnotherTenant(f"this month's usage does not belong to tenant {tenant_id}")
    codes = {reason.get("Code", "None") for reason in reasons if not _no_room(reason)}
    unknown = codes - PASSING - {REFUSED, "None"}
    if unknown:
        raise UsageNotRecorded(f"transaction cancelled: {', '.join(sorted(unknown))}")
