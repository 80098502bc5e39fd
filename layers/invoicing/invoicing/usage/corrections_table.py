"""Corrections in the usage table: what they correct, and each of them in one transaction."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from invoicing.foundation.dynamodb import connection, read_keys
from invoicing.usage.correction_actions import Action, DayCorrection, actions_of, new_item
from invoicing.usage.correction_record import (
    CorrectedDay,
    CorrectionRecord,
    record_key,
    trace_key,
    traces_partition,
)
from invoicing.usage.recorded_event import DEDUPE, RecordedEvent, item_key
from invoicing.usage.standing_usage import StandingUsage, UsageDay
from invoicing.usage.usage_events_table import PASSING, REFUSED, item_too_large
from invoicing.usage.usage_table import DAY, KEY, OWNER, TOTAL
from quote_engine import Period


class TooManyKinds(Exception):
    """An item has no room for another resource kind."""


class CorrectionsTable:
    """The corrections in the usage table, and what they correct. All reads are consistent."""

    def __init__(self, table_name: str) -> None:
        self._name = table_name
        self._client: Any = connection().client

    def record(self, correction_id: str) -> CorrectionRecord | None:
        """Reads what an id was used for; None if it was not used yet."""
        item = self._item(record_key(correction_id))
        return CorrectionRecord.read(item) if item else None

    def begin(self, record: CorrectionRecord) -> CorrectionRecord:
        """Writes what an id is used for, and returns it; or what it was used for before.

        For a list of events, whose transactions come afterwards.
        """
        put = new_item(self._name, record.item())
        try:
            self._client.put_item(**put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return CorrectionRecord.read(error.response["Item"])
        return record

    def finish(self, record: CorrectionRecord, at: str) -> None:
        """Notes that all events of a list have been seen to: a repeat then changes nothing."""
        self._client.update_item(
            TableName=self._name,
            Key=record_key(record.id),
            UpdateExpression="SET finished_at = :at",
            ExpressionAttributeValues={":at": {"S": at}},
        )

    def standing(self, of: UsageDay, keys: Iterable[str] = ()) -> StandingUsage:
        """Reads what stands of a day, of its month, and of events of the tenant."""
        month = f"{of.deployment_id}#{of.month}"
        events = [_plain(item_key(of.tenant_id, key)) for key in keys]
        of_month = [{KEY: month, DAY: sort_key} for sort_key in (of.day, TOTAL)]
        items: Any = read_keys(self._name, [*of_month, *events])
        by_sort_key = {item[DAY]["S"]: item for item in items if item[DAY]["S"] != DEDUPE}
        total = by_sort_key.get(TOTAL, {})
        recorded = (RecordedEvent.read(item) for item in items if item[DAY]["S"] == DEDUPE)
        return StandingUsage(
            of=of,
            owner=total.get(OWNER, {}).get("S", ""),
            on_day=_quantities(by_sort_key.get(of.day, {})),
            in_month=_quantities(total),
            events={event.key: event for event in recorded},
        )

    def event(self, tenant_id: str, key: str) -> RecordedEvent | None:
        """Reads what is recorded of an event; None if nothing is."""
        item = self._item(item_key(tenant_id, key))
        return RecordedEvent.read(item) if item else None

    def traced(
        self, record: CorrectionRecord, of: UsageDay, number_of_day: int
    ) -> CorrectedDay | None:
        """Reads the trace of one transaction of a correction; None if it was not made yet."""
        item = self._item(trace_key(record.id, record.at, of, number_of_day))
        return CorrectedDay.read(item) if item else None

    def of_month(self, deployment_id: str, period: Period) -> list[CorrectedDay]:
        """Reads what was corrected of a deployment's month, in order of day and time."""
        partition = traces_partition(deployment_id, period.label)
        request: Any = {
            "TableName": self._name,
            "KeyConditionExpression": f"{KEY} = :key",
            "ExpressionAttributeValues": {":key": {"S": partition}},
            "ConsistentRead": True,
        }
        pages = self._client.get_paginator("query").paginate(**request)
        return [CorrectedDay.read(item) for page in pages for item in page["Items"]]

    def write(self, correction: DayCorrection, mark: Action) -> bool:
        """Writes the transaction; returns False if what was read has changed, or DynamoDB is busy.

        Raises TooManyKinds, and botocore's error for whatever is not expected.
        """
        actions = [*actions_of(self._name, correction), mark]
        try:
            self._client.transact_write_items(
                TransactItems=actions, ClientRequestToken=uuid4().hex
            )
        except ClientError as error:
            reasons = error.response.get("CancellationReasons", ())
            if any(item_too_large(reason) for reason in reasons):
                raise TooManyKinds from error
            codes = {reason.get("Code", "None") for reason in reasons} - {"None"}
            if not codes or codes - PASSING - {REFUSED}:
                raise
            return False
        return True

    def _item(self, key: Mapping[str, Mapping[str, str]]) -> Any:
        return next(iter(read_keys(self._name, [_plain(key)])), None)


def _quantities(item: Mapping[str, Any]) -> dict[str, Decimal]:
    return {kind: Decimal(value["N"]) for kind, value in item.items() if "N" in value}


def _plain(key: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {name: value["S"] for name, value in key.items()}
