"""`monthend usage import`: records events by the same code as the API, exactly once.

The import remembers nothing. One that was broken off is run again from its start: what had been
counted is then a duplicate.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import batched, groupby
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cli.usage.day_events import DayEvents
from cli.usage.days_store import DaysStore, DaySum
from cli.usage.earlier_imports import EarlierImports, TenantDay, to_be_counted
from cli.usage.import_report import ImportReport
from cli.usage.patience import patiently
from cli.usage.usage_file import FaultyRow, Rows, UsageRow
from invoicing.usage.metering import COUNTED, EVENTS_A_CALL
from invoicing.usage.usage_event import UsageResult
from invoicing.usage.usage_events_table import Judged, UsageNotRecorded

# How many rows are held in memory, so that events of a deployment and day come together.
ROWS_SORTED = 20_000
# Enough to write in parallel; their accounts are held in memory.
TENANTS_AT_ONCE = 200


class Recorder(Protocol):
    """`invoicing.usage.metering.Metering`, a dry run, or a test's own recorder."""

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]: ...


@dataclass(frozen=True, slots=True)
class UsageImport:
    """Counts a file's events and reports on each; months are those of the billing zone.

    It tells `advance` how many are done, and calls `pause` where it may be stopped.
    """

    recorder: Recorder
    events: DayEvents
    report: ImportReport
    advance: Callable[[int], None] = lambda _: None
    pause: Callable[[], None] = lambda: None

    def count_events(self, rows: Rows) -> None:
        """Counts rows of events; raises UsageNotRecorded when DynamoDB stays busy."""
        for window in batched(rows, ROWS_SORTED, strict=False):
            faulty = [row for row in window if isinstance(row, FaultyRow)]
            for row in faulty:
                self.report.reject(row.line, row.reason)
            self.advance(len(faulty))
            events = sorted((row for row in window if isinstance(row, UsageRow)), key=_cheapest)
            for batch in batched(events, EVENTS_A_CALL, strict=False):
                results = self._record([row.event for row in batch])
                for event, result in zip(batch, results, strict=True):
                    counted = result.outcome in COUNTED
                    month = _month(event, self.events.zone) if counted else ""
                    self.report.add(_judged(result), [event.line], month=month)
                self.advance(len(batch))

    def count_days(
        self,
        store: DaysStore,
        owners: Callable[[Iterable[str]], Mapping[str, str]],
        earlier: EarlierImports | None,
    ) -> None:
        """Counts the sums of rows for days, except what `earlier` knows to be counted.

        Raises UsageNotRecorded when DynamoDB stays busy.
        """
        store.sort(owners)
        days = store.days()
        for tenants in store.tenants(TENANTS_AT_ONCE):
            if earlier is not None:
                earlier.begin(tenants, days)
            for window in _windows(store, tenants, days):
                self._count(window, earlier)

    def _count(self, window: Sequence[TenantDay], earlier: EarlierImports | None) -> None:
        sifted = (
            to_be_counted(day_sum for each in window for day_sum in each.sums)
            if earlier is None
            else earlier.sift(window)
        )
        wanted: list[DaySum] = []
        for day_sum, judged in sifted:
            if judged is None:
                wanted.append(day_sum)
            else:
                self._note(day_sum, judged)
        for batch in batched(wanted, EVENTS_A_CALL, strict=False):
            results = self._record([self._raw(day_sum) for day_sum in batch])
            for day_sum, result in zip(batch, results, strict=True):
                self._note(day_sum, _judged(result))

    def _raw(self, day_sum: DaySum) -> Mapping[str, str]:
        return self.events.raw(
            day_sum.deployment_id, day_sum.resource_kind, day_sum.day, day_sum.quantity
        )

    def _note(self, day_sum: DaySum, judged: Judged) -> None:
        month = f"{day_sum.day:%Y-%m}"
        self.report.add(judged, day_sum.lines, day_sum.rows, month)
        self.advance(day_sum.rows)

    def _record(self, events: Sequence[Mapping[str, str]]) -> list[UsageResult]:
        self.pause()
        self.report.begun = True
        record = partial(self.recorder.record, events, self.events.received)
        return patiently(record, UsageNotRecorded)


def _windows(
    store: DaysStore, tenants: Sequence[str], days: Sequence[date]
) -> Iterator[list[TenantDay]]:
    """Yields the days of these tenants, as many at once as have a thousand sums.

    Days before deployments: neighbours are written in parallel, and those of one deployment
    would wait for each other at the total of its month.
    """
    window: list[TenantDay] = []
    size = 0
    for day in days:
        sums = store.sums(tenants[0], tenants[-1], day)
        for tenant_id, of_tenant in groupby(sums, lambda day_sum: day_sum.tenant_id):
            window.append(TenantDay(tenant_id, day, list(of_tenant)))
            size += len(window[-1].sums)
            if size >= EVENTS_A_CALL:
                yield window
                window, size = [], 0
    if window:
        yield window


def _judged(result: UsageResult) -> Judged:
    return Judged(result.outcome, result.reason)


def _month(row: UsageRow, zone: ZoneInfo) -> str:
    # The event was counted, so its time is valid, in lower or in upper case.
    occurred = datetime.fromisoformat(row.event["occurred_at"].upper())
    return f"{occurred.astimezone(zone):%Y-%m}"


def _cheapest(row: UsageRow) -> tuple[str, str]:
    """The order of events: those of a deployment and day come together and share transactions.

    The day comes before the deployment: neighbours are written in parallel, and those of one
    deployment would wait for each other at the total of its month.
    """
    return row.event["occurred_at"][:10], row.event["deployment_id"]
