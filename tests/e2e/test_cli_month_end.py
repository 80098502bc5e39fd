"""A month-end by command line alone: a tenant fails, is mended, redriven and issued."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from invoicing.accounts.account import Segment
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.invoices.invoices_table import InvoiceNotFound
from quote_engine import Period
from tests.e2e.conftest import Deployed, wait_until
from tests.e2e.test_cli import monthend, started
from tests.e2e.test_late_usage import add_tenant

KEEPER, OTHER = "keeper", "onlooker"
JUNE, JULY, AUGUST = (Period.month(f"2025-{month:02}") for month in (6, 7, 8))
MANY = 200


@pytest.fixture(scope="module")
def stack(deployed: Deployed) -> Iterator[Deployed]:
    """Two tenants for this module alone, on a queue that gives up in seconds instead of hours.

    One is pinned from June to July 2025 to a plan that is not in the catalogue.
    """
    sqs, queues = deployed.local.client("sqs"), deployed.local.outputs["queues"]
    url = queues["rollup"]
    # Dead letters that other modules left.
    sqs.purge_queue(QueueUrl=queues["rollup_dlq"])
    name = "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "1"})
    add_tenant(deployed, KEEPER, "9401")
    add_tenant(deployed, OTHER, "9402")
    accounts = deployed.rollup.pricing.accounts
    annex = Segment(KEEPER, "keeper-annex", JUNE.start, date(2025, 7, 31), "gone", 1)
    SubscriptionsTable(accounts.name).put(annex)
    yield deployed
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    forget(deployed, KEEPER, OTHER)


def forget(deployed: Deployed, *tenant_ids: str) -> None:
    """Deletes tenants and their invoices: other modules count the tenants."""
    client, tables = deployed.local.client("dynamodb"), deployed.local.outputs["tables"]
    for table, hashed, ranged in (
        ("accounts", "pk", "sk"),
        ("invoices", "tenant_id", "period_start"),
    ):
        for page in client.get_paginator("scan").paginate(TableName=tables[table]):
            for item in page["Items"]:
                if item[hashed]["S"].partition("#")[0] in tenant_ids:
                    key = {name: item[name] for name in (hashed, ranged)}
                    client.delete_item(TableName=tables[table], Key=key)


def send(deployed: Deployed, queue: str, *bodies: str) -> None:
    url = deployed.local.outputs["queues"][queue]
    for body in bodies:
        deployed.local.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def body(tenant_id: str, period: Period) -> str:
    message = {"version": 1, "tenant_id": tenant_id, "period": period.label, "run_id": "by-hand"}
    return json.dumps(message | {"run_at": "2026-05-01T03:00:00Z"})


def hidden(deployed: Deployed) -> int:
    """Returns how many dead letters are hidden at the moment."""
    name = "ApproximateNumberOfMessagesNotVisible"
    url = deployed.local.outputs["queues"]["rollup_dlq"]
    answer = deployed.local.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    return int(answer["Attributes"][name])


def invoiced(deployed: Deployed, tenant_id: str, period: Period) -> bool:
    try:
        deployed.rollup.invoices.get(tenant_id, period)
    except InvoiceNotFound:
        return False
    return True


def run(deployed: Deployed, tenant_id: str, period: Period, code: int = 0) -> Any:
    words = ("run", "--period", period.label, "--tenant", tenant_id, "--wait")
    return refused(deployed, *words)[0] if code else monthend(deployed, *words)


def refused(deployed: Deployed, *words: str) -> tuple[Any, str]:
    """Runs a command that must exit with 1; returns its JSON and its errors."""
    with started(deployed, "--json", *words) as child:
        out, errors = child.communicate(timeout=120)
    assert child.returncode == 1, errors
    return json.loads(out), errors


def test_a_tenant_that_fails_is_mended_and_given_back(stack: Deployed) -> None:
    answer = run(stack, KEEPER, JUNE, code=1)
    assert answer["tenant_ids"] == [KEEPER]
    reason = "UnknownPrice: plan gone v0001 is not in the catalogue"
    failed = {tenant["tenant_id"]: tenant for tenant in answer["report"]["failed"]["tenants"]}
    assert (failed[KEEPER]["reason"], failed[KEEPER]["run_id"]) == (reason, answer["run_id"])
    run(stack, KEEPER, JULY, code=1)
    send(stack, "rollup", "{not json")
    wait_until(lambda: stack.queued("rollup_dlq") == 3, "three dead letters")

    dead_letters = monthend(stack, "redrive", "--dry-run")["letters"]
    causes = [
        (dead_letter["tenant_id"], dead_letter["period"], dead_letter["reason"])
        for dead_letter in dead_letters[:2]
    ]
    assert causes == [(KEEPER, "2025-06", reason), (KEEPER, "2025-07", reason)]
    assert dead_letters[2]["reason"].startswith("InvalidMessage: ")
    assert (stack.queued("rollup_dlq"), hidden(stack)) == (3, 0)

    accounts = stack.rollup.pricing.accounts
    PriceVersions(accounts.name, PLANS).put(replace(accounts.plan("studio", 1), code="gone"), 1)
    report = monthend(stack, "redrive", "--tenant", KEEPER)
    assert (report["moved"], [dead_letter["result"] for dead_letter in report["letters"]]) == (
        2,
        ["moved", "moved", "left"],
    )
    wait_until(lambda: invoiced(stack, KEEPER, JUNE), "June's invoice")
    wait_until(lambda: invoiced(stack, KEEPER, JULY), "July's invoice")
    discarded = monthend(stack, "redrive", "--discard", dead_letters[2]["message_id"])
    assert discarded["discarded"] == 1
    assert stack.queued("rollup_dlq") == 0
    assert monthend(stack, "redrive")["letters"] == []


def test_what_was_reviewed_is_issued_and_paid(stack: Deployed) -> None:
    preview = monthend(stack, "preview", "--period", "2025-06", "--tenant", KEEPER)
    assert [shown["reason"] for shown in preview["previews"]] == ["unchanged"]
    invoice_id = f"{KEEPER}.2025-06"
    answer, errors = refused(stack, "issue", invoice_id, "--revision", "2")
    assert answer["current"]["revision"] == 1
    assert errors == f"monthend: {invoice_id}: revision 1 stands, not 2\n"
    issued = monthend(stack, "issue", invoice_id, "--revision", "1")
    assert monthend(stack, "pay", invoice_id, "--fingerprint", issued["fingerprint"])
    entries = monthend(stack, "history", invoice_id)["entries"]
    changes = [(entry["action"], entry["outcome"], entry["by"]) for entry in entries[1:]]
    assert changes == [
        ("issue", "refused", "root"),
        ("issue", "done", "root"),
        ("pay", "done", "root"),
    ]
    report = monthend(stack, "report", "--period", "2025-06")
    assert report["invoiced"]["paid"] == 1


def test_a_redrive_that_is_stopped_half_way_loses_nothing(stack: Deployed) -> None:
    run(stack, OTHER, AUGUST)
    send(stack, "rollup_dlq", *[body(OTHER, AUGUST)] * MANY, body(KEEPER, AUGUST))
    with started(stack, "redrive") as child:
        wait_until(lambda: stack.queued("rollup_dlq") < MANY - 10, "some of them moved")
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert "nothing is lost" in errors
    remaining = stack.queued("rollup_dlq")
    assert 0 < remaining < MANY
    assert hidden(stack) == 0
    report = monthend(stack, "redrive")
    assert (report["moved"], stack.queued("rollup_dlq")) == (remaining, 0)
    wait_until(lambda: invoiced(stack, KEEPER, AUGUST), "the last one's invoice")
    wait_until(lambda: stack.queued("rollup") == 0, "an empty queue")
