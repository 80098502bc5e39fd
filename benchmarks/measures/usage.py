"""Usage in: write units per event, counted, and CPU time beside reading the JSON alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

from benchmarks.dynamodb.capacity import TRANSACTION_FACTOR, WRITE_UNIT, started
from benchmarks.dynamodb.item_size import item_bytes
from benchmarks.harness.results import InvalidBenchmark, Row, Spread
from benchmarks.harness.targets import USAGE_WRITE_UNITS
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from invoicing.usage import usage_events_table, usage_table
from invoicing.usage.metering import Metering
from invoicing.usage.recorded_event import RecordedEvent
from invoicing.usage.usage_event import DECIMALS, WHOLE_DIGITS, UsageEvent, UsageOutcome
from invoicing.usage.usage_events_table import UsageEventsTable

GROUP = "Usage in (counted; a total's item stays under 1 KB)"
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)
TENANTS = 50


@dataclass
class _Store:
    """Accepts every transaction and adds up what DynamoDB would charge for it."""

    charges: list[int] = field(default_factory=list)
    client: "_Store" = field(init=False)

    def __post_init__(self) -> None:
        self.client = self

    @property
    def units(self) -> int:
        """The write units of all transactions."""
        return sum(self.charges)

    def transact_write_items(self, **request: Any) -> None:
        """Succeeds; a transacted write costs twice its units."""
        for action in request["TransactItems"]:
            item = action["Put"]["Item"] if "Put" in action else {}
            units = TRANSACTION_FACTOR * max(1, started(item_bytes(item), WRITE_UNIT))
            # Writers call at the same time: a running sum would lose some of their units.
            self.charges.append(units)


class _Accounts:
    def owners(self, deployment_ids: set[str]) -> dict[str, str]:
        return {name: f"tenant-{name.rpartition('-')[2]}" for name in deployment_ids}


def usage_events(count: int, deployments: int) -> list[dict[str, str]]:
    """Returns events of one day, spread evenly over the deployments."""
    return [
        {
            "id": f"018f3c2a-7d0e-4e0f-9a39-{number:012}",
            "source": "collector-1",
            "deployment_id": f"deployment-{number % deployments}",
            "resource_kind": "droplet_hours",
            "quantity": "0.25",
            "occurred_at": "2026-04-30T23:00:00Z",
        }
        for number in range(count)
    ]


def _record(store: _Store, events: Sequence[Any]) -> None:
    accounts: Any = _Accounts()
    with (
        mock.patch.object(usage_events_table, "connection", lambda: store),
        mock.patch.object(usage_table, "connection", lambda: store),
    ):
        metering = Metering(accounts, UsageEventsTable("usage"), ZoneInfo("UTC"))
        results = metering.record(events, RECEIVED)
    if {result.outcome for result in results} != {UsageOutcome.ACCEPTED}:
        raise InvalidBenchmark("usage: an event of the workload was not accepted")


def units_an_event(count: int, deployments: int) -> float:
    """Returns the write units per event of a call."""
    store = _Store()
    _record(store, usage_events(count, deployments))
    return store.units / count


def _dedupe_bytes(event: UsageEvent, tenant_id: str) -> int:
    day = event.occurred_at.date().isoformat()
    return item_bytes(RecordedEvent.of(tenant_id, day, event).item(event.expires_at))


def usual_dedupe_bytes() -> int:
    """Returns the bytes of what is stored of one event of the workload."""
    return _dedupe_bytes(UsageEvent.model_validate(usage_events(1, 1)[0]), "tenant-0")


def longest_dedupe_bytes() -> int:
    """Returns the bytes of what is stored of an event with the longest names and figures."""
    longest = {
        "id": "i" * 128,
        "source": "s" * 64,
        "deployment_id": "d" * 64,
        "resource_kind": "k" * 64,
        "quantity": f"{'9' * WHOLE_DIGITS}.{'9' * DECIMALS}",
    }
    event = UsageEvent.model_validate(usage_events(1, 1)[0] | longest)
    return _dedupe_bytes(event, "t" * 40)


def usage_rows(effort: Effort) -> list[Row]:
    """Returns write units and bytes per event, and CPU time for a thousand events."""
    rows = [
        Row(
            GROUP,
            f"write units an event: {count:,} a call, {deployments} deployment(s)",
            Spread.counted(units_an_event(count, deployments)),
            "units",
            target=USAGE_WRITE_UNITS if (count, deployments) == (1000, 1) else None,
        )
        for deployments in (1, TENANTS)
        for count in (1, 100, 1000)
    ]
    stored = Row(
        GROUP,
        "bytes stored of an event for 106 days",
        Spread.counted(usual_dedupe_bytes()),
        "bytes",
        detail=f"at most {longest_dedupe_bytes():,}; up to 1,024 are one write unit",
    )
    return [*rows, stored, _cpu_row(effort)]


def _record_text(text: str) -> None:
    _record(_Store(), json.loads(text))


def _cpu_row(effort: Effort) -> Row:
    text = json.dumps(usage_events(1000, TENANTS))
    ours, peer = Case("ours", _record_text, text), Case("peer", json.loads, text)
    measured = interleaved([ours, peer], effort)
    ours_us, peer_us = measured["ours"], measured["peer"]
    a_second = 1000 / (median(ours_us) / 1_000_000)
    return Row(
        GROUP,
        f"CPU, 1,000 events of {TENANTS} deployments, x reading their JSON",
        Spread.of(ratios(ours_us, peer_us)),
        "x",
        f"{median(ours_us) / 1000:.1f} ms against {median(peer_us) / 1000:.2f} ms;"
        f" {a_second:,.0f} events/s of CPU, without DynamoDB's client",
    )
