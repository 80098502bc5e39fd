"""`monthend usage show`: what is counted, day by day, with its corrections and imports."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from cli.app import main
from cli.stack.stack import Stack
from invoicing.accounts.account import Segment
from invoicing.accounts.deployments import Deployment
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation.audit import Actor
from invoicing.invoices.corrected_months import corrections_over
from invoicing.usage.correction import read_correction
from invoicing.usage.usage_event import UsageEvent
from invoicing.usage.usage_events_table import UsageEventsTable
from invoicing.usage.usage_table import UsageTable
from tests.unit.cli.conftest import Said, said_json
from tests.unit.cli.month_end.office import at, store

APRIL = ("--period", "2026-04")
ADA = Actor("AIDA:ada", "ada [ops]")


def imported(name: str, event_id: str, day: str, kind: str, quantity: str) -> None:
    """Counts an event of the pilot's as the import of a file does."""
    event = {
        "id": event_id,
        "source": "monthend-import",
        "deployment_id": "pilot",
        "resource_kind": kind,
        "quantity": quantity,
        "occurred_at": f"{day}T02:00:00Z",
    }
    table = UsageEventsTable("usage", imported_from=name)
    table.record("pilot", day, [UsageEvent.model_validate(event)])


@pytest.fixture
def april(tables: Stack) -> None:
    """The pilot's April: 2,160 hours on the 30th, files on two days, a correction of one."""
    store("pilot")
    imported("april.csv", "e-1", "2026-04-14", "hours", "20000")
    imported("april.csv", "e-2", "2026-04-14", "egress_gb", "41.75")
    imported("april[2].csv", "e-3", "2026-04-15", "hours", "72")
    imported("april.csv", "e-4", "2026-04-15", "hours", "1")
    body = {
        "id": "typo-7",
        "reason": "typed 20000 for 200",
        "day": {
            "deployment_id": "pilot",
            "resource_kind": "hours",
            "day": "2026-04-14",
            "expect": "20000",
            "quantity": "200",
        },
    }
    moment = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
    corrections_over(tables.settings).correct(read_correction(body), ADA, moment)


def test_a_month_is_shown_day_by_day_and_kind_by_kind(april: None, capsys: Said) -> None:
    assert main(["usage", "show", "pilot", *APRIL]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line and "─" not in line] == [
        "pilot, April 2026",
        "Day Resource kind Quantity Imported from",
        "2026-04-14 egress_gb 41.75 april.csv",
        "hours 200",
        "2026-04-15 hours 73 april[2].csv",
        "april.csv",
        "2026-04-30 hours 2160",
        "Month egress_gb 41.75",
        # 200 + 73 + 2,160.
        "hours 2433",
        "Corrections of pilot, April 2026",
        "Day Resource kind Before After When (UTC) By Why, and its id",
        "2026-04-14 hours 20000 200 2026-05-01 09:30 ada [ops] typed 20000 for 200",
        "typo-7",
    ]


def test_as_json_it_is_what_an_admin_gets_from_the_api(april: None, capsys: Said) -> None:
    assert main(["usage", "show", "pilot", *APRIL, "--json"]) == 0
    month = said_json(capsys)
    assert month["deployment_id"] == "pilot"
    assert month["period"] == "2026-04"
    assert month["days"][0] == {
        "day": "2026-04-14",
        "usage": {"egress_gb": "41.75", "hours": "200"},
        "imports": ["april.csv"],
    }
    assert month["total"] == {"egress_gb": "41.75", "hours": "2433"}
    [correction] = month["corrections"]
    assert correction["changes"] == {"hours": {"before": "20000", "after": "200"}}


def test_a_tenant_is_shown_with_all_that_it_ever_had(
    tables: Stack, usage: UsageTable, capsys: Said
) -> None:
    store("pilot", "acme")
    subscriptions = SubscriptionsTable(tables.settings.accounts_table)
    for name, ends_on in (("pilot-ended", date(2026, 2, 28)), ("pilot-gone", None)):
        subscriptions.put(Segment("pilot", name, date(2026, 1, 10), ends_on, "studio", 1))
        usage.add("pilot", name, date(2026, 4, 1), {"hours": Decimal(5)})
    gone = subscriptions.get("pilot", "pilot-gone")
    subscriptions.write(Deployment("pilot", "pilot-gone", ()), gone)
    usage.add("acme", "acme", date(2026, 4, 1), {"hours": Decimal(7)})
    assert main(["usage", "show", "--tenant", "pilot", *APRIL, "--json"]) == 0
    body = said_json(capsys)
    assert (body["tenant_id"], body["period"]) == ("pilot", "2026-04")
    totals = {month["deployment_id"]: month["total"] for month in body["deployments"]}
    assert totals == {
        "pilot": {"hours": "2160"},
        "pilot-ended": {"hours": "5"},
        "pilot-gone": {"hours": "5"},
    }


def test_deployments_without_usage_are_named_in_one_line(tables: Stack, capsys: Said) -> None:
    store("pilot", "acme")
    assert main(["usage", "show", "--tenant", "acme", *APRIL]) == 0
    assert capsys.readouterr().out == "Nothing counted in April 2026: acme\n"


def test_without_a_period_it_is_the_current_month_of_the_billing_zone(
    tables: Stack, usage: UsageTable, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    store("pilot")
    # In Sydney it is May already.
    at(monkeypatch, "cli.commands.usage", "2026-04-30T15:00:00+00:00")
    assert main(["usage", "show", "pilot", "--json"]) == 0
    assert said_json(capsys)["period"] == "2026-05"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nobody"], "no deployment nobody is known"),
        (["--tenant", "nobody"], "tenant nobody is not in the accounts table"),
        (["a b"], "DEPLOYMENT: a deployment's id is up to 64 of A-Z, a-z, 0-9, . _ and -"),
        (["--tenant", "A"], "--tenant: a tenant's id is up to 40"),
        ([], "give either a deployment or --tenant"),
        (["pilot", "--tenant", "pilot"], "give either a deployment or --tenant"),
        (["pilot", "--period", "April"], "period must be YYYY-MM"),
    ],
)
def test_what_cannot_be_shown_is_exit_two(
    tables: Stack, capsys: Said, words: list[str], says: str
) -> None:
    assert main(["usage", "show", *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_usage_that_is_no_usage_is_exit_one(
    tables: Stack, usage: UsageTable, capsys: Said
) -> None:
    store("pilot")
    usage._client.update_item(
        TableName="usage",
        Key={"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": "total"}},
        UpdateExpression="SET hours = :wrong",
        ExpressionAttributeValues={":wrong": {"N": "-5"}},
    )
    assert main(["usage", "show", "pilot", *APRIL]) == 1
    assert capsys.readouterr().err == "monthend: usage of pilot, hours: negative (-5)\n"
