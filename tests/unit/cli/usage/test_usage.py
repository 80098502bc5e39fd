"""Usage files: rows become events, and every line that was not counted is reported."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from cli.stack.stack import Stack
from cli.terminal.errors import BadInput
from cli.usage import usage_import
from cli.usage.usage_file import FaultyRow, UsageRow, read_usage
from cli.usage.usage_import import UncountedLine, import_usage
from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.usage.metering import Metering
from invoicing.usage.usage_event import UsageOutcome, UsageResult
from invoicing.usage.usage_events_table import UsageEventsTable, UsageNotRecorded
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.unit.cli.conftest import Write

SYDNEY = ZoneInfo("Australia/Sydney")
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
EVENTS = "id,source,deployment_id,resource_kind,quantity,occurred_at\n"
OUTCOMES = ("accepted", "duplicate", "conflict", "rejected")


def test_a_row_of_days_is_an_event_at_noon_of_each(write: Write) -> None:
    file = write("april.csv", DAYS + "web,hours,2026-04-04,2026-04-05,12.5\n")
    first, second = read_usage(file, SYDNEY)
    assert first == UsageRow(
        2,
        {
            "id": "april.csv:2:2026-04-04",
            "source": "monthend-import",
            "deployment_id": "web",
            "resource_kind": "hours",
            "quantity": "12.5",
            # Daylight saving ends in the night between these two days.
            "occurred_at": "2026-04-04T12:00:00+11:00",
        },
    )
    assert isinstance(second, UsageRow)
    assert second.event["id"] == "april.csv:2:2026-04-05"
    assert second.event["occurred_at"] == "2026-04-05T12:00:00+10:00"


def test_a_row_of_an_event_is_that_event(write: Write) -> None:
    row = "e-1,meter,web,hours,0.25,2026-04-04T00:00:00Z"
    [usage_row] = read_usage(write("events.csv", f"\ufeff{EVENTS}{row}\n\n"), SYDNEY)
    assert isinstance(usage_row, UsageRow)
    assert (usage_row.line, list(usage_row.event.values())) == (2, row.split(","))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("web,hours,2026-04-01,2026-04-30", "4 fields instead of 5"),
        ("web,hours,2026-04-31,2026-04-30,1", "first_day, last_day: must be days"),
        ("web,hours,20260401,2026-04-30,1", "first_day, last_day: must be days"),
        ("web,hours,2026-04-02,2026-04-01,1", "last_day: must be 0 to 365 days after"),
        ("web,hours,2026-04-01,9999-12-31,1", "last_day: must be 0 to 365 days after"),
    ],
)
def test_a_row_that_makes_no_event_is_faulty(write: Write, row: str, reason: str) -> None:
    [faulty] = read_usage(write("april.csv", f"{DAYS}{row}\n"), SYDNEY)
    assert isinstance(faulty, FaultyRow)
    assert faulty.line == 2
    assert reason in faulty.reason


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "id,quantity\n", "a.csv:1: the columns must be id,source"),
        ("a.csv", "", "a.csv:1: the columns must be"),
        ("a b.csv", DAYS, "no spaces"),
        ("a.csv", f'{EVENTS}"a"b,c\n', "a.csv:2: not CSV"),
    ],
)
def test_a_file_without_usage_is_bad_input(write: Write, name: str, text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        list(read_usage(write(name, text), SYDNEY))
    assert says in str(refused.value)


class Recorder:
    """Accepts all events, except those of quantity `odd`; keeps the batches."""

    def __init__(self, busy: int = 0) -> None:
        self.batches: list[list[Mapping[str, str]]] = []
        self._busy = busy

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]:
        assert received == RECEIVED
        if self._busy:
            self._busy -= 1
            raise UsageNotRecorded("busy")
        self.batches.append(list(raw_events))
        return [
            UsageResult(event["id"], event["source"], UsageOutcome.REJECTED, "quantity: odd")
            if event["quantity"] == "odd"
            else UsageResult(event["id"], event["source"], UsageOutcome.ACCEPTED)
            for event in raw_events
        ]


def test_batches_hold_a_thousand_events_days_before_deployments(write: Write) -> None:
    rows = "".join(f"d{n:02},hours,2026-04-01,2026-04-30,1\n" for n in range(50))
    recorder, done = Recorder(), [0]

    def advance(count: int) -> None:
        done[0] += count

    report = import_usage(
        recorder, read_usage(write("a.csv", DAYS + rows), SYDNEY), RECEIVED, SYDNEY, advance
    )
    assert [len(batch) for batch in recorder.batches] == [1000, 500]
    assert [event["deployment_id"] for event in recorder.batches[0][:3]] == ["d00", "d01", "d02"]
    assert recorder.batches[0][50]["occurred_at"] == "2026-04-02T12:00:00+11:00"
    assert (report.counts, done) == ({UsageOutcome.ACCEPTED: 1500}, [1500])


def test_lines_that_were_not_counted_are_told_in_order(write: Write) -> None:
    rows = "a,hours,2026-04-01,2026-04-01,odd\nb\nc,hours,2026-03-01,2026-03-03,odd\n"
    report = import_usage(
        Recorder(), read_usage(write("a.csv", DAYS + rows), SYDNEY), RECEIVED, SYDNEY
    )
    rejected = UsageOutcome.REJECTED
    assert report.in_order == [
        (UncountedLine(2, rejected, "quantity: odd"), 1),
        (UncountedLine(3, rejected, "1 fields instead of 5"), 1),
        (UncountedLine(4, rejected, "quantity: odd"), 3),
    ]
    assert report.counts == {rejected: 5}


def test_a_busy_store_is_asked_again_and_then_given_up(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_import, "PAUSE_SECONDS", 0)
    file = write("a.csv", DAYS + "a,hours,2026-04-01,2026-04-01,1\n")
    report = import_usage(Recorder(busy=3), read_usage(file, SYDNEY), RECEIVED, SYDNEY)
    assert report.counts == {UsageOutcome.ACCEPTED: 1}
    with pytest.raises(UsageNotRecorded):
        import_usage(Recorder(busy=4), read_usage(file, SYDNEY), RECEIVED, SYDNEY)


def test_a_historic_import_is_remembered_for_good(
    accounts: AccountsTable, tables: Stack, usage: UsageTable, write: Write
) -> None:
    TenantsTable(accounts.name).put(Tenant("acme", "Acme", "1", "gst"))
    starts_on = datetime(2020, 1, 1, tzinfo=UTC).date()
    SubscriptionsTable(accounts.name).put(Segment("acme", "web", starts_on, None, "p", 1))
    file = write("a.csv", DAYS + "web,hours,2026-04-01,2026-04-04,2.5\n")
    events = UsageEventsTable(tables.settings.usage_table, forgets=False)
    metering = Metering(accounts, events, SYDNEY)
    counts = [
        import_usage(metering, read_usage(file, SYDNEY), RECEIVED, SYDNEY).counts for _ in range(2)
    ]
    assert counts == [Counter(accepted=4), Counter(duplicate=4)]
    total = usage.days("web", Period.month("2026-04")).total
    assert total is not None
    assert total.quantities == {"hours": Decimal(10)}
    items = boto3.client("dynamodb").scan(TableName="usage")["Items"]
    assert [item for item in items if "expires_at" in item] == []
    assert len(items) == 4 + 4 + 1
