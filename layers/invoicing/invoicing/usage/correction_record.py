"""What is stored of corrections: what an id was used for, and what changed on each day.

PK `#correction#<id>`, SK `correction`: the id's own item. PK `#corrections#<deployment>#2026-10`,
SK `<day>#<moment>#<id>#<nnnn>`: the trace of a day, written in the transaction that changed it.
No tenant and no deployment can begin with `#`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from invoicing.foundation.audit import Actor
from invoicing.usage.correction import Correction
from invoicing.usage.standing_usage import QuantityChange, UsageDay
from invoicing.usage.usage_table import DAY, KEY, OWNER, number

RECORD = "correction"
PLACE = OWNER, "deployment_id", "counted_on"
MOMENTS = "before", "after"


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """What a correction's id was used for; `at` is when it was first asked for (UTC, ISO 8601).

    `attempt` is the call that wrote it: it recognises its own write after a lost reply. `changed`
    is the day that a single change is of. Of a list of events, `finished` says that all of them
    have been seen to.
    """

    id: str
    digest: str
    form: str
    reason: str
    by: Actor
    at: str
    attempt: str
    changed: UsageDay | None = None
    finished: bool = False

    @classmethod
    def of(cls, correction: Correction, by: Actor, at: datetime) -> "CorrectionRecord":
        """Returns the record of a correction that somebody asks for now."""
        asked = correction.id, correction.digest, correction.form, correction.reason
        return cls(*asked, by, at.isoformat(timespec="milliseconds"), uuid4().hex)

    def of_day(self, of: UsageDay) -> "CorrectionRecord":
        """Returns the record of a change of this one day."""
        return replace(self, changed=of)

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "CorrectionRecord":
        """Reads a raw item."""
        texts = {name: value["S"] for name, value in item.items() if "S" in value}
        return cls(
            id=texts[KEY].rpartition("#")[2],
            digest=texts["digest"],
            form=texts["form"],
            reason=texts["reason"],
            by=Actor(texts["actor_id"], texts["actor_name"]),
            at=texts["at"],
            attempt=texts["attempt"],
            changed=UsageDay(*(texts[name] for name in PLACE)) if PLACE[0] in texts else None,
            finished="finished_at" in texts,
        )

    def item(self) -> dict[str, Any]:
        """Returns the raw item."""
        texts = {
            "digest": self.digest,
            "form": self.form,
            "reason": self.reason,
            "actor_id": self.by.id,
            "actor_name": self.by.name,
            "at": self.at,
            "attempt": self.attempt,
        }
        if self.changed is not None:
            place = self.changed.tenant_id, self.changed.deployment_id, self.changed.day
            texts |= dict(zip(PLACE, place, strict=True))
        return record_key(self.id) | _texts(texts)


@dataclass(frozen=True, slots=True)
class CorrectedDay:
    """What one transaction of a correction changed on a day, and who, when and why."""

    correction_id: str
    at: str
    by: Actor
    reason: str
    of: UsageDay
    changes: Mapping[str, QuantityChange]

    @classmethod
    def by_record(
        cls, record: CorrectionRecord, of: UsageDay, changes: Mapping[str, QuantityChange]
    ) -> "CorrectedDay":
        """Returns what a correction changes on a day."""
        return cls(record.id, record.at, record.by, record.reason, of, changes)

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "CorrectedDay":
        """Reads a raw trace."""
        day, at, correction_id, _ = item[DAY]["S"].split("#")
        deployment_id = item[KEY]["S"].split("#")[2]
        return cls(
            correction_id=correction_id,
            at=at,
            by=Actor(item["actor_id"]["S"], item["actor_name"]["S"]),
            reason=item["reason"]["S"],
            of=UsageDay(item[OWNER]["S"], deployment_id, day),
            changes={
                kind: QuantityChange(*(Decimal(change["M"][name]["N"]) for name in MOMENTS))
                for kind, change in item["changes"]["M"].items()
            },
        )

    def item(self, number_of_day: int) -> dict[str, Any]:
        """Returns the raw trace, as the correction's transaction of this number on that day."""
        changes = {
            kind: {"M": {"before": number(change.before), "after": number(change.after)}}
            for kind, change in sorted(self.changes.items())
        }
        texts = {
            OWNER: self.of.tenant_id,
            "reason": self.reason,
            "actor_id": self.by.id,
            "actor_name": self.by.name,
        }
        key = trace_key(self.correction_id, self.at, self.of, number_of_day)
        return key | _texts(texts) | {"changes": {"M": changes}}


def record_key(correction_id: str) -> dict[str, Any]:
    """Returns the key of what an id was used for."""
    return _texts({KEY: f"#correction#{correction_id}", DAY: RECORD})


def traces_partition(deployment_id: str, month: str) -> str:
    """Returns the partition of all traces of a deployment's month (`2026-10`)."""
    return f"#corrections#{deployment_id}#{month}"


def trace_key(correction_id: str, at: str, of: UsageDay, number_of_day: int) -> dict[str, Any]:
    """Returns the key of a trace; a correction that is tried again has the same keys."""
    partition = traces_partition(of.deployment_id, of.month)
    return _texts({KEY: partition, DAY: f"{of.day}#{at}#{correction_id}#{number_of_day:04}"})


def _texts(texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"S": text} for name, text in texts.items()}
