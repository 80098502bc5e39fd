"""Usage that nobody pays for, and usage that came late, as a person sees them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from cli.app import main
from cli.month_end.show_month import becomes
from cli.stack.stack import Stack
from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.time_limit import TimeLimit
from invoicing.month_end.late_usage_sweep import LateUsageSweep
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.usage.usage_table import UsageTable
from quote_engine import Period
from tests.unit.cli.conftest import STACK, Said, said_json
from tests.unit.cli.month_end.office import (
    Cloud,
    at,
    aws,
    roll_up,
    store,
    use_cloud,
    use_more,
)

PERIOD = ("--period", "2026-04")
OCTOBER = ("--period", "2026-10")


@pytest.fixture
def office(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The pilot and Acme on one plan, and Surf, whose surf-web ended on 10 September."""
    store("pilot", "acme")
    TenantsTable("accounts").put(Tenant("surf", "Surf", "1002", "gst"))
    ended = Segment("surf", "surf-web", date(2026, 1, 1), date(2026, 9, 10), "studio", 1)
    SubscriptionsTable("accounts").put(ended)
    yield use_cloud(monkeypatch, Cloud())


def words(capsys: Said) -> str:
    """Returns what was printed, with one blank between any two words."""
    return " ".join(capsys.readouterr().out.split())


def sweep(moment: str) -> None:
    """Looks for late usage, as the daily sweep does."""
    over = LateUsageSweep(STACK.pricing, MonthEndsTable("accounts"), STACK.settings.zone)
    over.sweep(datetime.fromisoformat(moment).astimezone(UTC), TimeLimit(60))


def issue(tenant_id: str) -> None:
    """Issues the tenant's April."""
    assert main(["issue", f"{tenant_id}.2026-04", "--revision", "1"]) == 0


def test_five_hundred_hours_after_the_end_are_named_by_status_and_report(
    office: Cloud, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "cli.commands.month_end", "2026-11-02T00:00:00+00:00")
    UsageTable("usage").add("surf", "surf-web", date(2026, 10, 10), {"hours": Decimal(500)})
    for command in ("status", "report"):
        assert main([command, *OCTOBER]) == 0
        shown = words(capsys)
        assert "Usage that nobody pays for: 1 Tenant Deployment Kind" in shown
        assert "surf surf-web hours 500 2026-10 none" in shown
        assert main([command, *OCTOBER, "--json"]) == 0
        assert said_json(capsys)["unbilled_usage"] == {
            "count": 1,
            "entries": [
                {
                    "tenant_id": "surf",
                    "deployment_id": "surf-web",
                    "resource_kind": "hours",
                    "period": "2026-10",
                    "quantity": "500",
                    "invoice_id": None,
                }
            ],
        }


def test_a_kind_without_a_rate_is_named_with_its_invoice_and_by_the_review(
    office: Cloud, capsys: Said
) -> None:
    use_more("pilot", 1_234_567, kind="gpu_hours")
    roll_up("pilot")
    assert main(["report", *PERIOD]) == 0
    shown = words(capsys)
    assert "pilot pilot gpu_hours 1,234,567 2026-04 pilot.2026-04" in shown
    finding = "usage of 1 kind is billed nothing: 1234567 gpu_hours of pilot"
    assert finding in shown
    assert main(["issue", "pilot.2026-04", "--revision", "1"]) == 1
    assert f"held by the review (unpriced_usage: {finding})" in capsys.readouterr().err


def test_late_usage_says_what_will_become_of_it(office: Cloud, capsys: Said) -> None:
    assert main(["status", *PERIOD]) == 0
    assert "Late usage: not looked for yet.\n" in capsys.readouterr().out
    for tenant_id in ("pilot", "acme"):
        roll_up(tenant_id)
    issue("pilot")
    sweep("2026-05-20T02:00:00+00:00")
    capsys.readouterr()
    assert main(["status", *PERIOD]) == 0
    assert "Late usage as of 2026-05-20 02:00 UTC: none.\n" in capsys.readouterr().out
    use_more("pilot", 50)
    use_more("pilot", 3, kind="gpu_hours")
    use_more("acme", 1500)
    sweep("2026-05-21T02:00:00+00:00")
    for command in ("status", "report"):
        assert main([command, *PERIOD]) == 0
        shown = words(capsys)
        assert "Usage that came late, as of 2026-05-21 02:00 UTC: 3" in shown
        assert "acme acme hours 1,500 a forced run of 2026-04 bills it" in shown
        nothing = "billed nothing: no rate, or no subscription on its days"
        assert f"pilot pilot gpu_hours 3 {nothing}" in shown
        assert "pilot pilot hours 50 will be on 2026-05" in shown


@pytest.mark.parametrize(
    ("quantity", "fate", "billed_on", "says"),
    [
        ("50", "next_invoice", "2026-11", "will be on 2026-11"),
        ("-19800", "next_invoice", "2026-11", "will be taken off on 2026-11"),
        ("20", "forced_run", "2026-10", "a forced run of 2026-10 bills it"),
        ("-20", "forced_run", "2026-10", "a forced run of 2026-10 takes it off"),
        ("-5", "no_charge", None, "comes to nothing: the price covers it"),
        ("-3", "unpriced", None, "taken back; it was billed nothing"),
        ("7", "too_old", None, "billed nothing: its month is too long ago"),
    ],
)
def test_what_becomes_of_it_in_words(
    quantity: str, fate: str, billed_on: str | None, says: str
) -> None:
    assert becomes({"quantity": quantity, "fate": fate, "billed_on": billed_on}) == says


def test_what_could_not_be_told_is_said(office: Cloud, capsys: Said) -> None:
    roll_up("pilot")
    issue("pilot")
    key = {"deployment_period": {"S": "pilot#2026-04"}, "day": {"S": "total"}}
    spoilt = key | {"tenant_id": {"S": "pilot"}, "hours": {"N": "-1"}}
    aws("dynamodb").put_item(TableName="usage", Item=spoilt)
    sweep("2026-05-20T02:00:00+00:00")
    table = MonthEndsTable("accounts")
    april = Period.month("2026-04")
    kept: Any = table.late_usage(april)
    table.store_late_usage(april, kept | {"complete": False})
    capsys.readouterr()
    assert main(["status", *PERIOD]) == 0
    shown = capsys.readouterr().out
    assert "Late usage as of 2026-05-20 02:00 UTC: not all tenants were looked at.\n" in shown
    reason = "InvalidUsage: usage of pilot, hours: negative (-1)"
    assert f"Late usage of pilot is not known: {reason}\n" in shown


def test_a_report_of_an_earlier_version_is_shown_without_them(office: Cloud, capsys: Said) -> None:
    assert main(["report", *PERIOD, "--json"]) == 0
    older = said_json(capsys) | {"stored": True}
    del older["unbilled_usage"], older["late_usage"]
    MonthEndsTable("accounts").store_report(Period.month("2026-04"), older)
    assert main(["report", *PERIOD, "--stored"]) == 0
    assert "nobody pays" not in capsys.readouterr().out
