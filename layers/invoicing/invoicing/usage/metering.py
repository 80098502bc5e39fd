"""Records usage events: one code path for those from the API and those from the queue."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.settings import settings
from invoicing.usage.recorded_event import event_key
from invoicing.usage.usage_event import UsageEvent, UsageOutcome, UsageResult, read_event, rejected
from invoicing.usage.usage_events_table import (
    Judged,
    Outcomes,
    UsageEventsTable,
    UsageOfAnotherTenant,
)

EVENTS_A_CALL = 1000
# Groups of different deployments and days are written in parallel.
WRITERS = 8
COUNTED = frozenset((UsageOutcome.ACCEPTED, UsageOutcome.DUPLICATE))


@dataclass(frozen=True, slots=True)
class _Group:
    """A deployment and day, whose events share totals and therefore transactions."""

    tenant_id: str
    deployment_id: str
    day: str


@dataclass(slots=True)
class _Rounds:
    """Which events are written when. Within a round, all keys differ.

    Copies of an event share one place in a round. The same id with other content waits for a later
    round, and is then judged by what the store holds, as if it had come in a later call.
    """

    rounds: list[dict[_Group, dict[str, list[int]]]] = field(default_factory=list)
    _digests: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, group: _Group, event: UsageEvent, place: int) -> None:
        """Adds the event at `place` of the call to its round."""
        key = event_key(event)
        digests = self._digests[group.tenant_id, key]
        if event.digest not in digests:
            digests.append(event.digest)
        number = digests.index(event.digest)
        while len(self.rounds) <= number:
            self.rounds.append(defaultdict(lambda: defaultdict(list)))
        self.rounds[number][group][key].append(place)


@dataclass(frozen=True, slots=True)
class Metering:
    """Records usage exactly once per (tenant, source, id); each event is judged on its own."""

    accounts: AccountsTable
    events: UsageEventsTable
    zone: ZoneInfo

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]:
        """Records events and returns the result of each, in order. `received` is when they came.

        Raises UsageNotRecorded when DynamoDB stayed busy: sending everything again is safe.
        """
        parsed = [read_event(raw, received) for raw in raw_events]
        results = {n: result for n, result in enumerate(parsed) if isinstance(result, UsageResult)}
        events = {n: event for n, event in enumerate(parsed) if isinstance(event, UsageEvent)}
        owners = self.accounts.owners({event.deployment_id for event in events.values()})
        rounds = _Rounds()
        for place, event in events.items():
            if event.deployment_id not in owners:
                reason = f"deployment_id: no deployment {event.deployment_id} is known"
                results[place] = rejected(raw_events[place], reason)
                continue
            day = event.occurred_at.astimezone(self.zone).date().isoformat()
            rounds.add(_Group(owners[event.deployment_id], event.deployment_id, day), event, place)
        for groups in rounds.rounds:
            results |= self._write(groups, events)
        return [results[place] for place in range(len(parsed))]

    def _write(
        self, groups: Mapping[_Group, Mapping[str, list[int]]], events: Mapping[int, UsageEvent]
    ) -> dict[int, UsageResult]:
        def write(group: _Group) -> dict[int, UsageResult]:
            places = groups[group]
            try:
                outcomes = self.events.record(
                    group.tenant_id, group.day, [events[first] for first, *_ in places.values()]
                )
            except UsageOfAnotherTenant as error:
                refused = Judged(UsageOutcome.REJECTED, f"deployment_id: {error}")
                outcomes = dict.fromkeys(places, refused)
            return _results(places, outcomes, events)

        results: dict[int, UsageResult] = {}
        with ThreadPoolExecutor(WRITERS) as threads:
            for group_results in threads.map(write, groups):
                results |= group_results
        return results


@cache
def metering() -> Metering:
    """Returns this process's metering over the deployed tables."""
    config = settings()
    accounts, events = AccountsTable(config.accounts_table), UsageEventsTable(config.usage_table)
    return Metering(accounts, events, config.zone)


def _results(
    places: Mapping[str, list[int]],
    outcomes: Outcomes,
    events: Mapping[int, UsageEvent],
) -> dict[int, UsageResult]:
    results = {}
    for key, (first, *copies) in places.items():
        of_first = outcomes[key]
        copied = of_first._replace(outcome=UsageOutcome.DUPLICATE)
        of_copies = copied if of_first.outcome in COUNTED else of_first
        for place, judged in ((first, of_first), *((copy, of_copies) for copy in copies)):
            event = events[place]
            results[place] = UsageResult(event.id, event.source, judged.outcome, judged.reason)
    return results


def results_json(results: Sequence[UsageResult]) -> dict[str, Any]:
    """Returns results as the API shows them: one per event, in order, and counts by outcome."""
    counts = Counter(result.outcome for result in results)
    return {
        "results": [
            {
                "id": result.id,
                "source": result.source,
                "outcome": result.outcome.value,
                "reason": result.reason or None,
            }
            for result in results
        ],
        "counts": {outcome.value: counts[outcome] for outcome in UsageOutcome},
    }
