"""Quote, provision as quoted, meter exactly that usage, run the month-end: the same lines."""

from zoneinfo import ZoneInfo

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.billing_calendar import period_before
from tests.e2e.conftest import Deployed, wait_until
from tests.e2e.test_usage import NOW, send
from tests.openapi import assert_promised

HOURS = 1600
# A month that is over, for which usage is still accepted.
PERIOD = period_before(NOW, ZoneInfo("UTC"))


def test_the_quote_is_the_invoice_through_the_deployed_stack(deployed: Deployed) -> None:
    accounts = deployed.rollup.pricing.accounts
    TenantsTable(accounts.name).put(Tenant("newcomer", "Newcomer", "9100", "gst"))
    token = deployed.user_in("newcomer", "tenant:newcomer")
    body = {
        "plan": "studio",
        "addons": [{"code": "storage_50gb", "quantity": 2}],
        "usage": {"droplet_hours": str(HOURS)},
        "period": PERIOD.label,
        "deployment_id": "newcomer-shop",
        "starts_on": PERIOD.start.isoformat(),
    }
    answer = deployed.call("/quotes", token, "POST", body)
    assert answer.status == 201, answer.body
    quote = answer.json
    assert_promised("/quotes", 201, "application/json", quote, method="post")
    # 50.00 + 2 x 7.50 + 112 hours over at a cent = 66.12; GST 6.61.
    assert quote["total_cents"] == 7273
    assert deployed.call(f"/quotes/{quote['id']}", token).json == quote
    assert deployed.call(f"/quotes/{quote['id']}", deployed.local.token("pilot")).status == 404

    addons = (AddonChoice("storage_50gb", 1, 2),)
    SubscriptionsTable(accounts.name).put(
        Segment("newcomer", "newcomer-shop", PERIOD.start, None, "studio", 1, addons)
    )
    event = {
        "source": "e2e",
        "deployment_id": "newcomer-shop",
        "resource_kind": "droplet_hours",
        "quantity": "100",
        "occurred_at": f"{PERIOD.start.isoformat()}T12:00:00Z",
    }
    meter = deployed.user_in("quote-meter", "metering")
    events = [event | {"id": f"hour-{number}"} for number in range(HOURS // 100)]
    assert send(deployed, meter, events)["accepted"] == HOURS // 100

    estimate = deployed.call(f"/estimates?period={PERIOD.label}", token).json
    assert_promised("/estimates", 200, "application/json", estimate)
    assert estimate["to_date"]["lines"] == quote["lines"]

    start = {"period": PERIOD.label, "tenant_ids": ["newcomer"]}
    run_id = deployed.invoke("start_month_end", start)["run_id"]
    wait_until(
        lambda: "newcomer" in {line["tenant_id"] for line in deployed.outcomes(run_id)},
        "the newcomer's outcome",
    )
    invoice = deployed.call(f"/invoices/newcomer.{PERIOD.label}", token).json
    assert invoice["lines"] == quote["lines"]
    assert invoice["fingerprint"] == quote["fingerprint"]
