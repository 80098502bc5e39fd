"""Previews of a forced run of a tenant's month, by the rollup itself; nothing is written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from invoicing.accounts.accounts_table import AccountsTable, UnknownTenant
from invoicing.foundation.dynamodb import ItemTooLarge
from invoicing.foundation.parallel import at_once
from invoicing.foundation.settings import Settings
from invoicing.invoices.invoice import Header, InconsistentInvoice, unpriced_json
from invoicing.invoices.invoices_table import InvoicePagesMissing, InvoicesTable
from invoicing.invoices.line_changes import changes_json
from invoicing.month_end.due_tenants import TENANT_FAULTS
from invoicing.month_end.rollup import Rollup, RollupResult
from invoicing.month_end.rollup_message import MESSAGE_VERSION, RollupMessage
from invoicing.pricing.tenant_month import Pricing
from quote_engine import Period

RUN_ID = "preview"
FAILED = "failed"
# What the rollup itself refuses, besides faults in a tenant's data.
REFUSALS = (ItemTooLarge, InconsistentInvoice, InvoicePagesMissing)
FAULTS = (*TENANT_FAULTS, *REFUSALS)


type PreviewPage = tuple[list[dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Previews:
    """The same rollup as in its function, used for dry runs only."""

    rollup: Rollup
    accounts: AccountsTable

    @classmethod
    def over(cls, settings: Settings) -> "Previews":
        """Returns previews over the deployed tables."""
        pricing = Pricing.over(settings)
        rollup = Rollup(pricing, InvoicesTable(settings.invoices_table), settings)
        return cls(rollup, pricing.accounts)

    def reader(
        self, period: Period, at: datetime, tenant_id: str | None
    ) -> Callable[[str | None, int], PreviewPage]:
        """Returns a reader of preview pages (see `page`), or of a single preview (see `named`)."""
        if tenant_id is None:
            return partial(self.page, period, at)

        def single(_after: str | None, _limit: int) -> PreviewPage:
            return [self.named(period, at, tenant_id)], None

        return single

    def page(self, period: Period, at: datetime, after: str | None, limit: int) -> PreviewPage:
        """Returns previews of the next tenants in order of id, and the last id if more follow.

        A tenant whose rollup would fail is shown with its error. Raises PeriodStillOpen, and any
        error that is no fault of a tenant's data.
        """
        tenant_ids = next(self.accounts.tenant_ids(after, limit + 1))
        shown = tenant_ids[:limit]
        previews = at_once(partial(self._preview_or_failure, period, at), shown)
        return previews, shown[-1] if len(tenant_ids) > limit else None

    def named(self, period: Period, at: datetime, tenant_id: str) -> dict[str, Any]:
        """Returns the preview of one tenant, as in a page; also raises UnknownTenant."""
        try:
            return self._preview(period, at, tenant_id)
        except UnknownTenant:
            raise
        except FAULTS as error:
            return _failed(tenant_id, error)

    def _preview_or_failure(self, period: Period, at: datetime, tenant_id: str) -> dict[str, Any]:
        try:
            return self._preview(period, at, tenant_id)
        except FAULTS as error:
            return _failed(tenant_id, error)

    def _preview(self, period: Period, at: datetime, tenant_id: str) -> dict[str, Any]:
        message = RollupMessage(
            version=MESSAGE_VERSION,
            tenant_id=tenant_id,
            period=period.label,
            run_id=RUN_ID,
            run_at=at,
            force=True,
            dry_run=True,
        )
        return _preview_json(tenant_id, self.rollup.roll_up(message))


def _failed(tenant_id: str, error: Exception) -> dict[str, Any]:
    """Returns a failed preview, worded like the rollup's own log line."""
    return _shown(tenant_id, FAILED, f"{type(error).__name__}: {error}")


def _preview_json(tenant_id: str, result: RollupResult) -> dict[str, Any]:
    return _shown(tenant_id, result.outcome, result.reason) | {
        "before": _standing(result.before),
        "after": _standing(result.header),
        "changes": changes_json(result.changes),
        "unpriced": unpriced_json(result.unpriced),
    }


def _shown(tenant_id: str, outcome: str, reason: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"before": None, "after": None, "changes": [], "unpriced": []}
    return {"tenant_id": tenant_id, "outcome": str(outcome), "reason": reason, **empty}


def _standing(header: Header | None) -> dict[str, Any] | None:
    if header is None:
        return None
    return {
        "status": header.status.value,
        "revision": header.revision,
        "subtotal_cents": header.subtotal_cents,
        "tax_cents": header.tax_cents,
        "total_cents": header.total_cents,
    }
