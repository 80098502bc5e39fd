"""A month closed through the deployed stack: run, mend, review, issue; and by the sweep alone.

The tenants of these tests live in 2019 and are taken away at the end: other tests count.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from invoicing.accounts import Subscription, Tenant
from quote_engine import PerUnit, Plan
from tests.e2e.conftest import Deployed, as_role, wait_until
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
# and a tenth of that as GST. Of 1 to 25 the sum is 325.
JUNE_CENTS = 25 * 3300 + 22 * 325
JULY_CENTS = 25 * 3300 + 11 * 325
VISIBILITY = "360"


def name(number: int) -> str:
    """The tenant with this number, and its one deployment."""
    return f"close-{number:02}"


@dataclass
class Closing:
    """The deployed month-end, for an admin."""

    deployed: Deployed
    token: str

    def ask(self, path: str, body: Any = None, token: str | None = None) -> Any:
        """A request of the month-end routes; the answer must be one that is promised."""
        method = "GET" if body is None else "POST"
        answer = self.deployed.call(path, token or self.token, method, body)
        assert answer.status in (200, 202), answer.body
        route = path.partition("?")[0].replace(JUNE, "{period}").replace(JULY, "{period}")
        kind = "application/json"
        assert_promised(route, answer.status, kind, answer.json, method=method.lower())
        return answer.json

    def run(self, period: str, *tenant_ids: str) -> str:
        """POST /month-ends for these, or for everybody; answers the run's id."""
        order = {"period": period} | ({"tenant_ids": list(tenant_ids)} if tenant_ids else {})
        run_id: str = self.ask("/month-ends", order)["run_id"]
        return run_id

    def settled(self, period: str, invoiced: int, failed: int) -> Any:
        """The report, once as many are invoiced and failed."""

        def report() -> Any:
            return self.ask(f"/month-ends/{period}")

        def holds() -> bool:
            found = report()
            return (sum(found["invoiced"].values()), found["failed"]["count"]) == (
                invoiced,
                failed,
            )

        wait_until(holds, f"{invoiced} invoiced and {failed} failed")
        return report()

    def sweep(self, at: str) -> Any:
        """The deployed sweep, invoked as its rule would."""
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
        found = self.deployed.local.client("lambda").get_function(
            FunctionName=self.deployed.local.outputs["functions"][function]
        )
        arn: str = found["Configuration"]["FunctionArn"]
        return arn

    def issued_by(self, invoice_id: str) -> list[tuple[str, str | None]]:
        """Who issued an invoice, and why all the same."""
        entries = self.ask_history(invoice_id)
        return [
            (entry["by"], entry["reason"])
            for entry in entries
            if (entry["action"], entry["outcome"]) == ("issue", "done")
        ]

    def ask_history(self, invoice_id: str) -> list[dict[str, Any]]:
        """An invoice's history."""
        answer = self.deployed.call(f"/invoices/{invoice_id}/history", self.token)
        entries: list[dict[str, Any]] = answer.json["entries"]
        return entries


def _take_away(deployed: Deployed) -> None:
    """Leaves the tables as if these tenants had never been."""
    client, tables = deployed.local.client("dynamodb"), deployed.local.outputs["tables"]
    keys = {
        "accounts": ("pk", "sk"),
        "invoices": ("tenant_id", "period_start"),
        "usage": ("deployment_period", "day"),
    }
    for kind, names in keys.items():
        pages = client.get_paginator("scan").paginate(TableName=tables[kind])
        for item in (item for page in pages for item in page["Items"]):
            key = {each: item[each] for each in names}
            if "close" in key[names[0]]["S"] or "2019-0" in key[names[0]]["S"]:
                client.delete_item(TableName=tables[kind], Key=key)


def _set_up(deployed: Deployed) -> None:
    pricing = deployed.rollup.pricing
    pricing.accounts.put_plan(PLAN, 1)
    for number in NUMBERS:
        tenant_id = name(number)
        pricing.accounts.put_tenant(Tenant(tenant_id, tenant_id, str(8100 + number), "gst"))
        version = 9 if tenant_id == POISONED else 1
        days = date(2019, 6, 1), date(2019, 7, 31)
        segment = Subscription(tenant_id, tenant_id, *days, "close", version)
        pricing.accounts.put_subscription(segment)
        for day, hours in ((date(2019, 6, 5), 10 * number), (date(2019, 7, 5), 5 * number)):
            used = {"droplet_hours": Decimal(100 + hours)}
            pricing.usage.add(tenant_id, tenant_id, day, used)
    pricing.usage.add(HELD, HELD, date(2019, 6, 6), {"gpu_hours": Decimal(1)})


@pytest.fixture(scope="module")
def closing(deployed: Deployed) -> Iterator[Closing]:
    """25 tenants, one of whom is on a price that is not there.

    What failed is hidden on the queue for six minutes, as on AWS: it does not come again here. (A
    queue that gives messages back after a second would give them back while workers still start,
    and healthy ones would end as dead letters.)
    """
    _set_up(deployed)
    sqs, queues = deployed.local.client("sqs"), deployed.local.outputs["queues"]
    hidden = {"VisibilityTimeout": VISIBILITY}
    before = sqs.get_queue_attributes(QueueUrl=queues["rollup"], AttributeNames=list(hidden))
    sqs.set_queue_attributes(QueueUrl=queues["rollup"], Attributes=hidden)
    yield Closing(deployed, deployed.user_in("finance", "platform_admin"))
    sqs.set_queue_attributes(QueueUrl=queues["rollup"], Attributes=before["Attributes"])
    sqs.purge_queue(QueueUrl=queues["rollup"])
    _take_away(deployed)


def total(report: Any) -> int:
    """What all invoices come to, in cents."""
    [row] = report["totals"]
    cents: int = row["total_cents"]
    return cents


def test_a_poisoned_tenant_is_named_and_after_the_mending_nobody_is_missing(
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
    closing.deployed.rollup.pricing.accounts.put_plan(PLAN, 9)
    closing.run(JUNE, POISONED)
    report = closing.settled(JUNE, 25, 0)
    assert (report["due"], report["invoiced"]["draft"]) == (25, 25)
    assert total(report) == JUNE_CENTS == 89650
    runs = [(run["by"], run["tenants"]) for run in report["runs"]["runs"]]
    assert runs == [("finance", 1), ("finance", None)]


def test_a_preview_prices_and_may_not_write(closing: Closing) -> None:
    shown = closing.ask(f"/month-ends/{JUNE}/preview?tenant_id={name(3)}")["previews"]
    assert [(each["outcome"], each["reason"]) for each in shown] == [("skipped", "unchanged")]
    assert shown[0]["after"]["total_cents"] == 3300 + 22 * 3
    [role] = [
        each
        for each in closing.deployed.local.physical_ids("AWS::IAM::Role")
        if "PreviewMonthEnd" in each
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
    held = [each["tenant_id"] for each in report["review"]["entries"] if each["held"]]
    assert held == [HELD]
    order = {"reviewed": report["digest"]}
    stale = closing.deployed.call(
        f"/month-ends/{JUNE}/issue", closing.token, "POST", {"reviewed": "0" * 64}
    )
    assert (stale.status, stale.json["digest"]) == (409, report["digest"])
    first = closing.ask(f"/month-ends/{JUNE}/issue", order)
    assert (first["issued"], first["complete"], first["refused"]) == (24, True, [])
    [left] = first["held"]
    assert left["invoice_id"] == f"{HELD}.{JUNE}"
    assert [finding["rule"] for finding in left["findings"]] == ["unpriced_usage"]
    single = closing.deployed.call(
        f"/invoices/{HELD}.{JUNE}/issue", closing.token, "POST", {"revision": 1}
    )
    assert (single.status, single.json["held_by"]) == (409, left["findings"])
    reason = "Their GPU is a gift."
    overrides = {f"{HELD}.{JUNE}": reason}
    last = closing.ask(f"/month-ends/{JUNE}/issue", order | {"overrides": overrides})
    assert (last["issued"], last["already"], last["held"]) == (1, 24, [])
    assert closing.issued_by(f"{HELD}.{JUNE}") == [("finance", reason)]
    report = closing.ask(f"/month-ends/{JUNE}")
    assert (report["invoiced"]["issued"], total(report)) == (25, JUNE_CENTS)


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
    assert total(report) == JULY_CENTS == 86075
    last = closing.sweep("2019-08-01T11:00:00Z")
    assert (last["sent"], last["tenants_missing"], last["tenants_missing_late"]) == (0, 0, 0)
    stored = closing.ask(f"/month-ends/{JULY}?stored=true")
    assert (stored["as_of"], stored["stored"]) == ("2019-08-01T11:00:00+00:00", True)
    assert stored["invoiced"] == report["invoiced"]


def test_two_who_issue_the_month_at_once_issue_each_invoice_once(closing: Closing) -> None:
    boss = closing.deployed.user_in("boss", "platform_admin")
    order = {"reviewed": closing.ask(f"/month-ends/{JULY}")["digest"]}

    def issue(token: str) -> Any:
        return closing.ask(f"/month-ends/{JULY}/issue", order, token)

    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(issue, (closing.token, boss)))
    assert sum(found["issued"] for found in both) == 25
    assert all(found["complete"] for found in both)
    assert all(not found["held"] and not found["refused"] for found in both)
    for number in NUMBERS:
        assert len(closing.issued_by(f"{name(number)}.{JULY}")) == 1
    assert closing.ask(f"/month-ends/{JULY}")["invoiced"]["issued"] == 25
