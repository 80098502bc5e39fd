"""What stands of a day's usage, and what may be made of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from invoicing.usage.recorded_event import RecordedEvent
from invoicing.usage.usage_event import WHOLE_DIGITS, decimal_text
from invoicing.usage.usage_table import EXACT, TOO_MUCH

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class UsageDay:
    """A tenant's deployment on one day (billing zone)."""

    tenant_id: str
    deployment_id: str
    day: str

    @property
    def month(self) -> str:
        """The label of the day's month."""
        return self.day[:7]


@dataclass(frozen=True, slots=True)
class QuantityChange:
    """What stood of a kind on a day before a correction, and what stands after it."""

    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class StandingUsage:
    """What was read of a day and its month, by kind, and of some events, by their key.

    `owner` is the tenant whose usage the month is; empty if nothing was counted in it.
    """

    of: UsageDay
    owner: str
    on_day: Mapping[str, Decimal]
    in_month: Mapping[str, Decimal]
    events: Mapping[str, RecordedEvent]

    def owner_fault(self) -> str | None:
        """Why the day is not the tenant's to correct."""
        if self.owner in ("", self.of.tenant_id):
            return None
        return f"usage of {self.of.month} does not belong to tenant {self.of.tenant_id}"

    def fault(self, kind: str, more: Decimal) -> str | None:
        """Why so much more of a kind (less, if negative) cannot stand; None if it can."""
        on_day, in_month = (held.get(kind, NOTHING) for held in (self.on_day, self.in_month))
        for place, held in ((self.of.day, on_day), (self.of.month, in_month)):
            if EXACT.add(held, more) < 0:
                stands = f"{decimal_text(held)} {kind} of {self.of.deployment_id} stand in {place}"
                return f"{stands}: {decimal_text(-more)} cannot be taken off"
        if more > 0 and EXACT.add(in_month, more) >= TOO_MUCH:
            stands = f"{decimal_text(in_month)} {kind} of {self.of.deployment_id} stand in"
            return (
                f"{stands} {self.of.month}: with {decimal_text(more)} more it would have more "
                f"than {WHOLE_DIGITS} digits before the point"
            )
        return None

    def changed(self, more: Mapping[str, Decimal]) -> dict[str, QuantityChange]:
        """Returns the day's changes when so much more of each kind comes to it."""
        changes = {}
        for kind, quantity in more.items():
            before = self.on_day.get(kind, NOTHING)
            changes[kind] = QuantityChange(before, EXACT.add(before, quantity))
        return changes
