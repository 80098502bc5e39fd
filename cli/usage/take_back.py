"""Takes the usage of a file back: what stands of each of its events, day by day.

Each thousand events of a day are a correction of their own, under an id that begins with the
caller's. One that was broken off is run again with its id: what was done is not done again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from itertools import batched
from typing import NamedTuple

from cli.usage.day_events import DayEvents
from cli.usage.days_store import NOBODY, DaysStore, DaySum
from cli.usage.earlier_imports import SPOILED, EarlierImports
from cli.usage.patience import patiently
from cli.usage.take_back_report import TakeBackReport
from cli.usage.usage_file import FaultyRow, Rows, UsageRow
from invoicing.foundation.billing_calendar import label_after, period_of
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.usage.correction import (
    EVENTS_A_CORRECTION,
    MONTHS_BACK,
    Correction,
    CorrectionOutcome,
    CorrectionResult,
)
from invoicing.usage.corrections import Corrected
from invoicing.usage.taking_back import UNKNOWN_DEPLOYMENT
from invoicing.usage.usage_event import UsageEvent, UsageResult, read_event, rejected
from quote_engine import Period

# Every tenant's id sorts before this.
AFTER_ALL_TENANTS = "~"
UNKNOWN = "id: no such event is counted, or it is forgotten by now"
EARLIER = "id: counted by an earlier version, which kept no quantity: correct its day (--day)"


class CorrectableDays(DayEvents):
    """The events of days that a correction made now can reach, however old they are."""

    @cached_property
    def accepted(self) -> tuple[date, date]:
        """The first and the last day that can be corrected; of tomorrow, some may be counted."""
        first = Period.month(label_after(period_of(self.received, self.zone), -MONTHS_BACK)).start
        return first, self.received.astimezone(self.zone).date() + timedelta(days=1)

    def read(
        self, deployment_id: str, resource_kind: str, day: date, quantity: str
    ) -> UsageEvent | UsageResult:
        """The event, or its rejection; its age is that of a day within reach."""
        raw = self.raw(deployment_id, resource_kind, day, quantity)
        first, last = self.accepted
        if not first <= day <= last:
            return rejected(raw, f"day: corrections reach from {first} to {last}")
        return read_event(raw, datetime.fromisoformat(raw["occurred_at"]))


class FileEvent(NamedTuple):
    """An event, and how many rows of the file it is; `lines` are those of the first of them."""

    raw: Mapping[str, str]
    lines: Sequence[int]
    rows: int


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Takes events back and reports on each.

    `correct` makes a correction. It tells `advance` how many rows are done, and calls `pause`
    where it may be stopped.
    """

    correct: Callable[[Correction], Corrected]
    reason: str
    events: DayEvents
    report: TakeBackReport
    advance: Callable[[int], None] = lambda _: None
    pause: Callable[[], None] = lambda: None

    def take_events(self, rows: Rows) -> None:
        """Takes back rows of events, in the order of the file."""
        for number, batch in enumerate(batched(rows, EVENTS_A_CORRECTION, strict=False), start=1):
            for row in batch:
                if isinstance(row, FaultyRow):
                    self.report.reject(row.line, row.reason, 1)
                    self.advance(1)
            events = [FileEvent(r.event, [r.line], 1) for r in batch if isinstance(r, UsageRow)]
            for event, result in self._taken(f"{number}", events):
                self._note(event, result.outcome, result.reason)

    def take_days(self, store: DaysStore, earlier: EarlierImports | None) -> None:
        """Takes back the sums of rows for days; `earlier` knows what earlier versions counted."""
        for day in store.days():
            unknown: dict[str, list[FileEvent]] = defaultdict(list)
            sums = self._countable(store.sums(NOBODY, AFTER_ALL_TENANTS, day))
            for number, batch in enumerate(batched(sums, EVENTS_A_CORRECTION, strict=False), 1):
                taken = self._taken(f"{day}:{number}", list(map(self._event, batch)))
                for day_sum, (event, result) in zip(batch, taken, strict=True):
                    if result.outcome is CorrectionOutcome.UNKNOWN and earlier is not None:
                        unknown[day_sum.tenant_id].append(event)
                    else:
                        self._note(event, result.outcome, result.reason)
            if earlier is not None:
                self._note_unknown(day, unknown, earlier)

    def _countable(self, sums: Iterable[DaySum]) -> Iterator[DaySum]:
        """Yields the sums that may have been counted, and notes all others."""
        for day_sum in sums:
            if day_sum.spoiled:
                self._note(self._event(day_sum), CorrectionOutcome.REJECTED, SPOILED.reason)
            elif day_sum.tenant_id == NOBODY:
                reason = UNKNOWN_DEPLOYMENT.reason
                self._note(self._event(day_sum), CorrectionOutcome.UNKNOWN, reason)
            else:
                yield day_sum

    def _event(self, day_sum: DaySum) -> FileEvent:
        named = day_sum.deployment_id, day_sum.resource_kind, day_sum.day
        raw = self.events.raw(*named, day_sum.quantity)
        return FileEvent(raw, day_sum.lines, day_sum.rows)

    def _note_unknown(
        self, day: date, unknown: Mapping[str, Sequence[FileEvent]], earlier: EarlierImports
    ) -> None:
        """Notes what is not counted under the ids of today: perhaps it is under earlier ones."""
        for tenant_id, events in unknown.items():
            earlier_lines = earlier.lines_counted(tenant_id, day)
            for event in events:
                old = [line for line in event.lines if line in earlier_lines]
                new = [line for line in event.lines if line not in earlier_lines]
                rest = event.rows - len(old)
                self._note(
                    FileEvent(event.raw, old, len(old)), CorrectionOutcome.CONFLICT, EARLIER
                )
                self._note(FileEvent(event.raw, new, rest), CorrectionOutcome.UNKNOWN, UNKNOWN)

    def _taken(
        self, name: str, events: Sequence[FileEvent]
    ) -> Iterable[tuple[FileEvent, CorrectionResult]]:
        if not events:
            return ()
        self.pause()
        self.report.begun = True
        correction = Correction(
            id=f"{self.report.correction_id}:{name}",
            reason=self.reason,
            events=tuple(event.raw for event in events),
        )
        corrected = patiently(partial(self.correct, correction), RecordBusy)
        self.report.changes.add(corrected.days)
        return zip(events, corrected.results, strict=True)

    def _note(self, event: FileEvent, outcome: CorrectionOutcome, reason: str) -> None:
        self.report.add(outcome, reason, event.lines, event.rows)
        self.advance(event.rows)
