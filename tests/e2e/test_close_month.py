"""A month closed through the deployed stack: run, mend, redrive, review, issue; and by the sweep.

The tenants of these tests live in 2019 and are deleted at the end: other tests count tenants.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from quote_engine import PerUnit, Plan
from tests.e2e.conftest import Deployed, as_role, wait_until
from tests.e2e.test_cli import monthend
from tests.openapi import assert_promised

NUMBERS = range(1, 26)
JUNE, JULY = "2019-06", "2019-07"
POISONED, HELD = "close-07", "close-25"
# 30.00 a month with 100 hours, then 2 cents an hour.
PLAN = Plan(
    code="close",
    name="Close",
    price=Decimal("30.00"),
    proration="none",
    rates=(PerUnit("droplet_hours", "hour", Decimal("0.02"), Decimal(100)),),
)
# Tenant n uses 10 n hours over its 100 in June and 5 n in July: 20 n and 10 n cents over 3,000,
# and a tenth of that as GST. The numbers 1 to 25 sum to 325. A thousand hours of June come late
# for each tenant: 20.00 and GST on each July invoice.
JUNE_CENTS = 25 * 3300 + 22 * 325
JULY_CENTS = 25 * 3300 + 11 * 325 + 25 * 2200
HIDDEN, BRIEFLY = {"VisibilityTimeout": "360"}, {"VisibilityTimeout": "1"}


def name(number: int) -> str:
    """Returns the id of the tenant with this number, and of its one deployment."""
    return f"close-{number:02}"


TENANT_IDS = frozenset(map(name, NUMBERS))


@dataclass
class Closing:
    """The deployed month-end, as an admin uses it."""

    deployed: Deployed
    token: str

    def ask(self, path: str, body: Any = None, token: str | None = None) -> Any:
        """Sends a request to the month-end routes; fails unless the answer is a promised one."""
        method = "GET" if body is None else "POST"
        answer = self.deployed.call(path, token or self.token, method, body)
        assert answer.status in (200, 202), answer.body
        route = path.partition("?")[0].replace(JUNE, "{period}").replace(JULY, "{period}")
        kind = "application/json"
        assert_promised(route, answer.status, kind, answer.json, method=method.lower())
        return answer.json

    def run(self, period: str, *tenant_ids: str, force: bool = False) -> str:
        """POST /month-ends for these tenants, or for everybody; returns the run's id."""
        body: dict[str, Any] = {"period": period, "force": force}
        body |= {"tenant_ids": list(tenant_ids)} if tenant_ids else {}
        run_id: str = self.ask("/month-ends", body)["run_id"]
        return run_id

    def settled(self, period: str, invoiced: int, failed: int) -> Any:
        """Waits until this many are invoiced and failed; returns the report."""

        def report() -> Any:
            return self.ask(f"/month-ends/{period}")

        def holds() -> bool:
            current = report()
            return (sum(current["invoiced"].values()), current["failed"]["count"]) == (
                invoiced,
                failed,
            )

        wait_until(holds, f"{invoiced} invoiced and {failed} failed")
        return report()

    def sweep(self, at: str) -> Any:
        """Invokes the deployed sweep as its rule would."""
        rules = self.deployed.local.client("events").list_rule_names_by_target(
            TargetArn=self._arn("sweep_month_end")
        )["RuleNames"]
        assert len(rules) == 2, rules
        scheduled = {
            "version": "0",
            "id": f"sweep {at}",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "time": at,
            "detail": {},
        }
        return self.deployed.invoke("sweep_month_end", scheduled)

    def _arn(self, function: str) -> str:
        answer = self.deployed.local.client("lambda").get_function(
            FunctionName=self.deployed.local.outputs["functions"][function]
        )
        arn: str = answer["Configuration"]["FunctionArn"]
        return arn

    def hide(self, attributes: dict[str, str]) -> None:
        """Sets for how long the queue hides the messages that a worker received."""
        url = self.deployed.local.outputs["queues"]["rollup"]
        client = self.deployed.local.client("sqs")
        client.set_queue_attributes(QueueUrl=url, Attributes=attributes)

    def documents(self, start: str) -> dict[str, Any]:
        """Returns the invoices of a period by tenant, as DynamoDB holds them."""
        return {
            item["tenant_id"]["S"]: item
            for item in self.deployed.raw_invoices()
            if item["tenant_id"]["S"] in TENANT_IDS and item["period_start"]["S"] == start
        }

    def outcomes(self, run_id: str, tenants: int) -> set[str]:
        """Waits until this many tenants of a run are done; returns the outcomes."""

        def lines() -> list[dict[str, Any]]:
            logged = self.deployed.outcomes(run_id)
            return [line for line in logged if line["tenant_id"] in TENANT_IDS]

        wait_until(lambda: len(lines()) >= tenants, f"{tenants} outcomes of {run_id}")
        return {line["outcome"] for line in lines()}

    def issued_by(self, invoice_id: str) -> list[tuple[str, str | None]]:
        """Returns who issued an invoice, and the reason for an override."""
        entries = self.ask_history(invoice_id)
        return [
            (entry["by"], entry["reason"])
            for entry in entries
            if (entry["action"], entry["outcome"]) == ("issue", "done")
        ]

    def ask_history(self, invoice_id: str) -> list[dict[str, Any]]:
        """Returns an invoice's history."""
        answer = self.deployed.call(f"/invoices/{invoice_id}/history", self.token)
        entries: list[dict[str, Any]] = answer.json["entries"]
        return entries


def _take_away(deployed: Deployed) -> None:
    """Deletes all items of these tenants."""
    client, tables = deployed.local.client("dynamodb"), deployed.local.outputs["tables"]
    keys = {
        "accounts": ("pk", "sk"),
        "invoices": ("tenant_id", "period_start"),
        "usage": ("deployment_period", "day"),
    }
    for kind, names in keys.items():
        pages = client.get_paginator("scan").paginate(TableName=tables[kind])
        for item in (item for page in pages for item in page["Items"]):
            key = {attribute: item[attribute] for attribute in names}
            if "close" in key[names[0]]["S"] or "2019-0" in key[names[0]]["S"]:
                client.delete_item(TableName=tables[kind], Key=key)


def _set_up(deployed: Deployed) -> None:
    pricing = deployed.rollup.pricing
    PriceVersions(pricing.accounts.name, PLANS).put(PLAN, 1)
    for number in NUMBERS:
        tenant_id = name(number)
        TenantsTable(pricing.accounts.name).put(
            Tenant(tenant_id, tenant_id, str(8100 + number), "gst")
        )
        version = 9 if tenant_id == POISONED else 1
        days = date(2019, 6, 1), date(2019, 7, 31)
        segment = Segment(tenant_id, tenant_id, *days, "close", version)
        SubscriptionsTable(pricing.accounts.name).put(segment)
        for day, hours in ((date(2019, 6, 5), 10 * number), (date(2019, 7, 5), 5 * number)):
            used = {"droplet_hours": Decimal(100 + hours)}
            pricing.usage.add(tenant_id, tenant_id, day, used)
    pricing.usage.add(HELD, HELD, date(2019, 6, 6), {"gpu_hours": Decimal(1)})


@pytest.fixture(scope="module")
def closing(deployed: Deployed) -> Iterator[Closing]:
    """25 tenants, one of which is pinned to a price that does not exist.

    The queue hides failed messages for six minutes, as on AWS, so they do not come again here. (A
    queue that hides them for a second would deliver them while workers still start, and healthy
    ones would end as dead letters.)
    """
    _set_up(deployed)
    sqs, queues = deployed.local.client("sqs"), deployed.local.outputs["queues"]
    before = sqs.get_queue_attributes(QueueUrl=queues["rollup"], AttributeNames=list(HIDDEN))
    close = Closing(deployed, deployed.user_in("finance", "platform_admin"))
    close.hide(HIDDEN)
    yield close
    close.hide(before["Attributes"])
    sqs.purge_queue(QueueUrl=queues["rollup"])
    _take_away(deployed)


def total(report: Any) -> int:
    """Returns the total of all invoices, in cents."""
    [row] = report["totals"]
    cents: int = row["total_cents"]
    return cents


def test_a_poisoned_tenant_is_named_and_after_mending_and_redrive_nobody_is_missing(
    closing: Closing,
) -> None:
    run_id = closing.run(JUNE)
    report = closing.settled(JUNE, 24, 1)
    assert (report["due"], report["missing"]["count"]) == (25, 0)
    [failed] = report["failed"]["tenants"]
    assert (failed["tenant_id"], failed["run_id"], failed["receive_count"]) == (
        POISONED,
        run_id,
        1,
    )
    assert failed["reason"] == "UnknownPrice: plan close v0009 is not in the catalogue"
    # Run alone, it may fail until it is a dead letter.
    closing.hide(BRIEFLY)
    dead = closing.deployed.queued("rollup_dlq")
    again = closing.run(JUNE, POISONED)
    wait_until(lambda: closing.deployed.queued("rollup_dlq") > dead, "a dead letter")
    [failed] = closing.settled(JUNE, 24, 1)["failed"]["tenants"]
    assert (failed["run_id"], failed["receive_count"]) == (again, 5)
    closing.hide(HIDDEN)
    PriceVersions(closing.deployed.rollup.pricing.accounts.name, PLANS).put(PLAN, 9)
    redriven = monthend(closing.deployed, "redrive", "--tenant", POISONED)
    dead_letters = [
        dead_letter for dead_letter in redriven["letters"] if dead_letter["tenant_id"] == POISONED
    ]
    assert [(dead_letter["reason"], dead_letter["result"]) for dead_letter in dead_letters] == [
        (failed["reason"], "moved")
    ]
    report = closing.settled(JUNE, 25, 0)
    assert (report["due"], report["invoiced"]["draft"]) == (25, 25)
    assert total(report) == JUNE_CENTS == 89650
    runs = [(run["by"], run["tenants"]) for run in report["runs"]["runs"]]
    assert runs == [("finance", 1), ("finance", None)]


def test_a_preview_prices_and_may_not_write(closing: Closing) -> None:
    shown = closing.ask(f"/month-ends/{JUNE}/preview?tenant_id={name(3)}")["previews"]
    assert [(preview["outcome"], preview["reason"]) for preview in shown] == [
        ("skipped", "unchanged")
    ]
    assert shown[0]["after"]["total_cents"] == 3300 + 22 * 3
    [role] = [
        role_name
        for role_name in closing.deployed.local.physical_ids("AWS::IAM::Role")
        if "PreviewMonthEnd" in role_name
    ]
    dynamodb = as_role(closing.deployed, role, "dynamodb")
    tables = closing.deployed.local.outputs["tables"]
    for table, item in (
        ("invoices", {"tenant_id": {"S": "close"}, "period_start": {"S": "x"}}),
        ("accounts", {"pk": {"S": "close"}, "sk": {"S": "x"}}),
        ("usage", {"deployment_period": {"S": "close"}, "day": {"S": "x"}}),
    ):
        for write, named in (("put_item", "Item"), ("update_item", "Key"), ("delete_item", "Key")):
            with pytest.raises(ClientError, match="AccessDenied"):
                getattr(dynamodb, write)(TableName=tables[table], **{named: item})


def test_the_month_is_issued_but_for_what_is_held_until_there_is_a_reason(
    closing: Closing,
) -> None:
    report = closing.ask(f"/month-ends/{JUNE}")
    held = [entry["tenant_id"] for entry in report["review"]["entries"] if entry["held"]]
    assert held == [HELD]
    body = {"reviewed": report["digest"]}
    stale = closing.deployed.call(
        f"/month-ends/{JUNE}/issue", closing.token, "POST", {"reviewed": "0" * 64}
    )
    assert (stale.status, stale.json["digest"]) == (409, report["digest"])
    first = closing.ask(f"/month-ends/{JUNE}/issue", body)
    assert (first["issued"], first["complete"], first["refused"]) == (24, True, [])
    [held_entry] = first["held"]
    assert held_entry["invoice_id"] == f"{HELD}.{JUNE}"
    assert [finding["rule"] for finding in held_entry["findings"]] == ["unpriced_usage"]
    single = closing.deployed.call(
        f"/invoices/{HELD}.{JUNE}/issue", closing.token, "POST", {"revision": 1}
    )
    detail = f"usage of 1 kind is billed nothing: 1 gpu_hours of {HELD}"
    finding = {"rule": "unpriced_usage", "holds": True, "detail": detail}
    assert (single.status, single.json["held_by"]) == (409, [finding])
    reason = "Their GPU is a gift."
    overrides = {f"{HELD}.{JUNE}": reason}
    last = closing.ask(f"/month-ends/{JUNE}/issue", body | {"overrides": overrides})
    assert (last["issued"], last["already"], last["held"]) == (1, 24, [])
    assert closing.issued_by(f"{HELD}.{JUNE}") == [("finance", reason)]
    report = closing.ask(f"/month-ends/{JUNE}")
    assert (report["invoiced"]["issued"], total(report)) == (25, JUNE_CENTS)


def test_issued_money_keeps_every_byte_whatever_is_done(closing: Closing) -> None:
    """Late usage, a sweep, a plain and a forced run for everybody, and redriven dead letters."""
    issued = closing.documents("2019-06-01")
    assert {item["status"]["S"] for item in issued.values()} == {"issued"}
    assert len(issued) == 25
    late = {"droplet_hours": Decimal(1000)}
    for tenant_id in TENANT_IDS:
        closing.deployed.rollup.pricing.usage.add(tenant_id, tenant_id, date(2019, 6, 30), late)
    assert closing.sweep("2019-07-01T04:00:00Z")["period"] == JUNE
    for force, outcome in ((False, "skipped"), (True, "refused")):
        assert closing.outcomes(closing.run(JUNE, force=force), 25) == {outcome}
    sqs, queues = closing.deployed.local.client("sqs"), closing.deployed.local.outputs["queues"]
    message = {"version": 1, "period": JUNE, "run_at": "2019-07-01T03:00:00Z", "force": True}
    for tenant_id in sorted(TENANT_IDS)[:3]:
        dead_letter = message | {"tenant_id": tenant_id, "run_id": "redriven-2019-06"}
        sqs.send_message(QueueUrl=queues["rollup_dlq"], MessageBody=json.dumps(dead_letter))
        assert monthend(closing.deployed, "redrive", "--tenant", tenant_id)["moved"] == 1
    assert closing.outcomes("redriven-2019-06", 3) == {"refused"}
    assert closing.documents("2019-06-01") == issued


def test_the_sweep_alone_gets_there(closing: Closing) -> None:
    key = {"deployment_period": {"S": f"{POISONED}#{JULY}"}, "day": {"S": "total"}}
    table, client = (
        closing.deployed.local.outputs["tables"]["usage"],
        closing.deployed.local.client("dynamodb"),
    )
    good = client.get_item(TableName=table, Key=key)["Item"]
    client.put_item(TableName=table, Item=good | {"droplet_hours": {"N": "-1"}})
    first = closing.sweep("2019-08-01T04:00:00Z")
    assert (first["period"], first["sent"], first["run_not_started"]) == (JULY, 25, 1)
    report = closing.settled(JULY, 24, 1)
    assert report["failed"]["tenants"][0]["tenant_id"] == POISONED
    client.put_item(TableName=table, Item=good)
    second = closing.sweep("2019-08-01T10:00:00Z")
    assert (second["sent"], second["tenants_missing_late"]) == (1, 1)
    report = closing.settled(JULY, 25, 0)
    assert total(report) == JULY_CENTS == 141075
    last = closing.sweep("2019-08-01T11:00:00Z")
    assert (last["sent"], last["tenants_missing"], last["tenants_missing_late"]) == (0, 0, 0)
    stored = closing.ask(f"/month-ends/{JULY}?stored=true")
    assert (stored["as_of"], stored["stored"]) == ("2019-08-01T11:00:00+00:00", True)
    assert stored["invoiced"] == report["invoiced"]


def test_two_who_issue_the_month_at_once_issue_each_invoice_once(closing: Closing) -> None:
    boss = closing.deployed.user_in("boss", "platform_admin")
    body = {"reviewed": closing.ask(f"/month-ends/{JULY}")["digest"]}

    def issue(token: str) -> Any:
        return closing.ask(f"/month-ends/{JULY}/issue", body, token)

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(issue, (closing.token, boss)))
    assert sum(answer["issued"] for answer in both) == 25
    assert all(answer["complete"] for answer in both)
    assert all(not answer["held"] and not answer["refused"] for answer in both)
    for number in NUMBERS:
        assert len(closing.issued_by(f"{name(number)}.{JULY}")) == 1
    assert closing.ask(f"/month-ends/{JULY}")["invoiced"]["issued"] == 25
