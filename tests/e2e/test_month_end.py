"""A month-end through the deployed template: rule, queue, functions, tables, API."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Any

from quote_engine import Period
from tests.e2e.conftest import Deployed, fire, wait_until
from tests.events import event
from tests.openapi import assert_promised

# The sample month: how many tenants it has, and those without a subscription in April.
TENANTS = 25
NOT_BILLED = {"mulga-motors", "wattle-and-co"}


def test_the_pilots_april_is_70_64(invoiced: Deployed) -> None:
    answer = invoiced.call("/invoices/pilot.2026-04", invoiced.local.token("pilot"))
    assert answer.status == 200
    invoice = answer.json
    lines = [
        (line["kind"], line["description"], line["amount_cents"]) for line in invoice["lines"]
    ]
    assert lines == [
        ("plan_base", "Plan: Studio", 5000),
        ("addon", "Addon: storage_50gb", 750),
        ("overage", "Overage: droplet_hours (2160 used, 1488 included)", 672),
        ("tax", "GST 10%", 642),
    ]
    sums = (invoice["subtotal_cents"], invoice["tax_cents"], invoice["total_cents"])
    assert sums == (6422, 642, 7064)
    assert_promised("/invoices/{id}", 200, "application/json", invoice)


def test_every_tenant_is_accounted_for(invoiced: Deployed) -> None:
    outcomes = {line["tenant_id"]: line["outcome"] for line in invoiced.outcomes("the-first-run")}
    tenants = set(chain.from_iterable(invoiced.rollup.pricing.accounts.tenant_ids(None, 7)))
    assert len(tenants) == TENANTS
    assert outcomes == {
        tenant_id: "nothing_to_invoice" if tenant_id in NOT_BILLED else "rolled"
        for tenant_id in tenants
    }
    listed = invoiced.call("/invoices?period=2026-04&limit=100", invoiced.local.token("admin"))
    ids = [invoice["tenant_id"] for invoice in listed.json["invoices"]]
    assert ids == sorted(tenants - NOT_BILLED)


def test_a_second_run_skips_everybody_and_changes_no_byte(invoiced: Deployed) -> None:
    before = invoiced.raw_invoices()
    outcomes = Counter(line["outcome"] for line in fire(invoiced, "the-second-run"))
    assert outcomes == {"skipped": TENANTS - len(NOT_BILLED), "nothing_to_invoice": 2}
    assert invoiced.raw_invoices() == before


def test_a_tenant_lists_its_own_and_an_admin_all(invoiced: Deployed) -> None:
    for tenant_id in ("pilot", "acme"):
        listed = invoiced.call("/invoices", invoiced.local.token(tenant_id)).json
        assert {entry["tenant_id"] for entry in listed["invoices"]} == {tenant_id}
        assert_promised("/invoices", 200, "application/json", listed)
    listed = invoiced.call("/invoices?limit=100", invoiced.local.token("admin")).json
    assert len({entry["tenant_id"] for entry in listed["invoices"]}) == TENANTS - 2


def test_an_admin_walks_all_pages_in_order(invoiced: Deployed) -> None:
    token, seen, cursor = invoiced.local.token("admin"), [], ""
    while True:
        page = invoiced.call(f"/invoices?period=2026-04&limit=7{cursor}", token).json
        seen += [invoice["tenant_id"] for invoice in page["invoices"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == sorted(set(seen))
    assert len(seen) == TENANTS - 2


def _send(deployed: Deployed, *bodies: str) -> None:
    queue = deployed.local.outputs["queues"]["rollup"]
    entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies)]
    deployed.local.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)


def _body(tenant_id: str, **fields: Any) -> str:
    body: dict[str, Any] = json.loads(event("rollup_tenant")["Records"][0]["body"])
    return json.dumps(body | {"tenant_id": tenant_id} | fields)


def test_poison_ends_in_the_dead_letter_queue_and_its_neighbours_are_done(
    invoiced: Deployed,
) -> None:
    sqs, queues = invoiced.local.client("sqs"), invoiced.local.outputs["queues"]
    # Six minutes on AWS; a second here, so that five receives do not take half an hour.
    sqs.set_queue_attributes(QueueUrl=queues["rollup"], Attributes={"VisibilityTimeout": "1"})
    march = {"period": "2026-03", "run_id": "poison"}
    _send(invoiced, "{not json", _body("nobody", **march), _body("acme", **march))
    wait_until(lambda: invoiced.queued("rollup_dlq") == 2, "two dead letters")
    wait_until(lambda: invoiced.queued("rollup") == 0, "an empty queue")
    outcomes = [(line["tenant_id"], line["outcome"]) for line in invoiced.outcomes("poison")]
    assert Counter(outcomes) == {("nobody", "failed"): 5, ("acme", "rolled"): 1}
    reasons = {line["reason"] for line in invoiced.outcomes("poison") if "failed" in line.values()}
    assert reasons == {"UnknownTenant: tenant nobody is not in the accounts table"}
    assert invoiced.rollup.invoices.get("acme", Period.month("2026-03"))


def test_duplicates_out_of_order_give_one_invoice_each(invoiced: Deployed) -> None:
    february = {"period": "2026-02", "run_id": "duplicates"}
    tenants = ["pilot", "acme", "pilot", "kauri-books", "acme", "pilot"]
    _send(invoiced, *(_body(tenant_id, **february) for tenant_id in tenants))
    wait_until(lambda: len(invoiced.outcomes("duplicates")) == 6, "six outcomes")
    counts = Counter(
        (line["tenant_id"], line["outcome"]) for line in invoiced.outcomes("duplicates")
    )
    assert counts == {
        ("pilot", "rolled"): 1,
        ("pilot", "skipped"): 2,
        ("acme", "rolled"): 1,
        ("acme", "skipped"): 1,
        ("kauri-books", "rolled"): 1,
    }


def test_force_replaces_a_changed_draft_through_the_deployed_queue(invoiced: Deployed) -> None:
    invoiced.rollup.pricing.usage.add(
        "pilot", "pilot", date(2026, 1, 31), {"droplet_hours": Decimal(1)}
    )
    january = {"period": "2026-01", "force": True, "tenant_ids": ["pilot"]}
    first = invoiced.invoke("start_month_end", january)
    wait_until(lambda: len(invoiced.outcomes(first["run_id"])) == 1, "the first outcome")
    invoiced.rollup.pricing.usage.add(
        "pilot", "pilot", date(2026, 1, 31), {"droplet_hours": Decimal(2000)}
    )
    second = invoiced.invoke("start_month_end", january)
    wait_until(lambda: len(invoiced.outcomes(second["run_id"])) == 1, "the second outcome")
    [line] = invoiced.outcomes(second["run_id"])
    assert (line["outcome"], line["revision"]) == ("replaced", 2)
    token = invoiced.local.token("pilot")
    old = invoiced.call("/invoices/pilot.2026-01?revision=1", token).json
    new = invoiced.call("/invoices/pilot.2026-01", token).json
    # The pilot started on 10 January: 22 of 31 days. Base 35.48 and add-on 5.32 make 40.80; the
    # allowance is 1056 hours, so 2001 hours are 9.45 over it: 50.25, and GST 5.03 (5.025 up).
    assert (old["subtotal_cents"], old["total_cents"]) == (4080, 4488)
    assert (new["subtotal_cents"], new["tax_cents"], new["total_cents"]) == (5025, 503, 5528)
