"""The months that a correction changed: what they have now, and how that reaches a bill."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from decimal import Decimal
from functools import cache
from typing import Any

from cli.stack.stack import Stack
from invoicing.invoices.invoices_table import InvoiceNotFound, InvoicesTable
from invoicing.usage.correction_record import CorrectedDay
from invoicing.usage.usage_json import quantities_json
from invoicing.usage.usage_table import EXACT, UsageTable
from quote_engine import Period

MOST_NAMES = 20
NOTHING = Decimal(0)
# How the correction reaches a bill, by the state of the month's invoice.
WAYS = {
    None: "not invoiced yet; will be billed as corrected",
    "draft": "a draft, which stays as it is until a forced run",
    "issued": "issued, which stays as it is; the next invoice that is made has an adjustment",
    "paid": "paid, which stays as it is; the next invoice that is made has an adjustment",
    "void": "void; a forced run bills it anew, as corrected",
}
FORCED = frozenset(("draft", "void"))

type JsonObject = Mapping[str, Any]
type Month = tuple[str, str, str]
"""A month's label, its tenant, and the deployment."""


class MonthChanges:
    """By how much corrections changed each month of each deployment, by kind."""

    def __init__(self) -> None:
        self._months: dict[Month, dict[str, Decimal]] = {}

    def add(self, days: Iterable[CorrectedDay]) -> None:
        """Adds what was changed on these days."""
        for day in days:
            key = day.of.month, day.of.tenant_id, day.of.deployment_id
            month = self._months.setdefault(key, {})
            for kind, change in day.changes.items():
                more = EXACT.subtract(change.after, change.before)
                month[kind] = EXACT.add(month.get(kind, NOTHING), more)

    def months(self, stack: Stack) -> list[dict[str, Any]]:
        """Returns the months with what they have by now, and the state of their invoices."""
        invoices = InvoicesTable(stack.settings.invoices_table)

        @cache
        def state(tenant_id: str, period: Period) -> str | None:
            try:
                return invoices.get(tenant_id, period).header.status
            except InvoiceNotFound:
                return None

        return [
            {
                "tenant_id": tenant_id,
                "deployment_id": deployment_id,
                "period": label,
                "change": quantities_json(change),
                "total": _total(stack, deployment_id, Period.month(label), change.keys()),
                "invoice": state(tenant_id, Period.month(label)),
            }
            for (label, tenant_id, deployment_id), change in sorted(self._months.items())
        ]


def _total(stack: Stack, deployment_id: str, period: Period, kinds: Set[str]) -> Mapping[str, str]:
    total = UsageTable(stack.settings.usage_table).totals([deployment_id], period)[deployment_id]
    return quantities_json({kind: total.quantities[kind] for kind in kinds})


def ways_to_the_bill(months: Iterable[JsonObject]) -> Iterator[str]:
    """Yields a line for each month and each state of invoices in it, with what is to be done."""
    tenants: dict[tuple[str, str | None], dict[str, None]] = defaultdict(dict)
    for month in months:
        tenants[month["period"], month["invoice"]][month["tenant_id"]] = None
    for (period, state), names in tenants.items():
        yield f"{period} of {_names(list(names))}: {WAYS[state]}"
        if state in FORCED and len(names) <= MOST_NAMES:
            whom = "".join(f" --tenant {name}" for name in names)
            yield f"  monthend run --period {period} --force{whom}"


def _names(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
