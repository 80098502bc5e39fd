"""What is stored of a counted event under its id: the dedupe item of the usage table.

PK `<tenant>#<source>#<id>`, SK `event`. It keeps what the event was counted as, so that a conflict
can be told with both figures, and the event taken back. Items of earlier versions have the digest
alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from invoicing.usage.usage_event import UsageEvent
from invoicing.usage.usage_table import DAY, KEY, OWNER, number

DEDUPE = "event"


def event_key(event: UsageEvent) -> str:
    """Returns what identifies an event within its tenant."""
    return f"{event.source}#{event.id}"


@dataclass(frozen=True, slots=True)
class Counted:
    """What an event is counted as: `quantity` is what stands of it now, on a billing day."""

    deployment_id: str
    resource_kind: str
    day: str
    quantity: Decimal

    @property
    def said(self) -> str:
        """In words, such as `5 egress_gb of pilot on 2026-04-15`."""
        used = f"{format(self.quantity, 'f')} {self.resource_kind}"
        return f"{used} of {self.deployment_id} on {self.day}"


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that was counted; `corrected_by` is the id of the last correction of it, if any.

    `counted` is None for events that an earlier version recorded.
    """

    tenant_id: str
    key: str
    digest: str
    counted: Counted | None
    corrected_by: str = ""

    @classmethod
    def of(cls, tenant_id: str, day: str, event: UsageEvent) -> "RecordedEvent":
        """Returns what is recorded when an event is counted on a day of the billing zone."""
        counted = Counted(event.deployment_id, event.resource_kind, day, event.quantity)
        return cls(tenant_id, event_key(event), event.digest, counted)

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "RecordedEvent":
        """Reads a raw item, of this version or an earlier one."""
        tenant_id = item[OWNER]["S"]
        counted = None
        if "quantity" in item:
            counted = Counted(
                item["deployment_id"]["S"],
                item["resource_kind"]["S"],
                item["counted_on"]["S"],
                Decimal(item["quantity"]["N"]),
            )
        return cls(
            tenant_id,
            item[KEY]["S"].removeprefix(f"{tenant_id}#"),
            item["digest"]["S"],
            counted,
            item.get("corrected_by", {}).get("S", ""),
        )

    def item(self, expires_at: datetime | None) -> dict[str, Any]:
        """Returns the raw item; DynamoDB deletes it after `expires_at`, or never."""
        item = item_key(self.tenant_id, self.key) | {
            OWNER: {"S": self.tenant_id},
            "digest": {"S": self.digest},
        }
        if self.counted is not None:
            item |= {
                "deployment_id": {"S": self.counted.deployment_id},
                "resource_kind": {"S": self.counted.resource_kind},
                "counted_on": {"S": self.counted.day},
                "quantity": number(self.counted.quantity),
            }
        if expires_at is not None:
            item["expires_at"] = {"N": str(int(expires_at.timestamp()))}
        return item


def item_key(tenant_id: str, key: str) -> dict[str, Any]:
    """Returns the key of a recorded event's raw item."""
    return {KEY: {"S": f"{tenant_id}#{key}"}, DAY: {"S": DEDUPE}}
