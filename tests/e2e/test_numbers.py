"""The numbers on invoices through the deployed queue, API and roles."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.invoices.keys import period_shard
from tests.e2e.conftest import Deployed, wait_until
from tests.older_invoices import RawItem, older_draft, older_void, replaced

MAY = "2025-05"


class Billed:
    """A tenant of May 2025 alone, who is billed on Studio."""

    def __init__(self, deployed: Deployed, tenant_id: str, account_number: str) -> None:
        self.deployed, self.tenant_id = deployed, tenant_id
        accounts = deployed.rollup.pricing.accounts.name
        TenantsTable(accounts).put(Tenant(tenant_id, tenant_id.title(), account_number, "gst"))
        first, last = date(2025, 5, 1), date(2025, 5, 31)
        segment = Segment(tenant_id, tenant_id, first, last, "studio", 1)
        SubscriptionsTable(accounts).put(segment)

    def store(self, *items: RawItem) -> None:
        """Puts items as they are."""
        table = self.deployed.local.outputs["tables"]["invoices"]
        for item in items:
            self.deployed.local.client("dynamodb").put_item(TableName=table, Item=item)

    def force(self) -> str:
        """Makes May again with more usage, by a forced run; returns the number that stands."""
        hours = {"droplet_hours": Decimal(5000)}
        usage = self.deployed.rollup.pricing.usage
        usage.add(self.tenant_id, self.tenant_id, date(2025, 5, 31), hours)
        run = {"period": MAY, "force": True, "tenant_ids": [self.tenant_id]}
        started = self.deployed.invoke("start_month_end", run)["run_id"]
        wait_until(lambda: len(self.deployed.outcomes(started)) == 1, "the outcome")
        [line] = self.deployed.outcomes(started)
        assert line["outcome"] in ("rolled", "replaced"), line
        return str(self.read()["number"])

    def read(self) -> Any:
        """Returns the invoice as an admin reads it."""
        token = self.deployed.local.token("admin")
        return self.deployed.call(f"/invoices/{self.tenant_id}.{MAY}", token).json

    def change(self, action: str) -> str:
        """Issues or voids what stands; returns its number."""
        body = {"revision": self.read()["revision"], "reason": "tried"}
        path = f"/invoices/{self.tenant_id}.{MAY}/{action}"
        answer = self.deployed.call(path, self.deployed.local.token("admin"), "POST", body)
        assert answer.status == 200, answer.json
        return str(answer.json["number"])


def test_reprices_and_voided_drafts_use_up_no_letter_and_documents_do(deployed: Deployed) -> None:
    billed = Billed(deployed, "numbered", "9002")
    assert [billed.force() for _ in range(3)] == ["2505-9002"] * 3
    assert billed.change("void") == "2505-9002"
    assert billed.force() == "2505-9002"
    assert [billed.change("issue"), billed.change("void")] == ["2505-9002"] * 2
    assert [billed.force() for _ in range(2)] == ["2505-9002B"] * 2
    assert [billed.change("issue"), billed.change("void")] == ["2505-9002B"] * 2
    assert billed.force() == "2505-9002C"


@pytest.mark.parametrize(
    ("account", "states", "number"),
    [
        ("9003", ("draft", "issued and void"), "2505-9003C"),
        # Its role reads the revisions before, since a draft alone does not say what was issued.
        ("9004", ("issued and void", "draft"), "2505-9004B"),
    ],
)
def test_what_commit_6b321da_stored_goes_on_after_its_highest_issued_letter(
    deployed: Deployed, account: str, states: tuple[str, str], number: str
) -> None:
    tenant_id = f"older-{account}"
    billed = Billed(deployed, tenant_id, account)
    texts = {
        "tenant_id": tenant_id,
        "period_start": "2025-05-01",
        "period_end": "2025-06-01",
        "period_shard": period_shard(tenant_id, MAY),
    }
    items = [
        older_draft(revision, f"2505-{account}{letter}", **texts)
        if state == "draft"
        else older_void(revision, f"2505-{account}{letter}", issued=True, **texts)
        for revision, letter, state in ((1, "", states[0]), (2, "B", states[1]))
    ]
    billed.store(replaced(items[0]), items[1])
    assert billed.read()["number"] == f"2505-{account}B"
    assert [billed.force(), billed.force()] == [number] * 2
    assert billed.change("issue") == number
