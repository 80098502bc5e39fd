"""A usage table in memory, which counts as the real one does, and imports of today and of then."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from cli.usage.checked_file import checked
from cli.usage.day_events import SOURCE, DayEvents
from cli.usage.earlier_imports import EarlierImports
from cli.usage.import_report import ImportReport
from cli.usage.input_file import InputFile
from cli.usage.usage_import import UsageImport
from invoicing.accounts.account import Account, Tenant
from invoicing.usage.recorded_event import RecordedEvent, event_key
from invoicing.usage.usage_event import UsageEvent, UsageOutcome, UsageResult, read_event

SYDNEY = ZoneInfo("Australia/Sydney")
RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)
HEADER = "deployment_id,resource_kind,first_day,last_day,quantity_per_day"


class PowerCut(Exception):
    """Breaks an import off."""


@dataclass
class Ledger:
    """Who owns which deployment, what is recorded, and the totals of days; breaks if told to.

    It answers as `Metering`, `RecordedEventsTable` and `AccountsTable` do.
    """

    owners: Mapping[str, str]
    recorded: dict[tuple[str, str], RecordedEvent] = field(default_factory=dict)
    days: defaultdict[tuple[str, str], Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    breaks_after: int | None = None
    ids_read: int = 0

    def record(self, raw_events: Sequence[Any], received: datetime) -> list[UsageResult]:
        return [self._record(raw, received) for raw in raw_events]

    def _record(self, raw: Any, received: datetime) -> UsageResult:
        event = read_event(raw, received)
        if isinstance(event, UsageResult):
            return event
        if event.deployment_id not in self.owners:
            return UsageResult(event.id, event.source, UsageOutcome.REJECTED, "nobody's")
        return UsageResult(event.id, event.source, self._count(event))

    def _count(self, event: UsageEvent) -> UsageOutcome:
        name = (self.owners[event.deployment_id], event_key(event))
        if name in self.recorded:
            same = self.recorded[name].digest == event.digest
            return UsageOutcome.DUPLICATE if same else UsageOutcome.CONFLICT
        if self.breaks_after is not None:
            if self.breaks_after == 0:
                raise PowerCut
            self.breaks_after -= 1
        day = event.occurred_at.astimezone(SYDNEY).date().isoformat()
        self.recorded[name] = RecordedEvent.of(name[0], day, event)
        used: Any = self.days[event.deployment_id, day]
        used[event.resource_kind] += event.quantity
        return UsageOutcome.ACCEPTED

    def events(self, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], RecordedEvent]:
        listed = list(names)
        self.ids_read += len(listed)
        return {name: self.recorded[name] for name in listed if name in self.recorded}

    def used(self, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        known = {
            place
            for deployment, day in self.days
            for place in ((deployment, day), (deployment, day[:7]))
        }
        return set(wanted) & known

    def owners_of(self, deployment_ids: Iterable[str]) -> dict[str, str]:
        return {name: self.owners[name] for name in deployment_ids if name in self.owners}

    def account(self, tenant_id: str) -> Account:
        owned = frozenset(name for name, owner in self.owners.items() if owner == tenant_id)
        return Account(Tenant(tenant_id, tenant_id, "1", "gst"), (), owned)

    @property
    def totals(self) -> dict[tuple[str, str, str], Decimal]:
        """What is counted, by deployment, day and kind."""
        return {
            (deployment, day, kind): Decimal(quantity)
            for (deployment, day), kinds in self.days.items()
            for kind, quantity in kinds.items()
        }


def import_file(
    ledger: Ledger, text: str, name: str = "april.csv", source: str = SOURCE
) -> ImportReport:
    """Imports a file's text into the ledger; a broken import reports what it did."""
    data = text.encode()
    file = InputFile(BytesIO(data), name, name, len(data))
    report, events = ImportReport(), DayEvents(SYDNEY, RECEIVED, source)
    fake: Any = ledger
    counting = UsageImport(ledger, events, report)
    with checked(file, events, report) as whole, suppress(PowerCut):
        if whole.days is None:
            counting.count_events(whole.rows())
        else:
            earlier = EarlierImports(fake, ledger.account, events, whole.days, name, whole.lines)
            counting.count_days(
                whole.days, ledger.owners_of, earlier if source == SOURCE else None
            )
    return report


def import_as_6b321da(ledger: Ledger, rows: Iterable[str], name: str = "april.csv") -> None:
    """Counts days of single days as that commit did: by file name, line and day."""
    raw = []
    for line, row in enumerate(rows, 2):
        deployment_id, kind, day, _, quantity = row.split(",")
        raw.append(
            {
                "id": f"{name}:{line}:{day}",
                "source": "monthend-import",
                "deployment_id": deployment_id,
                "resource_kind": kind,
                "quantity": quantity,
                "occurred_at": f"{day}T12:00:00+{'11' if day < '2026-04-05' else '10'}:00",
            }
        )
    with suppress(PowerCut):
        ledger.record(raw, RECEIVED)
