"""The daily sweep of late usage: what came after a month's invoices, for the month's report.

Each month looked back to has one item with what waits of it, whoever is to bill it. Each sweep
replaces all of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import batched, chain
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import label_after, period_of
from invoicing.foundation.parallel import at_once
from invoicing.foundation.settings import Settings
from invoicing.foundation.time_limit import TimeLimit
from invoicing.invoices.billing_history_table import MONTHS_AROUND
from invoicing.month_end.due_tenants import TENANT_FAULTS
from invoicing.month_end.failures_table import LONGEST_REASON
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.month_reader import CHECKED_AT_ONCE, TENANTS_A_PAGE
from invoicing.month_end.report_json import cut, cut_to_fit
from invoicing.pricing.tenant_month import Pricing
from invoicing.pricing.waiting_usage import WaitingUsage, waiting_usage
from quote_engine import Period

# Until then the hourly sweep makes last month's invoice of whoever is due and has none.
LAST_DAY_OF_SWEEPS = 5


@dataclass(frozen=True, slots=True)
class LateUsageFound:
    """What waits, by the label of its month, and the tenants for which that cannot be told."""

    tenants: int
    waiting: Mapping[str, Sequence[WaitingUsage]]
    failed: Sequence[tuple[str, str]]
    complete: bool


@dataclass(frozen=True, slots=True)
class LateUsageSweep:
    """Looks at all tenants, over the deployed tables."""

    pricing: Pricing
    month_ends: MonthEndsTable
    zone: ZoneInfo

    @classmethod
    def over(cls, settings: Settings) -> "LateUsageSweep":
        """Returns the sweep of a deployment."""
        table = MonthEndsTable(settings.accounts_table)
        return cls(Pricing.over(settings), table, settings.zone)

    def sweep(self, at: datetime, limit: TimeLimit) -> LateUsageFound:
        """Stores what waits of each month that a coming invoice looks back to, as of `at`.

        If the limit is over before all tenants have been looked at, what is stored says so.
        """
        found = self._look(at, limit)
        running = period_of(at, self.zone)
        # The month before may still be made, and looks a year back from there.
        for back in range(1, MONTHS_AROUND + 2):
            label = label_after(running, -back)
            body = cut_to_fit(partial(late_usage_json, found, label, at))
            self.month_ends.store_late_usage(Period.month(label), body)
        return found

    def _look(self, at: datetime, limit: TimeLimit) -> LateUsageFound:
        closing = at.astimezone(self.zone).day <= LAST_DAY_OF_SWEEPS
        look = partial(self._look_at, period_of(at, self.zone), closing)
        waiting: dict[str, list[WaitingUsage]] = defaultdict(list)
        failed: list[tuple[str, str]] = []
        looked_at, complete = 0, True
        tenants = chain.from_iterable(self.pricing.accounts.tenant_ids(None, TENANTS_A_PAGE))
        for batch in batched(tenants, CHECKED_AT_ONCE, strict=False):
            if limit.over:
                complete = False
                break
            for tenant_id, outcome in zip(batch, at_once(look, batch), strict=True):
                if isinstance(outcome, str):
                    failed.append((tenant_id, outcome))
                    continue
                for usage in outcome:
                    waiting[usage.period.label].append(usage)
            looked_at += len(batch)
        return LateUsageFound(looked_at, waiting, failed, complete)

    def _look_at(self, running: Period, closing: bool, tenant_id: str) -> list[WaitingUsage] | str:
        """Returns what waits of a tenant, or why it cannot be told."""
        try:
            return waiting_usage(self.pricing, tenant_id, running, closing=closing)
        except TENANT_FAULTS as error:
            return f"{type(error).__name__}: {error}"[:LONGEST_REASON]


def late_usage_json(found: LateUsageFound, label: str, at: datetime, most: int) -> dict[str, Any]:
    """Returns what waits of a month as it is stored and shown, with the first of its entries.

    A tenant that cannot be priced is named with each month: any may have late usage of it.
    """
    entries = [_entry_json(usage) for usage in found.waiting.get(label, ())]
    failed = [{"tenant_id": tenant_id, "reason": reason} for tenant_id, reason in found.failed]
    return {
        "as_of": at.isoformat(),
        "complete": found.complete,
        **cut("entries", entries, most),
        "failed": cut("tenants", failed, most),
    }


def _entry_json(usage: WaitingUsage) -> dict[str, Any]:
    return {
        "tenant_id": usage.tenant_id,
        "deployment_id": usage.deployment_id,
        "resource_kind": usage.resource_kind,
        "quantity": format(usage.quantity, "f"),
        "fate": usage.fate.value,
        "billed_on": usage.billed_on.label if usage.billed_on else None,
    }


def late_usage_log(found: LateUsageFound) -> dict[str, Any]:
    """Returns how much was found, as the sweep's log and answer show it."""
    return {
        "tenants": found.tenants,
        "waiting": {label: len(found.waiting[label]) for label in sorted(found.waiting)},
        "failed": len(found.failed),
        "complete": found.complete,
    }
