"""Late usage on a store with real concurrency: billed once, whatever the order."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from pynamodb.exceptions import TransactWriteError

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.billing_calendar import label_after
from invoicing.invoices.invoices_table import InvoiceChanged
from invoicing.month_end.rollup import Rollup, RollupOutcome, RollupResult
from invoicing.month_end.rollup_message import RollupMessage
from quote_engine import Period
from tests.e2e.conftest import Deployed
from tests.e2e.test_usage import NOW, send

BATCHES, HOURS_A_BATCH = 40, 3
YEAR = ("2025-01", "2025-02", "2025-03", "2025-04", "2025-05")


def issuing(deployed: Deployed) -> Rollup:
    """Returns the rollup over the deployed tables, of a stack that issues at once."""
    rollup = deployed.rollup
    return replace(rollup, settings=replace(rollup.settings, issue_immediately=True))


def add_tenant(deployed: Deployed, tenant_id: str, number: str) -> None:
    """Adds a tenant on the pilot's plan: 1,488 hours included, then a cent an hour."""
    accounts = deployed.rollup.pricing.accounts
    TenantsTable(accounts.name).put(Tenant(tenant_id, tenant_id.title(), number, "gst"))
    since = date(2024, 1, 1)
    SubscriptionsTable(accounts.name).put(Segment(tenant_id, tenant_id, since, None, "studio", 1))


def run(rollup: Rollup, tenant_id: str, label: str) -> RollupResult:
    """Rolls up one tenant's month, three hours after it ended."""
    run_at = datetime.combine(Period.month(label).end, datetime.min.time(), UTC)
    message = RollupMessage(
        version=1,
        tenant_id=tenant_id,
        period=label,
        run_id="late",
        run_at=run_at + timedelta(hours=3),
    )
    return rollup.roll_up(message)


def until_done(work: Callable[[], RollupResult]) -> RollupResult:
    """Repeats the work until it succeeds, as the queue does."""
    while True:
        try:
            return work()
        except (InvoiceChanged, TransactWriteError):
            continue


def adjusted(rollup: Rollup, tenant_id: str, label: str) -> list[int]:
    """Returns the cents of a month's adjustment lines."""
    lines = rollup.invoices.get(tenant_id, Period.month(label)).lines
    return [line.amount_cents for line in lines if line.kind == "adjustment"]


def test_three_months_made_at_once_while_late_usage_pours_in(deployed: Deployed) -> None:
    add_tenant(deployed, "latecomer", "9201")
    rollup, usage = issuing(deployed), deployed.rollup.pricing.usage
    usage.add("latecomer", "latecomer", date(2025, 1, 15), {"droplet_hours": Decimal(1488)})
    run(rollup, "latecomer", YEAR[0])

    def pour(_: int) -> None:
        late = {"droplet_hours": Decimal(HOURS_A_BATCH)}
        usage.add("latecomer", "latecomer", date(2025, 1, 20), late)

    with ThreadPoolExecutor(7) as threads:
        months = [
            threads.submit(until_done, partial(run, rollup, "latecomer", label))
            for label in YEAR[1:4]
        ]
        list(threads.map(pour, range(BATCHES)))
        assert {month.result().outcome for month in months} == {RollupOutcome.ROLLED}
    run(rollup, "latecomer", YEAR[4])
    cents = [sum(adjusted(rollup, "latecomer", label)) for label in YEAR[1:]]
    assert sum(cents) == BATCHES * HOURS_A_BATCH


def test_metered_late_through_the_api_it_is_on_the_next_invoice_with_its_month(
    deployed: Deployed,
) -> None:
    add_tenant(deployed, "tardy", "9202")
    rollup = issuing(deployed)
    this_month = Period.month(NOW.strftime("%Y-%m"))
    month, following = label_after(this_month, -1), this_month.label
    run(rollup, "tardy", month)
    meter = deployed.user_in("late-meter", "metering")
    event: dict[str, Any] = {
        "source": "late",
        "deployment_id": "tardy",
        "resource_kind": "droplet_hours",
        "occurred_at": f"{month}-28T12:00:00Z",
    }
    batch = [event | {"id": f"late-{n}", "quantity": "100"} for n in range(20)]
    assert send(deployed, meter, batch)["accepted"] == 20
    assert send(deployed, meter, batch)["duplicate"] == 20
    run(rollup, "tardy", following)
    token = deployed.user_in("tardy", "tenant:tardy")
    lines = deployed.call(f"/invoices/tardy.{following}", token).json["lines"]
    [line] = [line for line in lines if line["kind"] == "adjustment"]
    # 2,000 late hours; nothing else has used the allowance of 1,488.
    assert line["amount_cents"] == 512
    assert re.match(f"Adjustment for {month}: droplet_hours", line["description"])
    assert (line["deployment_id"], line["resource_kind"]) == ("tardy", "droplet_hours")
