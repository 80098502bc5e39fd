"""Usage that nobody pays for, and usage that came late, named by the deployed stack.

The tenants of these tests live in 2025 and are deleted at the end: other tests count tenants.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from tests.e2e.conftest import Deployed, wait_until
from tests.e2e.test_cli import monthend
from tests.e2e.test_cli_month_end import forget
from tests.e2e.test_late_usage import add_tenant
from tests.openapi import assert_promised

SURF, SHORE, DUNE = "named-surf", "named-shore", "named-dune"
OCTOBER = "2025-10"
LONG, SHORT = date(2025, 10, 10), date(2025, 10, 31)


@pytest.fixture(scope="module")
def stack(deployed: Deployed) -> Iterator[Deployed]:
    """Surf ended on 10 September. Shore and Dune go on: 1,488 hours, then a cent each."""
    accounts = deployed.rollup.pricing.accounts
    TenantsTable(accounts.name).put(Tenant(SURF, "Surf", "9241", "gst"))
    ended = Segment(SURF, "surf-web", date(2025, 1, 1), date(2025, 9, 10), "studio", 1)
    SubscriptionsTable(accounts.name).put(ended)
    add_tenant(deployed, SHORE, "9242")
    add_tenant(deployed, DUNE, "9243")
    yield deployed
    forget(deployed, SURF, SHORE, DUNE)
    client, table = deployed.local.client("dynamodb"), accounts.name
    for page in client.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if item["sk"]["S"] == "late-usage":
                key = {name: item[name] for name in ("pk", "sk")}
                client.delete_item(TableName=table, Key=key)


def use(stack: Deployed, tenant_id: str, day: date, quantity: int, kind: str) -> None:
    """Meters usage of a tenant's deployment."""
    deployment_id = "surf-web" if tenant_id == SURF else tenant_id
    usage = {kind: Decimal(quantity)}
    stack.rollup.pricing.usage.add(tenant_id, deployment_id, day, usage)


@pytest.fixture(scope="module")
def token(deployed: Deployed) -> str:
    """The token of an admin of this module alone."""
    return deployed.user_in("named-admin", "platform_admin")


def report(stack: Deployed, token: str) -> Any:
    """GET /month-ends/2025-10, which must be as promised and what the command line shows."""
    answer = stack.call(f"/month-ends/{OCTOBER}", token)
    assert answer.status == 200, answer.body
    assert_promised("/month-ends/{period}", 200, "application/json", answer.json)
    for command in ("status", "report"):
        shown = monthend(stack, command, "--period", OCTOBER)
        for name in ("unbilled_usage", "late_usage"):
            assert shown[name] == answer.json[name]
    return answer.json


def rows(entries: Any, *names: str) -> list[tuple[Any, ...]]:
    """Returns these fields of the entries of this module's tenants."""
    ours = [entry for entry in entries if entry["tenant_id"] in (SURF, SHORE, DUNE)]
    return [tuple(entry[name] for name in ("tenant_id", *names)) for entry in ours]


def sweep(stack: Deployed, at: str) -> Any:
    """Invokes the deployed function as its rule would."""
    fields = {"version": "0", "id": f"late {at}", "detail-type": "Scheduled Event", "time": at}
    return stack.invoke("sweep_late_usage", fields | {"source": "aws.events", "detail": {}})


def invoice(stack: Deployed, *tenant_ids: str, period: str = OCTOBER, force: bool = False) -> None:
    """Runs a month for these tenants and waits until they have the invoices."""
    tenants = [word for tenant_id in tenant_ids for word in ("--tenant", tenant_id)]
    forced = ["--force"] if force else []
    monthend(stack, "run", "--period", period, *tenants, *forced, "--wait")


def test_what_is_metered_is_billed_or_named_until_it_is(stack: Deployed, token: str) -> None:
    use(stack, SURF, LONG, 500, "droplet_hours")
    use(stack, SHORE, LONG, 1500, "droplet_hours")
    use(stack, SHORE, LONG, 7, "gpu_hours")
    use(stack, DUNE, LONG, 100, "droplet_hours")
    invoice(stack, SURF, SHORE, DUNE)
    october = report(stack, token)
    assert SURF in october["nothing_to_invoice"]["tenant_ids"]
    unbilled = [
        (SHORE, SHORE, "gpu_hours", "7", "2025-10", f"{SHORE}.2025-10"),
        (SURF, "surf-web", "droplet_hours", "500", "2025-10", None),
    ]
    names = ("deployment_id", "resource_kind", "quantity", "period", "invoice_id")
    assert rows(october["unbilled_usage"]["entries"], *names) == unbilled
    [(_, findings)] = rows(
        [each for each in october["review"]["entries"] if each["held"]], "findings"
    )
    assert (
        findings[-1]["detail"] == "usage of 1 kind is billed nothing: 7 gpu_hours of named-shore"
    )
    words = ("issue", f"{SHORE}.{OCTOBER}", "--revision", "1", "--reason", "A free trial.")
    monthend(stack, *words)
    # Fifty hours of an issued month, which cost 50 cents; two hundred of a draft's.
    use(stack, SHORE, SHORT, 50, "droplet_hours")
    use(stack, DUNE, SHORT, 200, "droplet_hours")
    assert sweep(stack, "2025-11-20T02:00:00Z")["complete"] is True
    october = report(stack, token)
    late = october["late_usage"]["entries"]
    assert rows(late, "resource_kind", "quantity", "fate", "billed_on") == [
        (DUNE, "droplet_hours", "200", "forced_run", "2025-10"),
        (SHORE, "droplet_hours", "50", "next_invoice", "2025-11"),
    ]
    invoice(stack, DUNE, force=True)
    wait_until(lambda: _revision(stack, DUNE) == 2, "Dune's draft is made again")
    invoice(stack, SHORE, period="2025-11")
    lines = monthend(stack, "invoice", f"{SHORE}.2025-11")["lines"]
    assert [line["amount_cents"] for line in lines if line["kind"] == "adjustment"] == [50]
    sweep(stack, "2025-12-20T02:00:00Z")
    october = report(stack, token)
    assert rows(october["late_usage"]["entries"]) == []
    assert october["late_usage"]["as_of"] == "2025-12-20T02:00:00+00:00"
    assert rows(october["unbilled_usage"]["entries"], *names) == unbilled


def _revision(stack: Deployed, tenant_id: str) -> int:
    revision: int = monthend(stack, "invoice", f"{tenant_id}.{OCTOBER}")["revision"]
    return revision


def test_the_daily_rule_calls_the_function(stack: Deployed) -> None:
    name = stack.local.outputs["functions"]["sweep_late_usage"]
    function = stack.local.client("lambda").get_function(FunctionName=name)
    arn = function["Configuration"]["FunctionArn"]
    events = stack.local.client("events")
    [rule] = events.list_rule_names_by_target(TargetArn=arn)["RuleNames"]
    assert events.describe_rule(Name=rule)["ScheduleExpression"] == "cron(0 2 * * ? *)"
