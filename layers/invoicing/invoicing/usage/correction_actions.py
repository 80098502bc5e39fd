"""The actions of a correction's transaction, each with the condition that it needs. Pure.

A transaction holds the trace, the day, its month's total, the mark in the billing history, the
events that it changes and, for a single change, what the correction's id was used for. A trace has
the same key however often its correction is tried, and is written once: so is the rest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoicing.usage.correction_record import CorrectedDay, CorrectionRecord
from invoicing.usage.recorded_event import RecordedEvent, item_key
from invoicing.usage.usage_table import DAY, EXACT, KEY, OWNER, TOO_MUCH, TOTAL, number

# A DynamoDB transaction takes 100 actions: trace, day, total, mark and these. One that writes
# what an id was used for changes one event at most.
EVENTS_A_CHUNK = 96
NEW = f"attribute_not_exists({KEY})"
OWN = "(attribute_not_exists(#owner) OR #owner = :owner)"

type Action = Mapping[str, Any]
"""An action of a DynamoDB transaction."""


@dataclass(frozen=True, slots=True)
class DayCorrection:
    """The changes of one transaction; `before` what was read of the day, by kind.

    `events` are events as they were read, each with what is to stand of it.
    """

    record: CorrectionRecord
    trace: CorrectedDay
    number_of_day: int
    before: Mapping[str, Decimal]
    events: Sequence[tuple[RecordedEvent, Decimal]] = ()


def actions_of(table_name: str, correction: DayCorrection) -> Iterator[Action]:
    """Yields the actions on the usage table."""
    record, trace = correction.record, correction.trace
    if record.changed is not None:
        yield {"Put": new_item(table_name, record.item())}
    yield {"Put": new_item(table_name, trace.item(correction.number_of_day))}
    for update in (_on_day(correction), _in_total(trace)):
        yield {"Update": {"TableName": table_name, **update}}
    for event, quantity in correction.events:
        yield {"Update": {"TableName": table_name, **_of_event(record, event, quantity)}}


def new_item(table_name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters of a put that never replaces anything."""
    return {"TableName": table_name, "Item": item, "ConditionExpression": NEW}


def _on_day(correction: DayCorrection) -> dict[str, Any]:
    """Returns the update of the day: every kind that changes still stands as it was read."""
    trace = correction.trace
    names, values = _names(trace), {":owner": {"S": trace.of.tenant_id}}
    sets, conditions = ["#owner = :owner"], [OWN]
    for n, kind in enumerate(sorted(trace.changes)):
        values[f":a{n}"] = number(trace.changes[kind].after)
        sets.append(f"#k{n} = :a{n}")
        if kind in correction.before:
            values[f":b{n}"] = number(correction.before[kind])
            conditions.append(f"#k{n} = :b{n}")
        else:
            conditions.append(f"attribute_not_exists(#k{n})")
    update = _update(f"SET {', '.join(sets)}", conditions, names, values)
    return {"Key": _key(trace, trace.of.day), **update}


def _in_total(trace: CorrectedDay) -> dict[str, Any]:
    """Returns the update of the month's total: it has what goes, or room for what comes."""
    names, values = _names(trace), {":owner": {"S": trace.of.tenant_id}}
    adds, conditions = [], [OWN]
    for n, kind in enumerate(sorted(trace.changes)):
        change = trace.changes[kind]
        more = EXACT.subtract(change.after, change.before)
        values[f":d{n}"] = number(more)
        adds.append(f"#k{n} :d{n}")
        if more < 0:
            values[f":m{n}"] = number(-more)
            conditions.append(f"#k{n} >= :m{n}")
        else:
            values[f":m{n}"] = number(EXACT.subtract(TOO_MUCH, more))
            conditions.append(f"(attribute_not_exists(#k{n}) OR #k{n} < :m{n})")
    update = _update(f"SET #owner = :owner ADD {', '.join(adds)}", conditions, names, values)
    return {"Key": _key(trace, TOTAL), **update}


def _of_event(record: CorrectionRecord, event: RecordedEvent, quantity: Decimal) -> dict[str, Any]:
    assert event.counted is not None
    values = {
        ":before": number(event.counted.quantity),
        ":after": number(quantity),
        ":by": {"S": record.id},
    }
    names = {"#quantity": "quantity", "#by": "corrected_by"}
    change = "SET #quantity = :after, #by = :by"
    update = _update(change, ["#quantity = :before"], names, values)
    return {"Key": item_key(event.tenant_id, event.key), **update}


def _update(
    expression: str,
    conditions: Iterable[str],
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        "UpdateExpression": expression,
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _names(trace: CorrectedDay) -> dict[str, str]:
    return {"#owner": OWNER} | {f"#k{n}": kind for n, kind in enumerate(sorted(trace.changes))}


def _key(trace: CorrectedDay, sort_key: str) -> dict[str, Any]:
    return {KEY: {"S": f"{trace.of.deployment_id}#{trace.of.month}"}, DAY: {"S": sort_key}}
