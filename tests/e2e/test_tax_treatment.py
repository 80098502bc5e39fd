"""A customer begins or ceases to export, and its late usage keeps the treatment of its month.

All of it through the deployed functions, with their own rights. 1,488 hours are included in the
plan at 50.00, then a cent is charged for each; an add-on costs 7.50.
"""

from datetime import date
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation.billing_calendar import label_after
from quote_engine import Period
from tests.e2e.conftest import Deployed, wait_until
from tests.e2e.test_put_accounts import etag
from tests.e2e.test_usage import NOW, send

THIS_MONTH = Period.month(NOW.strftime("%Y-%m"))
# Both are over, and usage of the earlier one is still accepted.
EARLIER, LATER = label_after(THIS_MONTH, -2), label_after(THIS_MONTH, -1)
LATE_HOURS = 1488 + 10_000


class Customer:
    """A tenant with one deployment of the same name, and whoever looks after it."""

    def __init__(self, deployed: Deployed, tenant_id: str, number: str) -> None:
        self.deployed, self.tenant_id, self.number = deployed, tenant_id, number
        self.admin = deployed.user_in(f"admin-of-{tenant_id}", "platform_admin")
        self.meter = deployed.user_in(f"meter-of-{tenant_id}", "metering")

    def treat(self, tax: str) -> None:
        """Gives the tenant a tax treatment, from the next invoice on."""
        body = {"name": self.tenant_id, "account_number": self.number, "tax": tax}
        body |= {"tax_reason": "Export"} if tax == "gst_free" else {}
        path = f"/tenants/{self.tenant_id}"
        there = self.deployed.call(path, self.admin)
        version = {"If-Match": etag(there)} if there.status == 200 else {}
        answer = self.deployed.call(path, self.admin, "PUT", body, **version)
        assert answer.status in (200, 201), answer.body

    def subscribe(self) -> None:
        """Subscribes the deployment since long ago."""
        segment = Segment(
            self.tenant_id,
            self.tenant_id,
            date(2024, 1, 1),
            None,
            "studio",
            1,
            (AddonChoice("storage_50gb", 1, 1),),
        )
        SubscriptionsTable(self.deployed.rollup.pricing.accounts.name).put(segment)

    def run(self, label: str) -> Any:
        """Starts the month's run for this tenant; returns its invoice once it is there."""
        event = {"period": label, "tenant_ids": [self.tenant_id]}
        self.deployed.invoke("start_month_end", event)
        path = f"/invoices/{self.tenant_id}.{label}"

        def there() -> bool:
            return self.deployed.call(path, self.admin).status == 200

        wait_until(there, f"an invoice of {self.tenant_id} for {label}")
        return self.deployed.call(path, self.admin).json

    def change(self, label: str, action: str) -> None:
        """Issues or voids the first revision of the month's invoice."""
        path = f"/invoices/{self.tenant_id}.{label}/{action}"
        body = {"revision": 1, "reason": "as the test says"}
        answer = self.deployed.call(path, self.admin, "POST", body)
        assert answer.status == 200, answer.body

    def use(self, label: str, hours: int) -> None:
        """Meters usage of a month, however long it is over."""
        event = {
            "id": f"late-{hours}",
            "source": self.tenant_id,
            "deployment_id": self.tenant_id,
            "resource_kind": "droplet_hours",
            "occurred_at": f"{label}-28T12:00:00Z",
            "quantity": str(hours),
        }
        assert send(self.deployed, self.meter, [event])["accepted"] == 1

    def forget_treatment(self, label: str) -> None:
        """Makes the month's invoice one of a stack that did not store the treatment yet."""
        self.deployed.local.client("dynamodb").update_item(
            TableName=self.deployed.local.outputs["tables"]["invoices"],
            Key={"tenant_id": {"S": self.tenant_id}, "period_start": {"S": f"{label}-01"}},
            UpdateExpression="REMOVE tax",
        )


@pytest.mark.parametrize(
    ("number", "was", "now", "stored", "gst", "says"),
    [
        ("9801", "gst", "gst_free", True, 1000, "GST 10% of 100.00"),
        ("9802", "gst_free", "gst", True, 575, "GST 10% of 57.50"),
        ("9803", "gst", "gst_free", False, 1000, "GST 10% of 100.00"),
        ("9804", "gst_free", "gst", False, 575, "GST 10% of 57.50"),
    ],
)
def test_late_usage_is_taxed_as_its_month_whatever_the_tenant_is_by_then(  # noqa: PLR0913, PLR0917
    deployed: Deployed, number: str, was: str, now: str, stored: bool, gst: int, says: str
) -> None:
    customer = Customer(deployed, f"taxed-{number}", number)
    customer.treat(was)
    customer.subscribe()
    customer.run(EARLIER)
    customer.change(EARLIER, "issue")
    if not stored:
        customer.forget_treatment(EARLIER)
    customer.treat(now)
    customer.use(EARLIER, LATE_HOURS)

    token = deployed.user_in(f"reader-of-{number}", f"tenant:{customer.tenant_id}")
    estimate = deployed.call(f"/estimates?period={LATER}", token).json["to_date"]
    invoice = customer.run(LATER)
    assert invoice["lines"] == estimate["lines"]
    assert (invoice["subtotal_cents"], invoice["tax_cents"]) == (15_750, gst)
    assert [line["description"] for line in invoice["lines"] if line["kind"] == "tax"] == [says]

    # The earlier month cannot be made again in the treatment of today.
    customer.change(EARLIER, "void")
    path = f"/month-ends/{EARLIER}/preview?tenant_id={customer.tenant_id}"
    [preview] = deployed.call(path, customer.admin).json["previews"]
    assert preview["outcome"] == "failed"
    assert f"which was invoiced as {was}, and the tenant is {now} now" in preview["reason"]
    customer.treat(was)
    [preview] = deployed.call(path, customer.admin).json["previews"]
    assert (preview["outcome"], preview["after"]["subtotal_cents"]) == ("replaced", 5750)
