"""The answer to a correction. Who reads usage needs `correction_json` alone, and corrects none."""

from collections import Counter
from typing import Any

from invoicing.usage.correction import CorrectionOutcome
from invoicing.usage.correction_json import changes_json
from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.corrections import Corrected


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
        "changes": changes_json(day),
    }
