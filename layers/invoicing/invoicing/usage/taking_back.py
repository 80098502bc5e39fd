"""Takes a list of events back, chunk by chunk: what a broken run leaves is done by its repeat.

A chunk is what one transaction holds of a deployment's day. Which events are in it follows from
the list alone, so a chunk that was done before has a trace under its number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import batched, groupby
from typing import NamedTuple

from invoicing.foundation.back_off import back_off
from invoicing.foundation.parallel import at_once
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.usage.correction import CorrectionOutcome, month_fault
from invoicing.usage.correction_actions import EVENTS_A_CHUNK, Action, DayCorrection
from invoicing.usage.correction_record import CorrectedDay, CorrectionRecord
from invoicing.usage.corrections_table import CorrectionsTable
from invoicing.usage.recorded_event import Counted, RecordedEvent, event_key
from invoicing.usage.standing_usage import NOTHING, StandingUsage, UsageDay
from invoicing.usage.usage_event import UsageEvent
from invoicing.usage.usage_table import EXACT

TRIES = 8
EARLIER_VERSION = (
    "was counted by an earlier version, which did not keep its quantity: correct its day (`day`)"
)

type MarkOf = Callable[[CorrectedDay], Action]
"""Returns the action that marks a day's month as corrected, in the tenant's billing history."""
type EventName = tuple[str, str]
"""An event's key and digest: what tells it from others, and from others with its id."""


class Seen(NamedTuple):
    """What became of an event of the list, and why."""

    outcome: CorrectionOutcome
    reason: str = ""


type SeenEvents = dict[EventName, Seen]
type _Done = tuple[CorrectedDay | None, SeenEvents]

CORRECTED = Seen(CorrectionOutcome.CORRECTED)
UNKNOWN = Seen(CorrectionOutcome.UNKNOWN, "id: no such event is counted, or it is forgotten")
UNKNOWN_DEPLOYMENT = Seen(CorrectionOutcome.REJECTED, "deployment_id: no such deployment is known")
STILL_STANDS = Seen(
    CorrectionOutcome.CONFLICT,
    "id: this correction left it, or it was counted or raised since; a new one takes it back",
)


class _Chunk(NamedTuple):
    of: UsageDay
    number_of_day: int
    events: Mapping[EventName, UsageEvent]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a list of events came to: the days that were changed, and what became of each event."""

    days: tuple[CorrectedDay, ...]
    seen: Mapping[EventName, Seen]


@dataclass(frozen=True, slots=True)
class TakingBack:
    """Takes the events of one correction back; `today` is a day of the billing zone.

    With `dry_run` it reads and judges the same, and writes nothing.
    """

    table: CorrectionsTable
    mark: MarkOf
    record: CorrectionRecord
    today: date
    dry_run: bool = False

    def take_back(self, events: Iterable[tuple[UsageDay, UsageEvent]]) -> TakenBack:
        """Takes back what stands of these events, each on the day that it was counted on.

        Raises RecordBusy, with some of them taken back. Deployments are written at the same time;
        the days of one would only wait for each other at the total of their month.
        """
        by_deployment = groupby(_chunks(events), lambda chunk: chunk.of.deployment_id)
        parts = at_once(self._each, [list(chunks) for _, chunks in by_deployment])
        done = [of_chunk for part in parts for of_chunk in part]
        seen: SeenEvents = {}
        for _, of_chunk in done:
            seen |= of_chunk
        return TakenBack(tuple(day for day, _ in done if day is not None), seen)

    def _each(self, chunks: Sequence[_Chunk]) -> list[_Done]:
        return [self._chunk(chunk) for chunk in chunks]

    def _chunk(self, chunk: _Chunk) -> _Done:
        for attempt in range(TRIES):
            # Read before the events: what the trace tells is then seen in them, too.
            trace = self.table.traced(self.record, chunk.of, chunk.number_of_day)
            stands = self.table.standing(chunk.of, {event_key(e) for e in chunk.events.values()})
            seen = self._seen(chunk, stands)
            left = {name: event for name, event in chunk.events.items() if name not in seen}
            if trace is not None or self.record.finished:
                return trace, seen | dict.fromkeys(left, STILL_STANDS)
            seen |= _without_room(left, stands)
            left = {name: event for name, event in left.items() if name not in seen}
            if not left and CORRECTED not in seen.values():
                return None, seen
            if left and (written := self._write(chunk, stands, left.values())):
                return written, seen | dict.fromkeys(left, CORRECTED)
            # Others were here, perhaps with the same correction.
            back_off(attempt)
        raise RecordBusy(f"{chunk.of.deployment_id} on {chunk.of.day} after {TRIES} tries")

    def _seen(self, chunk: _Chunk, stands: StandingUsage) -> SeenEvents:
        """Returns what is recorded of the events of which nothing is to be taken back now."""
        seen: SeenEvents = {}
        for name, event in chunk.events.items():
            if result := self._judged(event, chunk.of, stands.events.get(name[0])):
                seen[name] = result
        return seen

    def _judged(
        self, event: UsageEvent, of: UsageDay, recorded: RecordedEvent | None
    ) -> Seen | None:
        """Returns what becomes of an event by what is recorded of it; None if it stands."""
        if recorded is None:
            return UNKNOWN
        if recorded.digest != event.digest:
            return Seen(CorrectionOutcome.CONFLICT, "id: is counted with other content")
        if recorded.corrected_by == self.record.id:
            return CORRECTED
        if recorded.counted is None:
            return Seen(CorrectionOutcome.CONFLICT, f"id: {EARLIER_VERSION}")
        if not recorded.counted.quantity:
            by = f", since correction {recorded.corrected_by}" if recorded.corrected_by else ""
            return Seen(CorrectionOutcome.UNCHANGED, f"id: nothing stands of it{by}")
        fault = _day_fault(recorded.counted, of, self.today)
        return Seen(CorrectionOutcome.REJECTED, f"occurred_at: {fault}") if fault else None

    def _write(
        self, chunk: _Chunk, stands: StandingUsage, events: Iterable[UsageEvent]
    ) -> CorrectedDay | None:
        recorded = [stands.events[event_key(event)] for event in events]
        changes = stands.changed(_taken_off(recorded))
        trace = CorrectedDay.by_record(self.record, chunk.of, changes)
        to_nothing = [(event, NOTHING) for event in recorded]
        correction = DayCorrection(
            self.record, trace, chunk.number_of_day, stands.on_day, to_nothing
        )
        written = self.dry_run or self.table.write(correction, self.mark(trace))
        return trace if written else None


def _without_room(left: Mapping[EventName, UsageEvent], stands: StandingUsage) -> SeenEvents:
    """Returns those of the events that cannot be taken off what stands, and why."""
    if fault := stands.owner_fault():
        return dict.fromkeys(left, Seen(CorrectionOutcome.CONFLICT, f"deployment_id: {fault}"))
    seen: SeenEvents = {}
    for kind, more in _taken_off(stands.events[key] for key, _ in left).items():
        if fault := stands.fault(kind, more):
            conflict = Seen(CorrectionOutcome.CONFLICT, f"quantity: {fault}")
            of_kind = (name for name in left if left[name].resource_kind == kind)
            seen |= dict.fromkeys(of_kind, conflict)
    return seen


def _day_fault(counted: Counted, of: UsageDay, today: date) -> str | None:
    if counted.day != of.day:
        # The billing zone is another since.
        return f"is counted on {counted.day}, not on {of.day}"
    return month_fault(date.fromisoformat(of.day), today)


def _taken_off(events: Iterable[RecordedEvent]) -> dict[str, Decimal]:
    """Returns what comes to each kind when nothing is left of these events: less than zero."""
    more: dict[str, Decimal] = defaultdict(Decimal)
    for event in events:
        if event.counted is not None:
            kind = event.counted.resource_kind
            more[kind] = EXACT.subtract(more[kind], event.counted.quantity)
    return more


def _chunks(events: Iterable[tuple[UsageDay, UsageEvent]]) -> Iterator[_Chunk]:
    """Yields the chunks in order of deployment and day, whatever the order of events."""
    by_day: dict[UsageDay, dict[EventName, UsageEvent]] = defaultdict(dict)
    for of, event in events:
        by_day[of][event_key(event), event.digest] = event
    for of in sorted(by_day, key=lambda of: (of.deployment_id, of.day)):
        in_order = sorted(by_day[of].items(), key=lambda named: named[0])
        for number, chunk in enumerate(batched(in_order, EVENTS_A_CHUNK, strict=False)):
            yield _Chunk(of, number, dict(chunk))
