"""What an import would do: events are judged by what is recorded, and nothing is written."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.usage.recorded_event import RecordedEvent, event_key
from invoicing.usage.recorded_events_table import RecordedEventsTable
from invoicing.usage.usage_event import UsageEvent, UsageOutcome, UsageResult, read_event, rejected
from invoicing.usage.usage_events_table import ACCEPTED, Judged, judged_again

TWICE = Judged(UsageOutcome.DUPLICATE)
OTHERWISE = Judged(
    UsageOutcome.CONFLICT, "id: another row has it with other content; one of them is counted"
)


class DryRun:
    """Judges events as `Metering.record` would, as far as reading can tell.

    It does not see whether a month's total has room, or whose it is.
    """

    def __init__(
        self, accounts: AccountsTable, recorded: RecordedEventsTable, zone: ZoneInfo
    ) -> None:
        self._accounts = accounts
        self._recorded = recorded
        self._zone = zone
        # The digests of events that would have been counted by now, in a temporary file: a large
        # file has more of them than memory.
        self._seen = sqlite3.connect("")
        self._seen.executescript(
            "PRAGMA journal_mode = OFF;"
            "CREATE TABLE seen (tenant TEXT, key TEXT, digest TEXT, PRIMARY KEY (tenant, key)) "
            "WITHOUT ROWID"
        )

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]:
        """Returns what each event's result would be."""
        parsed = [read_event(raw, received) for raw in raw_events]
        events = [event for event in parsed if isinstance(event, UsageEvent)]
        owners = self._accounts.owners({event.deployment_id for event in events})
        recorded = self._recorded.events(
            {
                (owners[event.deployment_id], event_key(event))
                for event in events
                if event.deployment_id in owners
            }
        )
        results = []
        for raw, event in zip(raw_events, parsed, strict=True):
            if isinstance(event, UsageResult):
                results.append(event)
            elif tenant_id := owners.get(event.deployment_id):
                known = recorded.get((tenant_id, event_key(event)))
                judged = self._judged(tenant_id, event, known)
                results.append(UsageResult(event.id, event.source, judged.outcome, judged.reason))
            else:
                reason = f"deployment_id: no deployment {event.deployment_id} is known"
                results.append(rejected(raw, reason))
        return results

    def _judged(self, tenant_id: str, event: UsageEvent, known: RecordedEvent | None) -> Judged:
        if known is not None:
            day = event.occurred_at.astimezone(self._zone).date().isoformat()
            return judged_again(event, day, known)
        place = (tenant_id, event_key(event))
        seen = self._seen.execute("SELECT digest FROM seen WHERE tenant = ? AND key = ?", place)
        for (digest,) in seen:
            return TWICE if digest == event.digest else OTHERWISE
        self._seen.execute("INSERT INTO seen VALUES (?, ?, ?)", (*place, event.digest))
        return ACCEPTED

    def close(self) -> None:
        """Gives the disk space back."""
        self._seen.close()
