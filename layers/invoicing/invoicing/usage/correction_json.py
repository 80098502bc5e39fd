"""A correction among the usage that it changed, as the API shows it."""

from typing import Any

from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.usage_event import decimal_text


def correction_json(day: CorrectedDay) -> dict[str, Any]:
    """Returns a correction among the usage of the deployment and month that it changed."""
    return {
        "id": day.correction_id,
        "at": day.at,
        "by": day.by.name,
        "reason": day.reason,
        "day": day.of.day,
        "changes": changes_json(day),
    }


def changes_json(day: CorrectedDay) -> dict[str, dict[str, str]]:
    """Returns what changed on the day, by kind; quantities are decimal strings."""
    return {
        kind: {"before": decimal_text(change.before), "after": decimal_text(change.after)}
        for kind, change in sorted(day.changes.items())
    }
