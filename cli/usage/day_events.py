"""The events that rows for days become: one for each deployment, resource kind and day of a file.

An event's id says what it counts, and not how much of it or where it stood in a file.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from invoicing.usage.usage_event import OLDEST, Quantity, UsageEvent, UsageResult, read_event

# The source of rows for days, unless the caller names another one.
SOURCE = "monthend-import"
NOON = time(12)
NAMES_REMEMBERED = 20_000
QUANTITY = TypeAdapter[Decimal](Quantity)


@dataclass(frozen=True)
class DayEvents:
    """Makes the events of days: at noon of the billing zone, judged as `received` at a moment."""

    zone: ZoneInfo
    received: datetime
    source: str = SOURCE

    def raw(
        self, deployment_id: str, resource_kind: str, day: date, quantity: str
    ) -> Mapping[str, str]:
        """The event as `Metering.record` takes it."""
        return {
            "id": f"{day}:{row_digest(deployment_id, resource_kind)}",
            "source": self.source,
            "deployment_id": deployment_id,
            "resource_kind": resource_kind,
            "quantity": quantity,
            "occurred_at": datetime.combine(day, NOON, self.zone).isoformat(),
        }

    def read(
        self, deployment_id: str, resource_kind: str, day: date, quantity: str
    ) -> UsageEvent | UsageResult:
        """The event, or its rejection."""
        return read_event(self.raw(deployment_id, resource_kind, day, quantity), self.received)

    def fault(self, deployment_id: str, resource_kind: str, quantity: str) -> str:
        """What is wrong with the fields of a row, whatever its days; empty if nothing is."""
        if self._is_named(deployment_id, resource_kind) and _is_quantity(quantity):
            return ""
        event = self.read(deployment_id, resource_kind, self.accepted[1], quantity)
        assert isinstance(event, UsageResult)
        return event.reason

    @cached_property
    def _is_named(self) -> Callable[[str, str], bool]:
        # Remembered, because to read an event takes ten times as long as to read a row.
        @lru_cache(NAMES_REMEMBERED)
        def is_named(deployment_id: str, resource_kind: str) -> bool:
            event = self.read(deployment_id, resource_kind, self.accepted[1], "0")
            return isinstance(event, UsageEvent)

        return is_named

    @cached_property
    def accepted(self) -> tuple[date, date]:
        """The first and the last day whose events are neither too old nor ahead of their time."""
        today = self.received.astimezone(self.zone).date()
        around = (today + timedelta(days=n) for n in range(-OLDEST.days - 2, 3))
        days = [day for day in around if isinstance(self.read("d", "k", day, "0"), UsageEvent)]
        return days[0], days[-1]


def _is_quantity(text: str) -> bool:
    try:
        QUANTITY.validate_python(text)
    except ValidationError:
        return False
    return True


def row_digest(deployment_id: str, resource_kind: str) -> str:
    """What stands for a deployment and kind in an id: both have up to 64 characters."""
    return hashlib.sha256(f"{deployment_id}\n{resource_kind}".encode()).hexdigest()[:32]
