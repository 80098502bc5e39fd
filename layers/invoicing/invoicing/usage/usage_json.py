"""A deployment's month of usage as the API and the command line show it."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from invoicing.usage.correction_json import correction_json
from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.usage_event import decimal_text
from invoicing.usage.usage_table import MonthOfUsage
from quote_engine import Period

# What a correction's tenant sees of it. Who made it and why is the operator's.
FOR_TENANTS = ("day", "at", "changes")


def usage_json(
    deployment_id: str,
    period: Period,
    month: MonthOfUsage,
    corrections: Iterable[CorrectedDay],
    *,
    whole: bool,
) -> dict[str, Any]:
    """Returns a month of usage; quantities are decimal strings.

    The `whole` view is the operator's: with the files that days were imported from, and with who
    corrected a day and why.
    """
    corrected = map(correction_json, corrections)
    return {
        "deployment_id": deployment_id,
        "period": period.label,
        "days": [_day(month, day, whole=whole) for day in month.days],
        "total": quantities_json(month.total.quantities) if month.total else {},
        "corrections": list(corrected) if whole else [_for_tenant(entry) for entry in corrected],
    }


def _day(month: MonthOfUsage, day: str, *, whole: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"day": day, "usage": quantities_json(month.days[day])}
    if whole:
        shown["imports"] = list(month.imports.get(day, ()))
    return shown


def _for_tenant(correction: Mapping[str, Any]) -> dict[str, Any]:
    return {name: correction[name] for name in FOR_TENANTS}


def quantities_json(quantities: Mapping[str, Decimal]) -> dict[str, str]:
    """Returns quantities as decimal strings, in order of kind."""
    return {kind: decimal_text(quantities[kind]) for kind in sorted(quantities)}
