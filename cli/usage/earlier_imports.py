"""What is counted of a file already: under the ids of today, and under those of earlier versions.

Earlier versions named the events of rows for days `<file name>:<line>:<day>`. Who imports such a
file again must not count it again, whatever the order of its lines is by now. So the rows of a
tenant and day are compared with all events that have an old id of this file, by their content.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from cli.stack.stack import Stack
from cli.usage.checked_file import CheckedFile
from cli.usage.day_events import SOURCE, DayEvents
from cli.usage.days_store import NOBODY, DaysStore, DaySum
from invoicing.accounts.account import Account, InvalidAccount
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.foundation.parallel import at_once
from invoicing.usage.recorded_event import RecordedEvent, event_key
from invoicing.usage.recorded_events_table import EventName, RecordedEventsTable
from invoicing.usage.usage_event import UsageEvent, UsageOutcome
from invoicing.usage.usage_events_table import Judged, judged_again

# Earlier versions took no other file names.
OLD_NAME = re.compile(r"[!-~]{1,96}")
# How many lines longer the file may have been when it was imported.
LINES_MORE = 1000
DUPLICATE = Judged(UsageOutcome.DUPLICATE)
SPOILED = Judged(
    UsageOutcome.REJECTED,
    "quantity: not counted, since another row of this deployment, kind and day is faulty",
)
OTHER_ROWS = Judged(
    UsageOutcome.CONFLICT,
    "id: this file was imported before with other rows of this tenant for these days; the first "
    "import is kept; if it adds to that, import it with --source",
)


@dataclass(frozen=True, slots=True)
class TenantDay:
    """The sums of a tenant's day in the file."""

    tenant_id: str
    day: date
    sums: Sequence[DaySum]


type Sifted = tuple[DaySum, Judged | None]
"""Rows, and what becomes of them; None if they are to be counted."""
type _Recorded = Mapping[EventName, RecordedEvent]


def to_be_counted(sums: Iterable[DaySum]) -> Iterator[Sifted]:
    """Yields all sums as those to be counted, except the spoiled ones."""
    for day_sum in sums:
        if day_sum.rows:
            yield day_sum, SPOILED if day_sum.spoiled else None


@dataclass(slots=True)
class EarlierImports:
    """Sifts the sums of a file: what was counted by earlier imports is not counted again.

    Nothing is looked up for a tenant and day of which no usage is counted. `lines` is the number
    of lines of the file.
    """

    recorded: RecordedEventsTable
    account: Callable[[str], Account]
    events: DayEvents
    store: DaysStore
    file_name: str
    lines: int
    looked_up: Callable[[int], None] = lambda _: None
    # The deployments of the tenants at hand, None if their account cannot be read.
    _deployments: dict[str, list[str] | None] = field(default_factory=dict)
    _used_months: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of_file(
        cls, stack: Stack, whole: CheckedFile, days: DaysStore, events: DayEvents
    ) -> "EarlierImports | None":
        """Returns what earlier versions may have counted of a file; None under another source."""
        if events.source != SOURCE:
            return None
        recorded = RecordedEventsTable(stack.settings.usage_table)
        account = stack.accounts.account
        return cls(recorded, account, events, days, whole.file.name, whole.lines)

    def begin(self, tenants: Sequence[str], days: Sequence[date]) -> None:
        """Reads which months of these tenants have any usage; then their days can be sifted."""
        self._deployments = dict(zip(tenants, at_once(self._deployments_of, tenants), strict=True))
        months = sorted({f"{day:%Y-%m}" for day in days})
        tenant_of = {
            name: tenant_id
            for tenant_id, names in self._deployments.items()
            for name in names or ()
        }
        used = self.recorded.used((name, month) for name in tenant_of for month in months)
        self._used_months = {(tenant_of[name], month) for name, month in used}

    def _deployments_of(self, tenant_id: str) -> list[str] | None:
        if tenant_id == NOBODY:
            return []
        try:
            account = self.account(tenant_id)
        except (UnknownTenant, InvalidAccount):
            return None
        named = {segment.deployment_id for segment in account.segments}
        return sorted(named | account.unsubscribed)

    def sift(self, tenant_days: Sequence[TenantDay]) -> Iterator[Sifted]:
        """Yields all rows of these days with what becomes of them."""
        used = self._used(tenant_days)
        looked = [each for each in tenant_days if (each.tenant_id, each.day) in used]
        recorded = self.recorded.events(
            (each.tenant_id, event_key(event))
            for each in looked
            for event in map(self._event, each.sums)
            if event is not None
        )
        for each in tenant_days:
            if (each.tenant_id, each.day) not in used:
                yield from to_be_counted(each.sums)
                continue
            judged = [self._known(day_sum, recorded) for day_sum in each.sums]
            if all(judged):
                yield from zip(each.sums, judged, strict=True)
            else:
                yield from self._compared(each, recorded)

    def lines_counted(self, tenant_id: str, day: date) -> set[int]:
        """The lines of a tenant's day that an earlier version counted, under ids of its own."""
        self.begin([tenant_id], [day])
        each = TenantDay(tenant_id, day, ())
        if not self._used([each]):
            return set()
        lines: set[int] = set()
        old = self._old(each)
        for deployment_id, kind, quantity, line in self.store.rows(tenant_id, day) if old else ():
            digest = self._digest(DaySum(tenant_id, deployment_id, kind, day), quantity)
            if old[digest]:
                old[digest] -= 1
                lines.add(line)
        return lines

    def _used(self, tenant_days: Sequence[TenantDay]) -> set[tuple[str, date]]:
        """Of which tenants and days any usage is counted, or may be."""
        used: set[tuple[str, date]] = set()
        wanted: dict[tuple[str, str], tuple[str, date]] = {}
        for each in tenant_days:
            names, place = self._deployments[each.tenant_id], (each.tenant_id, each.day)
            if names is None:
                used.add(place)
            elif (each.tenant_id, f"{each.day:%Y-%m}") in self._used_months:
                wanted |= {(name, each.day.isoformat()): place for name in names}
        return used | {wanted[found] for found in self.recorded.used(wanted)}

    def _event(self, day_sum: DaySum) -> UsageEvent | None:
        """The event of a sum; None if it has none, or has too many digits."""
        if day_sum.spoiled or not day_sum.rows:
            return None
        event = self.events.read(
            day_sum.deployment_id, day_sum.resource_kind, day_sum.day, day_sum.quantity
        )
        return event if isinstance(event, UsageEvent) else None

    def _known(self, day_sum: DaySum, recorded: _Recorded) -> Judged | None:
        """That a sum is counted already, with this very quantity; None if it is not."""
        event = self._event(day_sum)
        if event is None:
            return None
        known = recorded.get((day_sum.tenant_id, event_key(event)))
        if known is None or known.digest != event.digest:
            return None
        return judged_again(event, day_sum.day.isoformat(), known)

    def _compared(self, each: TenantDay, recorded: _Recorded) -> Iterator[Sifted]:
        """Compares the rows of a day with all that earlier versions counted of this file."""
        old = self._old(each)
        matched, rest = self._matched(each, old) if old else (0, each.sums)
        if matched:
            yield DaySum(each.tenant_id, "", "", each.day, rows=matched), DUPLICATE
        for day_sum, judged in to_be_counted(rest):
            known = judged or self._known(day_sum, recorded)
            # Old events without a row: which of the other rows they were is not known.
            yield day_sum, known or (OTHER_ROWS if old.total() else None)

    def _old(self, each: TenantDay) -> Counter[str]:
        """How many events with an old id of this file are counted, by digest."""
        if not OLD_NAME.fullmatch(self.file_name):
            return Counter()
        ids = range(1, self.lines + LINES_MORE + 1)
        self.looked_up(len(ids))
        names = ((each.tenant_id, f"{SOURCE}#{self.file_name}:{line}:{each.day}") for line in ids)
        return Counter(event.digest for event in self.recorded.events(names).values())

    def _matched(self, each: TenantDay, old: Counter[str]) -> tuple[int, list[DaySum]]:
        """Takes the event of each row out of `old`; returns how many, and the sums of the rest."""
        matched, rest = 0, []
        rows = self.store.rows(each.tenant_id, each.day)
        in_order = groupby(rows, lambda row: row[:2])
        for day_sum, (_, of_key) in zip(each.sums, in_order, strict=True):
            left = day_sum.empty()
            for *_, quantity, line in of_key:
                digest = self._digest(day_sum, quantity)
                if old[digest]:
                    old[digest] -= 1
                    matched += 1
                else:
                    left.add(quantity, line)
            rest.append(left)
        return matched, rest

    def _digest(self, day_sum: DaySum, quantity: str | None) -> str:
        """The digest of a single row's event; empty if it has none."""
        row = day_sum.empty()
        row.add(quantity, 0)
        event = self._event(row)
        return event.digest if event else ""
