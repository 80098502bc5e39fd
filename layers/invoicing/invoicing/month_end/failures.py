"""Reads the notes of failed months (see `failures_table`)."""

from dataclasses import dataclass
from datetime import datetime

from invoicing.foundation.dynamodb import RawItem
from invoicing.month_end.failures_table import PREFIX


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed message: why, of which run, when it was sent (UTC), how often it was received."""

    tenant_id: str
    reason: str
    run_id: str
    sent_at: datetime
    receive_count: int


def failure_of(item: RawItem) -> Failure:
    """Reads the note from a raw item."""
    return Failure(
        tenant_id=item["pk"]["S"].removeprefix(PREFIX),
        reason=item["reason"]["S"],
        run_id=item["run_id"]["S"],
        sent_at=datetime.fromisoformat(item["sent_at"]["S"]),
        receive_count=int(item["receive_count"]["N"]),
    )
