"""The rollup that is measured, built and called as its handler builds and calls it."""

from datetime import UTC, datetime

from benchmarks.harness.environment import function_settings
from benchmarks.workloads.workload import PERIOD
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end.rollup import Rollup
from invoicing.month_end.rollup_message import MESSAGE_VERSION, RollupMessage
from invoicing.pricing.tenant_month import Pricing

RUN_AT = datetime(2026, 5, 1, 3, tzinfo=UTC)


def rollup() -> Rollup:
    """Returns the rollup as the function builds it for its first message."""
    settings = function_settings()
    return Rollup(Pricing.over(settings), InvoicesTable(settings.invoices_table), settings)


def message(tenant_id: str) -> RollupMessage:
    """Returns a tenant's message as the month-end's own run sends it."""
    return RollupMessage(
        version=MESSAGE_VERSION,
        tenant_id=tenant_id,
        period=PERIOD.label,
        run_id="benchmark",
        run_at=RUN_AT,
    )
