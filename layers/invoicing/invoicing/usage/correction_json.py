"""Corrections as the API shows them; quantities are decimal strings."""

from collections import Counter
from typing import Any

from invoicing.usage.correction import CorrectionOutcome
from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.corrections import Corrected
from invoicing.usage.usage_event import decimal_text


def corrected_json(corrected: Corrected) -> dict[str, Any]:
    """Returns what a correction changed, day by day, and the results of its events, in order."""
    record = corrected.record
    counts = Counter(result.outcome for result in corrected.results)
    return {
        "id": record.id,
        "form": record.form,
        "reason": record.reason,
        "by": record.by.name,
        "at": record.at,
        "repeated": corrected.repeated,
        "days": [_day_json(day) for day in corrected.days],
        "results": [
            {
                "id": result.id,
                "source": result.source,
                "outcome": result.outcome.value,
                "reason": result.reason or None,
            }
            for result in corrected.results
        ],
        "counts": {outcome.value: counts[outcome] for outcome in CorrectionOutcome},
    }


def _day_json(day: CorrectedDay) -> dict[str, Any]:
    return {
        "tenant_id": day.of.tenant_id,
        "deployment_id": day.of.deployment_id,
        "day": day.of.day,
        "changes": _changes_json(day),
    }


def correction_json(day: CorrectedDay) -> dict[str, Any]:
    """Returns a correction among the usage of the deployment and month that it changed."""
    return {
        "id": day.correction_id,
        "at": day.at,
        "by": day.by.name,
        "reason": day.reason,
        "day": day.of.day,
        "changes": _changes_json(day),
    }


def _changes_json(day: CorrectedDay) -> dict[str, dict[str, str]]:
    return {
        kind: {"before": decimal_text(change.before), "after": decimal_text(change.after)}
        for kind, change in sorted(day.changes.items())
    }
