"""Makes corrections: what stands is read and judged, and each day is changed in one transaction.

What was judged may change before it is written. The transaction is then refused, and everything is
read and judged again. A refusal is told only if the correction's id was still unused after the
read on which it rests: otherwise what was read may be what this very correction made of it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.audit import Actor
from invoicing.foundation.back_off import back_off
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.usage.correction import (
    Correction,
    CorrectionOutcome,
    CorrectionRefused,
    CorrectionResult,
    DayChange,
    EventChange,
    InvalidCorrection,
    NothingToCorrect,
    day_fault,
    month_fault,
)
from invoicing.usage.correction_actions import DayCorrection
from invoicing.usage.correction_record import CorrectedDay, CorrectionRecord
from invoicing.usage.corrections_table import CorrectionsTable, TooManyKinds
from invoicing.usage.recorded_event import Counted, RecordedEvent, event_key
from invoicing.usage.standing_usage import NOTHING, StandingUsage, UsageDay
from invoicing.usage.taking_back import (
    EARLIER_VERSION,
    TRIES,
    UNKNOWN_DEPLOYMENT,
    EventName,
    MarkOf,
    Seen,
    TakingBack,
)
from invoicing.usage.usage_event import UsageEvent, UsageResult, decimal_text
from invoicing.usage.usage_table import EXACT

type Judge = Callable[[CorrectionRecord], DayCorrection]
"""Reads what stands and returns the transaction, or raises what speaks against it."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction that was made, now or before (`repeated`).

    `days` is what it changed; `results` has the result of each event of a list, in order.
    """

    record: CorrectionRecord
    repeated: bool
    days: tuple[CorrectedDay, ...]
    results: tuple[CorrectionResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Corrections:
    """Makes corrections; months and days are those of the billing zone."""

    accounts: AccountsTable
    table: CorrectionsTable
    mark: MarkOf
    zone: ZoneInfo

    def correct(self, correction: Correction, by: Actor, at: datetime) -> Corrected:
        """Makes a correction that somebody asks for at this moment, once for its id.

        Raises InvalidCorrection, NothingToCorrect and CorrectionRefused, with nothing changed.
        Raises RecordBusy when others kept changing the same usage: the same id again is safe, and
        goes on with a list of events where it was left.
        """
        record = CorrectionRecord.of(correction, by, at)
        today = self._today(at)
        if correction.day is not None:
            return self._once(record, partial(self._day, correction.day, today))
        if correction.event is not None:
            return self._once(record, partial(self._event, correction.event, today))
        known = self.table.begin(record)
        corrected = self._events(record, correction, self._taking_back(known, today))
        if not known.finished:
            self.table.finish(known, at.isoformat())
        return corrected

    def foresee(self, correction: Correction, by: Actor, at: datetime) -> Corrected:
        """Returns what taking a list of events back would come to, and writes nothing.

        Raises CorrectionRefused for an id that was used for something else.
        """
        record = CorrectionRecord.of(correction, by, at)
        known = self.table.record(record.id) or record
        taking_back = self._taking_back(known, self._today(at), dry_run=True)
        return self._events(record, correction, taking_back)

    def _today(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _taking_back(
        self, record: CorrectionRecord, today: date, *, dry_run: bool = False
    ) -> TakingBack:
        return TakingBack(self.table, self.mark, record, today, dry_run)

    def _once(self, asked: CorrectionRecord, judge: Judge) -> Corrected:
        for attempt in range(TRIES):
            refusal: Exception | None = None
            try:
                judged = judge(asked)
            except (InvalidCorrection, NothingToCorrect, CorrectionRefused) as error:
                refusal = error
            if known := self.table.record(asked.id):
                return self._made_before(asked, known)
            if refusal is not None:
                raise refusal
            if self._written(judged):
                return Corrected(judged.record, False, (judged.trace,))
            back_off(attempt)
        raise RecordBusy(f"correction {asked.id}: changed by others during {TRIES} tries")

    def _made_before(self, asked: CorrectionRecord, known: CorrectionRecord) -> Corrected:
        """Answers as the first did: by this very call, if the reply to its write was lost."""
        _refuse_other_content(asked, known)
        assert known.changed is not None
        trace = self.table.traced(known, known.changed, 0)
        assert trace is not None
        return Corrected(known, known.attempt != asked.attempt, (trace,))

    def _written(self, judged: DayCorrection) -> bool:
        try:
            return self.table.write(judged, self.mark(judged.trace))
        except TooManyKinds as error:
            text = "too many resource kinds for this deployment's month"
            raise CorrectionRefused({"day.resource_kind": text}) from error

    def _owner(self, deployment_id: str) -> str:
        owner = self.accounts.owners([deployment_id]).get(deployment_id)
        if owner is None:
            raise NothingToCorrect("There is no such deployment.")
        return owner

    def _day(self, change: DayChange, today: date, asked: CorrectionRecord) -> DayCorrection:
        if fault := day_fault(change.day, today):
            raise InvalidCorrection({"day.day": fault})
        of = UsageDay(
            self._owner(change.deployment_id), change.deployment_id, change.day.isoformat()
        )
        stands = self.table.standing(of)
        on_day = stands.on_day.get(change.resource_kind, NOTHING)
        if on_day != change.expect:
            said = f"{decimal_text(on_day)} {change.resource_kind} stand on {of.day}"
            expected = decimal_text(change.expect)
            raise CorrectionRefused({"day.expect": f"{said}, not {expected}"})
        return _single(asked, stands, change, change.resource_kind)

    def _event(self, change: EventChange, today: date, asked: CorrectionRecord) -> DayCorrection:
        owner = self._owner(change.deployment_id)
        recorded = self.table.event(owner, change.key)
        if recorded is None:
            text = "There is no such event: it was never counted, or it is forgotten."
            raise NothingToCorrect(f"{text} Correct its day instead.")
        counted = _counted(recorded, change, today)
        stands = self.table.standing(UsageDay(owner, counted.deployment_id, counted.day))
        return _single(asked, stands, change, counted.resource_kind, recorded)

    def _events(
        self, asked: CorrectionRecord, correction: Correction, taking_back: TakingBack
    ) -> Corrected:
        known = taking_back.record
        _refuse_other_content(asked, known)
        taken = taking_back.take_back(self._days_of(correction.valid_events))
        results = tuple(_result(event, taken.seen) for event in correction.parsed_events)
        return Corrected(known, known.attempt != asked.attempt, taken.days, results)

    def _days_of(self, events: Sequence[UsageEvent]) -> Iterator[tuple[UsageDay, UsageEvent]]:
        """Yields the events of known deployments, each with the day that it is counted on."""
        owners = self.accounts.owners({event.deployment_id for event in events})
        for event in events:
            if owner := owners.get(event.deployment_id):
                day = event.occurred_at.astimezone(self.zone).date()
                yield UsageDay(owner, event.deployment_id, day.isoformat()), event


def _result(event: UsageEvent | UsageResult, seen: Mapping[EventName, Seen]) -> CorrectionResult:
    if isinstance(event, UsageResult):
        return CorrectionResult(event.id, event.source, CorrectionOutcome.REJECTED, event.reason)
    name = event_key(event), event.digest
    outcome, reason = seen.get(name, UNKNOWN_DEPLOYMENT)
    return CorrectionResult(event.id, event.source, outcome, reason)


def _refuse_other_content(asked: CorrectionRecord, known: CorrectionRecord) -> None:
    if known.digest != asked.digest:
        used = f"was used at {known.at} for another correction, by {known.by.name}"
        raise CorrectionRefused({"id": used})


def _counted(recorded: RecordedEvent, change: EventChange, today: date) -> Counted:
    """Returns what the event is counted as; raises CorrectionRefused if it is not as expected."""
    counted = recorded.counted
    if counted is None:
        raise CorrectionRefused({"event.id": EARLIER_VERSION})
    if counted.deployment_id != change.deployment_id:
        text = f"the event is counted for {counted.deployment_id}"
        raise CorrectionRefused({"event.deployment_id": text})
    if fault := month_fault(date.fromisoformat(counted.day), today):
        raise CorrectionRefused({"event.id": f"is counted on {counted.day}: {fault}"})
    if counted.quantity != change.expect:
        since = f" since correction {recorded.corrected_by}" if recorded.corrected_by else ""
        said = f"{decimal_text(counted.quantity)} {counted.resource_kind} stand of it{since}"
        raise CorrectionRefused({"event.expect": f"{said}, not {decimal_text(change.expect)}"})
    return counted


def _single(
    asked: CorrectionRecord,
    stands: StandingUsage,
    change: DayChange | EventChange,
    kind: str,
    event: RecordedEvent | None = None,
) -> DayCorrection:
    """Returns the transaction of a single change; raises CorrectionRefused if it cannot be."""
    more = EXACT.subtract(change.quantity, change.expect)
    if fault := stands.owner_fault():
        raise CorrectionRefused({f"{asked.form}.deployment_id": fault})
    if fault := stands.fault(kind, more):
        raise CorrectionRefused({f"{asked.form}.quantity": fault})
    record = asked.of_day(stands.of)
    trace = CorrectedDay.by_record(record, stands.of, stands.changed({kind: more}))
    events = [(event, change.quantity)] if event else []
    return DayCorrection(record, trace, 0, stands.on_day, events)
