"""Counts usage events exactly once: dedupe items, a day and its month total change together.

Events of one deployment and day share transactions of up to 98 dedupe items, so that the two
totals are written once for all of them: 2.04 write units per event, where the minimum is 2.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import uuid4

from botocore.exceptions import ClientError

from invoicing.foundation.back_off import back_off
from invoicing.foundation.dynamodb import connection
from invoicing.usage.recorded_event import RecordedEvent, event_key
from invoicing.usage.usage_event import WHOLE_DIGITS, UsageEvent, UsageOutcome
from invoicing.usage.usage_table import EXACT, KEY, OWNER, TOO_MUCH, ImportNames, UsageTable

# A DynamoDB transaction takes 100 actions: the day, its month total, and these.
EVENTS_A_TRANSACTION = 98
# An expression takes 4 KB. Each kind needs up to 49 bytes of the total's condition.
KINDS_A_TRANSACTION = 50
TRIES = 8
REFUSED, INVALID = "ConditionalCheckFailed", "ValidationError"
TOO_LARGE = "Item size to update has exceeded the maximum allowed size"
PASSING = frozenset(("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"))
TOO_MANY_KINDS = (
    "resource_kind: too many resource kinds for this deployment's month; "
    "events of kinds that it has are taken when they come without new ones"
)


class UsageNotRecorded(Exception):
    """DynamoDB stayed busy; nothing is lost, because sending the events again is safe."""


class UsageOfAnotherTenant(Exception):
    """The month's usage of this deployment belongs to another tenant."""


class Judged(NamedTuple):
    """What became of an event, and why if it was not simply counted."""

    outcome: UsageOutcome
    reason: str = ""


ACCEPTED = Judged(UsageOutcome.ACCEPTED)

type Outcomes = dict[str, Judged]
"""Outcomes by the key of the event."""
type _Reasons = list[dict[str, Any]]
"""Why DynamoDB refused a transaction, for each of its actions."""


class UsageEventsTable:
    """Writes events into the usage table; `UsageTable` reads their totals.

    It forgets an event once it is too old to be accepted again. With `forgets=False` it remembers
    events for good: for callers who state when events were received, and so can send them at any
    time. Days keep the name of the file that events are `imported_from`.
    """

    def __init__(
        self, table_name: str, *, forgets: bool = True, imported_from: str | None = None
    ) -> None:
        self._name = table_name
        self._forgets = forgets
        self._imported_from = imported_from
        self._totals = UsageTable(table_name)

    def record(self, tenant_id: str, day: str, events: Sequence[UsageEvent]) -> Outcomes:
        """Counts events of a tenant's deployment and day (billing zone); returns outcomes by key.

        Their keys must differ. An event is rejected if a total has no room for its quantity, and
        all events of a transaction are if a total has no room for their kinds: sending them again
        would never help. Raises UsageNotRecorded, with some events possibly counted, and
        UsageOfAnotherTenant, with no event counted of the transaction that caused it.
        """
        outcomes: Outcomes = {}
        for batch in _batches(events):
            outcomes |= self._record_batch(tenant_id, day, batch)
        return outcomes

    def _record_batch(self, tenant_id: str, day: str, batch: Iterable[UsageEvent]) -> Outcomes:
        outcomes: Outcomes = {}
        events = list(batch)
        for attempt in range(TRIES):
            if not events:
                return outcomes
            quantities = _quantities(events)
            if max(quantities.values()) >= TOO_MUCH:
                return outcomes | self._by_halves(tenant_id, day, events)
            reasons = self._write(tenant_id, day, events, quantities)
            if reasons is None:
                return outcomes | dict.fromkeys(map(event_key, events), ACCEPTED)
            known = _already_there(events, day, reasons)
            outcomes |= known
            events = [event for event in events if event_key(event) not in known]
            if known:
                continue
            if _too_large(reasons):
                judged = Judged(UsageOutcome.REJECTED, TOO_MANY_KINDS)
                return outcomes | dict.fromkeys(map(event_key, events), judged)
            if full := _full(quantities, reasons[-1]):
                if len(events) > 1:
                    return outcomes | self._by_halves(tenant_id, day, events)
                return outcomes | {event_key(events[0]): _no_room(events[0], day, full)}
            back_off(attempt)
        raise UsageNotRecorded(f"{len(events)} events of {day} after {TRIES} tries")

    def _by_halves(self, tenant_id: str, day: str, events: Sequence[UsageEvent]) -> Outcomes:
        """Records each half by itself, so that only events are rejected that have no room."""
        middle = len(events) // 2
        first = self._record_batch(tenant_id, day, events[:middle])
        return first | self._record_batch(tenant_id, day, events[middle:])

    def _write(
        self,
        tenant_id: str,
        day: str,
        events: Sequence[UsageEvent],
        quantities: Mapping[str, Decimal],
    ) -> _Reasons | None:
        """Returns None if everything was written; otherwise why not, for each of the actions."""
        deployment_id = events[0].deployment_id
        puts = [{"Put": self._dedupe_item(tenant_id, day, event)} for event in events]
        imports = self._import_names(deployment_id, day)
        totals = self._totals.bumps(tenant_id, deployment_id, day, quantities, imports)
        client: Any = connection().client
        try:
            client.transact_write_items(
                TransactItems=[*puts, *totals], ClientRequestToken=uuid4().hex
            )
        except ClientError as error:
            reasons: _Reasons | None = error.response.get("CancellationReasons")
            if not reasons:
                raise
            _refuse_other_causes(tenant_id, reasons, len(events))
            return reasons
        return None

    def _import_names(self, deployment_id: str, day: str) -> ImportNames | None:
        if self._imported_from is None:
            return None
        before = self._totals.imports(deployment_id, day)
        names = ImportNames.with_newest(before, self._imported_from)
        return None if names.after == names.before else names

    def _dedupe_item(self, tenant_id: str, day: str, event: UsageEvent) -> dict[str, Any]:
        expires_at = event.expires_at if self._forgets else None
        return {
            "TableName": self._name,
            "Item": RecordedEvent.of(tenant_id, day, event).item(expires_at),
            "ConditionExpression": f"attribute_not_exists({KEY})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _batches(events: Sequence[UsageEvent]) -> Iterator[list[UsageEvent]]:
    """Yields events as transactions take them: so many, of so many kinds."""
    batch: list[UsageEvent] = []
    kinds: set[str] = set()
    for event in events:
        new_kind = event.resource_kind not in kinds and len(kinds) == KINDS_A_TRANSACTION
        if new_kind or len(batch) == EVENTS_A_TRANSACTION:
            yield batch
            batch, kinds = [], set()
        batch.append(event)
        kinds.add(event.resource_kind)
    if batch:
        yield batch


def _quantities(events: Iterable[UsageEvent]) -> Mapping[str, Decimal]:
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        quantities[event.resource_kind] = EXACT.add(
            quantities[event.resource_kind], event.quantity
        )
    return quantities


def _already_there(events: Sequence[UsageEvent], day: str, reasons: _Reasons) -> Outcomes:
    return {
        event_key(event): judged_again(event, day, RecordedEvent.read(reason["Item"]))
        for event, reason in zip(events, reasons, strict=False)
        if reason.get("Code") == REFUSED
    }


def judged_again(event: UsageEvent, day: str, recorded: RecordedEvent) -> Judged:
    """Judges an event whose id is recorded already."""
    stands = recorded.counted
    if recorded.digest == event.digest:
        if stands is None or not recorded.corrected_by:
            return Judged(UsageOutcome.DUPLICATE)
        now = f"corrected to {format(stands.quantity, 'f')} since"
        return Judged(UsageOutcome.DUPLICATE, f"id: counted before, {now}; not counted again")
    content = "other content"
    sent = RecordedEvent.of(recorded.tenant_id, day, event).counted
    if stands is not None and sent is not None and stands != sent:
        content = f"{stands.said}, and this is {sent.said}"
    return Judged(UsageOutcome.CONFLICT, f"id: recorded before with {content}; the first is kept")


def _full(quantities: Mapping[str, Decimal], reason: Mapping[str, Any]) -> Mapping[str, str]:
    """Returns what a total that refused quantities has of these kinds; empty if it did not."""
    if reason.get("Code") != REFUSED:
        return {}
    item = reason.get("Item", {})
    return {kind: item[kind]["N"] for kind in quantities if kind in item}


def _no_room(event: UsageEvent, day: str, full: Mapping[str, str]) -> Judged:
    kind = event.resource_kind
    return Judged(
        UsageOutcome.REJECTED,
        f"quantity: {event.deployment_id} has used {full[kind]} {kind} in {day[:7]}; with this it "
        f"would have more than {WHOLE_DIGITS} digits before the point",
    )


def _too_large(reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an item would exceed DynamoDB's 400 KB, as a total does with thousands of kinds."""
    return any(item_too_large(reason) for reason in reasons)


def item_too_large(reason: Mapping[str, Any]) -> bool:
    """Whether this is why an action of a transaction was refused."""
    return reason.get("Code") == INVALID and TOO_LARGE in reason.get("Message", "")


def _refuse_other_causes(tenant_id: str, reasons: _Reasons, event_count: int) -> None:
    if any(_another_tenants(reason, tenant_id) for reason in reasons[event_count:]):
        raise UsageOfAnotherTenant(f"this month's usage does not belong to tenant {tenant_id}")
    codes = {reason.get("Code", "None") for reason in reasons if not item_too_large(reason)}
    unknown = codes - PASSING - {REFUSED, "None"}
    if unknown:
        raise UsageNotRecorded(f"transaction cancelled: {', '.join(sorted(unknown))}")


def _another_tenants(reason: Mapping[str, Any], tenant_id: str) -> bool:
    if reason.get("Code") != REFUSED:
        return False
    owner = reason.get("Item", {}).get(OWNER, {}).get("S")
    return owner is not None and owner != tenant_id
