"""Reads everything stored about a month's end: what the indexes list, then the rest by key.

The indexes of tenants and of invoices are read in full. A tenant for which they show no invoice is
looked up in the tables themselves: an index may lag a second, and no tenant is called missing
because of that. Counts are made only here, from what is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import batched, chain
from typing import Any

from invoicing.foundation.billing_calendar import month_before
from invoicing.foundation.parallel import at_once
from invoicing.foundation.settings import Settings
from invoicing.foundation.time_limit import OutOfTime, TimeLimit
from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import InvoiceLists, ListedInvoice
from invoicing.invoices.unpriced_usage_table import UnpricedUsageTable
from invoicing.month_end.due_tenants import Due, look_at
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_ends_table import MonthEndsTable, RunRecord
from invoicing.month_end.uninvoiced_table import Uninvoiced, UninvoicedTable
from invoicing.pricing.tenant_month import Pricing
from quote_engine import Period, UnpricedUsage

TENANTS_A_PAGE = 1000
# How many tenants are checked between two looks at the time, and how many are looked up in one
# call: two keys each, a hundred keys a call.
CHECKED_AT_ONCE, KEYED_AT_ONCE = 400, 50


@dataclass(frozen=True, slots=True)
class ListedMonth:
    """A month as its indexes list it.

    `before` are last month's invoices that are not void, `unlisted` the tenants for which the
    index shows no invoice. Both are in order of tenant id, and so are `invoices`. `unbilled` is
    the usage that these bill nothing for, by tenant; `late_usage` is what the last sweep of late
    usage found (see late_usage_sweep), None if there was none yet.
    """

    period: Period
    invoices: tuple[ListedInvoice, ...]
    before: Mapping[str, Header]
    unlisted: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    unbilled: Mapping[str, Sequence[UnpricedUsage]] = field(default_factory=dict)
    late_usage: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TenantCheck:
    """A tenant for which the index shows no invoice: there is one after all, or why not.

    `unbilled` is the usage of the month that is billed nothing, as far as it is known.
    """

    tenant_id: str
    invoice: ListedInvoice | None
    due: bool
    failure: Failure | None
    unbilled: Sequence[UnpricedUsage] = ()


@dataclass(frozen=True, slots=True)
class MonthReader:
    """Reads what is stored about one month at a time."""

    pricing: Pricing
    lists: InvoiceLists
    uninvoiced: UninvoicedTable
    unpriced: UnpricedUsageTable
    month_ends: MonthEndsTable

    @classmethod
    def over(cls, settings: Settings) -> "MonthReader":
        """Returns a reader of the deployed tables."""
        return cls(
            Pricing.over(settings),
            InvoiceLists(settings.invoices_table),
            UninvoicedTable(settings.invoices_table, settings.accounts_table),
            UnpricedUsageTable(settings.invoices_table),
            MonthEndsTable(settings.accounts_table),
        )

    def listing(self, period: Period) -> ListedMonth:
        """Returns the month as it is listed at this moment."""
        invoices = self.lists.whole_period(period)
        invoiced = {listed.header.tenant_id for listed in invoices}
        tenants = chain.from_iterable(self.pricing.accounts.tenant_ids(None, TENANTS_A_PAGE))
        return ListedMonth(
            period=period,
            invoices=tuple(invoices),
            before=standing_before(self.lists, period),
            unlisted=tuple(tenant_id for tenant_id in tenants if tenant_id not in invoiced),
            runs=tuple(self.month_ends.runs(period)),
            unbilled=self.unpriced.read(invoices),
            late_usage=self.month_ends.late_usage(period),
        )

    def checks(self, listing: ListedMonth, limit: TimeLimit) -> Iterator[list[TenantCheck]]:
        """Checks all unlisted tenants, a few hundred at a time.

        Raises OutOfTime if the limit is over before all have been checked.
        """
        for tenant_ids in batched(listing.unlisted, CHECKED_AT_ONCE, strict=False):
            if limit.over:
                raise OutOfTime(f"looked at tenants before {tenant_ids[0]} only")
            yield self._check(tenant_ids, listing.period)

    def all_checks(self, listing: ListedMonth, limit: TimeLimit) -> list[TenantCheck]:
        """Returns all the checks in one list; raises OutOfTime."""
        return list(chain.from_iterable(self.checks(listing, limit)))

    def _check(self, tenant_ids: Sequence[str], period: Period) -> list[TenantCheck]:
        look_up = partial(self._look_up, period)
        parts = at_once(look_up, batched(tenant_ids, KEYED_AT_ONCE, strict=False))
        invoices = {
            tenant_id: listed for part in parts for tenant_id, listed in part.invoices.items()
        }
        failures = {
            tenant_id: failure for part in parts for tenant_id, failure in part.failures.items()
        }
        unpriced = self.unpriced.read(invoices.values())
        without = [tenant_id for tenant_id in tenant_ids if tenant_id not in invoices]
        looks = dict(zip(without, at_once(partial(self._look_at, period), without), strict=True))
        looks |= {name: Due(True, unpriced.get(name, ())) for name in invoices}
        return [
            TenantCheck(
                tenant_id,
                invoices.get(tenant_id),
                looks[tenant_id].due,
                failures.get(tenant_id),
                looks[tenant_id].unbilled,
            )
            for tenant_id in tenant_ids
        ]

    def _look_up(self, period: Period, tenant_ids: Sequence[str]) -> Uninvoiced:
        return self.uninvoiced.read(tenant_ids, period)

    def _look_at(self, period: Period, tenant_id: str) -> Due:
        return look_at(self.pricing, tenant_id, period)


def standing_before(lists: InvoiceLists, period: Period) -> dict[str, Header]:
    """Returns last month's invoices that are not void, by tenant, to compare a month with."""
    month = month_before(period)
    invoices = lists.whole_period(month) if month is not None else []
    return {
        listed.header.tenant_id: listed.header
        for listed in invoices
        if listed.header.status is not InvoiceStatus.VOID
    }
