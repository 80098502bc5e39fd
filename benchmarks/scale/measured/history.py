"""Records over moto a rollup of a tenant who has been invoiced for a year.

The workload of `make bench` has no invoices behind it, as in the first month. A year later the
rollup reads twelve invoices, and looks for late usage in the four months before.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from benchmarks.dynamodb.record import TENANTS, recorded_rollup
from benchmarks.dynamodb.recorded import Recording
from benchmarks.harness.environment import enter, function_settings
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.workloads.subject import message
from benchmarks.workloads.workload import PERIOD
from benchmarks.workloads.workload_tables import seed, use, workload_tables
from invoicing.foundation.billing_calendar import label_after
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end.rollup import Rollup, RollupOutcome
from invoicing.pricing.tenant_month import Pricing
from quote_engine import Period


def months_before(months: int) -> Iterator[Period]:
    """Returns the months before the workload's, oldest first."""
    return (Period.month(label_after(PERIOD, -ago)) for ago in range(months, 0, -1))


def _issuing_rollup() -> Rollup:
    """Returns a rollup that issues at once: late usage is looked for only in issued months.

    A draft's late usage is picked up by its own forced run.
    """
    settings = replace(function_settings(), issue_immediately=True)
    return Rollup(Pricing.over(settings), InvoicesTable(settings.invoices_table), settings)


def _invoice(subject: Rollup, tenant_id: str, period: Period) -> None:
    run_at = datetime(period.end.year, period.end.month, 1, 3, tzinfo=UTC)
    tenant_message = message(tenant_id).model_copy(
        update={"period": period.label, "run_at": run_at}
    )
    outcome = subject.roll_up(tenant_message).outcome
    if outcome is not RollupOutcome.ROLLED:
        raise InvalidBenchmark(f"{tenant_id}, {period.label}: {outcome}")


def record(months: int) -> Recording:
    """Records April's rollup of two tenants who have `months` issued invoices behind them."""
    with workload_tables():
        subject = _issuing_rollup()
        behind = list(months_before(months))
        for number, tenant_id in enumerate(TENANTS, start=100):
            seed(subject.pricing, tenant_id, str(number), (behind or [PERIOD])[0].start)
            for period in (*behind, PERIOD):
                use(subject.pricing, tenant_id, period)
            for period in behind:
                _invoice(subject, tenant_id, period)
        # A process that remembers nothing, and the same process once more.
        subject = _issuing_rollup()
        cold, warm = (recorded_rollup(subject, tenant_id) for tenant_id in TENANTS)
    return Recording(cold, warm)


if __name__ == "__main__":
    enter()
    print(record(int(sys.argv[1])).to_json())
