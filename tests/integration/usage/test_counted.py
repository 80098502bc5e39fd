"""What is kept of a counted event and of an imported file, and the room that totals have."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from invoicing.foundation.dynamodb import connection
from invoicing.usage.usage_event import UsageEvent, UsageOutcome
from invoicing.usage.usage_events_table import KINDS_A_TRANSACTION, Judged, UsageEventsTable
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.integration.conftest import APRIL, Stack

DAY = "2026-04-15"
# Twelve digits before the point, and twelve after it.
MOST = "999999999999.999999999999"


def of_pilot(event_id: str, quantity: str = "1", **changes: str) -> UsageEvent:
    """Returns usage of the pilot's droplet on 15 April."""
    fields = {
        "id": event_id,
        "source": "collector-1",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": quantity,
        "occurred_at": "2026-04-15T12:00:00Z",
    }
    return UsageEvent.model_validate(fields | changes)


@pytest.fixture
def events(stack: Stack) -> UsageEventsTable:
    """The table as the API writes it."""
    return UsageEventsTable(stack.usage.name)


def importing(stack: Stack, name: str) -> UsageEventsTable:
    """The table as the import of this file writes it."""
    return UsageEventsTable(stack.usage.name, imported_from=name)


def month(stack: Stack, period: Period = APRIL) -> UsageTable:
    """The stack's totals, by a table object of their own."""
    return UsageTable(stack.usage.name)


def raw(stack: Stack, key: str, sort_key: str) -> dict[str, Any]:
    """Returns an item of the usage table as it is stored."""
    [item] = [
        item
        for item in stack.raw_items("usage")
        if (item["deployment_period"]["S"], item["day"]["S"]) == (key, sort_key)
    ]
    return item


def test_a_counted_event_keeps_what_it_was_counted_as(
    stack: Stack, events: UsageEventsTable
) -> None:
    event = of_pilot("e-1", "12.5")
    events.record("pilot", DAY, [event])
    assert raw(stack, "pilot#collector-1#e-1", "event") == {
        "deployment_period": {"S": "pilot#collector-1#e-1"},
        "day": {"S": "event"},
        "tenant_id": {"S": "pilot"},
        "digest": {"S": event.digest},
        "deployment_id": {"S": "pilot"},
        "resource_kind": {"S": "droplet_hours"},
        "counted_on": {"S": "2026-04-15"},
        "quantity": {"N": "12.5"},
        # 15 April 12:00 UTC and 106 days: 30 July 12:00 UTC.
        "expires_at": {"N": "1785412800"},
    }


@pytest.mark.parametrize(
    ("changes", "content"),
    [
        ({"quantity": "7"}, "5 droplet_hours of pilot on 2026-04-15, and this is 7 droplet_hours"),
        ({"resource_kind": "egress_gb"}, "of pilot on 2026-04-15, and this is 5 egress_gb of"),
        ({"occurred_at": "2026-04-15T13:00:00Z"}, "other content"),
    ],
)
def test_a_conflict_tells_both_contents(
    events: UsageEventsTable, changes: dict[str, str], content: str
) -> None:
    events.record("pilot", DAY, [of_pilot("e-1", "5")])
    [(outcome, reason)] = events.record(
        "pilot", DAY, [of_pilot("e-1", **{"quantity": "5", **changes})]
    ).values()
    assert outcome is UsageOutcome.CONFLICT
    assert content in reason
    assert reason.endswith("; the first is kept")


def test_an_event_of_an_earlier_version_is_a_duplicate_or_a_conflict_without_figures(
    stack: Stack, events: UsageEventsTable
) -> None:
    # As commit 6b321da stored it: nothing but the digest.
    item = {
        "deployment_period": {"S": "pilot#collector-1#e-1"},
        "day": {"S": "event"},
        "tenant_id": {"S": "pilot"},
        "digest": {"S": of_pilot("e-1", "5").digest},
    }
    stack.dynamodb.put_item(TableName=stack.usage.name, Item=item)
    assert list(events.record("pilot", DAY, [of_pilot("e-1", "5")]).values()) == [
        Judged(UsageOutcome.DUPLICATE)
    ]
    [(outcome, reason)] = events.record("pilot", DAY, [of_pilot("e-1", "6")]).values()
    assert outcome is UsageOutcome.CONFLICT
    assert reason == "id: recorded before with other content; the first is kept"


def test_a_duplicate_of_a_corrected_event_says_so(stack: Stack, events: UsageEventsTable) -> None:
    events.record("pilot", DAY, [of_pilot("e-1", "20000")])
    stack.dynamodb.update_item(
        TableName=stack.usage.name,
        Key={"deployment_period": {"S": "pilot#collector-1#e-1"}, "day": {"S": "event"}},
        UpdateExpression="SET quantity = :q, corrected_by = :c",
        ExpressionAttributeValues={":q": {"N": "200"}, ":c": {"S": "typed-wrong"}},
    )
    assert list(events.record("pilot", DAY, [of_pilot("e-1", "20000")]).values()) == [
        Judged(
            UsageOutcome.DUPLICATE,
            "id: counted before, corrected to 200 since; not counted again",
        )
    ]


def test_a_total_takes_twelve_digits_and_no_more(stack: Stack, events: UsageEventsTable) -> None:
    last = "0.000000000001"
    events.record("pilot", DAY, [of_pilot("e-1", "999999999999.999999999998")])
    assert events.record("pilot", DAY, [of_pilot("e-2", last)]) == {
        "collector-1#e-2": Judged(UsageOutcome.ACCEPTED)
    }
    refused = events.record("pilot", "2026-04-16", [of_pilot("e-3", last)])
    assert refused == {
        "collector-1#e-3": Judged(
            UsageOutcome.REJECTED,
            f"quantity: pilot has used {MOST} droplet_hours in 2026-04; with this it would have "
            "more than 12 digits before the point",
        )
    }
    usage = month(stack).days("pilot", APRIL)
    assert usage.total is not None
    assert usage.total.quantities == {"droplet_hours": Decimal(MOST)}
    assert usage.days == {DAY: {"droplet_hours": Decimal(MOST)}}


def test_of_events_sent_together_those_with_room_are_counted(
    stack: Stack, events: UsageEventsTable
) -> None:
    half = "500000000000"
    sent = [of_pilot(f"e-{n}", half) for n in range(2)]
    sent += [of_pilot("small", "1"), of_pilot("gigabytes", "3", resource_kind="egress_gb")]
    outcomes = events.record("pilot", DAY, sent)
    assert [judged.outcome.value for judged in outcomes.values()] == [
        "accepted",
        "rejected",
        "accepted",
        "accepted",
    ]
    total = month(stack).days("pilot", APRIL).total
    assert total is not None
    assert total.quantities == {"droplet_hours": Decimal("500000000001"), "egress_gb": 3}


def test_room_is_looked_for_again_where_a_total_stands_already(
    stack: Stack, events: UsageEventsTable
) -> None:
    events.record("pilot", DAY, [of_pilot("e-0", "999999999990")])
    sent = [of_pilot(f"e-{n}", "4") for n in range(1, 5)]
    outcomes = events.record("pilot", DAY, sent)
    counts = [judged.outcome.value for judged in outcomes.values()]
    assert counts == ["accepted", "accepted", "rejected", "rejected"]
    # Sent again, each is what it was.
    assert [judged.outcome.value for judged in events.record("pilot", DAY, sent).values()] == [
        "duplicate",
        "duplicate",
        "rejected",
        "rejected",
    ]


def test_a_total_that_is_too_large_already_takes_other_kinds(
    stack: Stack, events: UsageEventsTable
) -> None:
    events.record("pilot", DAY, [of_pilot("e-1")])
    # As an earlier version could count it.
    for sort_key in (DAY, "total"):
        stack.dynamodb.update_item(
            TableName=stack.usage.name,
            Key={"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": sort_key}},
            UpdateExpression="SET droplet_hours = :q",
            ExpressionAttributeValues={":q": {"N": "99999999999999999999"}},
        )
    mixed = [of_pilot("e-2"), of_pilot("e-3", resource_kind="egress_gb")]
    outcomes = events.record("pilot", DAY, mixed)
    assert [judged.outcome.value for judged in outcomes.values()] == ["rejected", "accepted"]


def test_events_of_very_many_kinds_fit_into_transactions(
    stack: Stack, events: UsageEventsTable
) -> None:
    # The longest names that a kind may have.
    kinds = [f"kind_{n:03}".ljust(64, "_") for n in range(2 * KINDS_A_TRANSACTION + 1)]
    sent = [of_pilot(f"e-{n}", MOST, resource_kind=kind) for n, kind in enumerate(kinds)]
    outcomes = events.record("pilot", DAY, sent)
    assert {judged.outcome.value for judged in outcomes.values()} == {"accepted"}
    total = month(stack).days("pilot", APRIL).total
    assert total is not None
    assert total.quantities == dict.fromkeys(kinds, Decimal(MOST))


def test_expressions_are_within_the_limits_of_dynamodb(stack: Stack) -> None:
    kinds = dict.fromkeys((f"kind_{n:03}" for n in range(KINDS_A_TRANSACTION)), Decimal(1))
    for action in month(stack).bumps("pilot", "pilot", DAY, kinds):
        update = action["Update"]
        for text in (update["UpdateExpression"], update["ConditionExpression"]):
            assert len(text) <= 4096
        # Each of OR, AND, < and a function is one.
        condition = update["ConditionExpression"]
        operators = sum(map(condition.count, (" OR ", " AND ", " < ", " = ", "exists(")))
        assert operators <= 300


def test_a_day_keeps_the_names_of_its_last_twenty_imports(stack: Stack) -> None:
    for n in range(22):
        importing(stack, f"april-{n}.csv").record("pilot", DAY, [of_pilot(f"e-{n}")])
    names = [f"april-{n}.csv" for n in range(2, 22)]
    usage = month(stack).days("pilot", APRIL)
    assert usage.imports == {DAY: tuple(names)}
    assert usage.days == {DAY: {"droplet_hours": Decimal(22)}}
    # A name that is there already becomes the newest; a duplicate alone changes nothing.
    importing(stack, "april-5.csv").record("pilot", DAY, [of_pilot("e-22")])
    importing(stack, "april-6.csv").record("pilot", DAY, [of_pilot("e-22")])
    names = [name for name in names if name != "april-5.csv"] + ["april-5.csv"]
    assert month(stack).days("pilot", APRIL).imports == {DAY: tuple(names)}


def test_usage_without_a_file_keeps_the_names_of_files(
    stack: Stack, events: UsageEventsTable
) -> None:
    importing(stack, "april.csv").record("pilot", DAY, [of_pilot("e-1")])
    events.record("pilot", DAY, [of_pilot("e-2")])
    usage = month(stack).days("pilot", APRIL)
    assert usage.imports == {DAY: ("april.csv",)}
    assert usage.days == {DAY: {"droplet_hours": Decimal(2)}}


@pytest.fixture
def between(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Calls what is in the list once, before the next transaction is written."""
    waiting: list[Any] = []
    client: Any = connection().client
    write = client.transact_write_items

    def racing(**request: Any) -> Any:
        if waiting:
            waiting.pop()()
        return write(**request)

    monkeypatch.setattr(client, "transact_write_items", racing)
    yield waiting
    assert not waiting


@pytest.mark.parametrize("before", [(), ("march.csv",)])
def test_two_imports_of_a_day_at_once_both_leave_their_names(
    stack: Stack, between: list[Any], before: tuple[str, ...]
) -> None:
    for number, name in enumerate(before):
        importing(stack, name).record("pilot", DAY, [of_pilot(f"earlier-{number}")])
    other = importing(stack, "other.csv")
    between.append(lambda: other.record("pilot", DAY, [of_pilot("e-2")]))
    importing(stack, "april.csv").record("pilot", DAY, [of_pilot("e-1")])
    usage = month(stack).days("pilot", APRIL)
    assert usage.imports == {DAY: (*before, "other.csv", "april.csv")}
    assert usage.days == {DAY: {"droplet_hours": Decimal(2 + len(before))}}
