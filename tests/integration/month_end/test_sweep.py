"""The sweep: tenants that are due without an invoice get a message, and alarms their metrics."""

import json
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.foundation import time_limit
from invoicing.foundation.billing_calendar import TimeInFuture
from invoicing.foundation.parsing import InvalidMessage
from invoicing.foundation.settings import settings
from invoicing.month_end import month_reader
from local.handlers import LambdaContext
from tests.events import event
from tests.integration.conftest import APRIL, STUDIO, Stack
from tests.integration.month_end.closing import Office
from tests.integration.month_end.test_rollup import record_of


@pytest.fixture
def office(stack: Stack, rollup: ModuleType) -> Office:
    """Finance, with nobody to bill yet."""
    return Office(stack, rollup)


def start(office: Office) -> None:
    """Makes the schedule's own run, and loses its messages."""
    office.functions["start_month_end"].handler(event("start_month_end"), LambdaContext())
    office.stack.received()


def carry(office: Office) -> list[str]:
    """Delivers all messages of the queue once; returns the tenants that failed."""
    messages = [(str(n), body) for n, body in enumerate(office.stack.received())]
    records = [record_of(key, body) for key, body in messages]
    answer = office.rollup.handler({"Records": records}, LambdaContext())
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    return sorted(json.loads(body)["tenant_id"] for key, body in messages if key in failed)


def test_who_is_due_and_has_no_invoice_gets_a_message(office: Office, stack: Stack) -> None:
    for name in ("done", "lost"):
        stack.add_tenant(name)
    stack.add_tenant("poison", plan_version=7)
    stack.add_tenant("gone", ends_on=APRIL.start.replace(month=3), hours=None)
    start(office)
    office.roll_up("done", "poison", "gone")
    assert office.sweep() == {
        "run_id": "sweep-2026-05-01T04:00:00Z",
        "period": "2026-04",
        "tenants_missing": 1,
        "tenants_failed": 1,
        "tenants_missing_late": 0,
        "run_not_started": 0,
        "sent": 2,
        "complete": True,
    }
    bodies = office.sent()
    assert [body["tenant_id"] for body in bodies] == ["lost", "poison"]
    assert bodies[0] == {
        "version": 1,
        "tenant_id": "lost",
        "period": "2026-04",
        "run_id": "sweep-2026-05-01T04:00:00Z",
        "run_at": "2026-05-01T04:00:00Z",
        "force": False,
    }


def test_the_sweep_alone_gets_a_month_done(office: Office, stack: Stack) -> None:
    names = [f"t{number}" for number in range(6)]
    for name in names[:-1]:
        stack.add_tenant(name)
    stack.add_tenant(names[-1], plan_version=7)
    first = office.sweep()
    assert (first["sent"], first["run_not_started"]) == (6, 1)
    assert carry(office) == ["t5"]
    second = office.sweep("2026-05-01T05:00:00Z")
    assert (second["sent"], second["tenants_failed"], second["tenants_missing"]) == (1, 1, 0)
    assert carry(office) == ["t5"]
    PriceVersions(stack.accounts.name, PLANS).put(STUDIO, 7)
    office.sweep("2026-05-01T06:00:00Z")
    assert carry(office) == []
    last = office.sweep("2026-05-01T07:00:00Z")
    assert (last["sent"], last["tenants_missing"], last["tenants_failed"]) == (0, 0, 0)
    report = office.report()
    assert (report["due"], report["invoiced"]["draft"]) == (6, 6)
    # Six times 64.22 and 6.42.
    assert report["totals"][0]["total_cents"] == 42384
    by = [(run["by"], run["tenants"]) for run in report["runs"]["runs"]]
    assert by == [("sweep", 1), ("sweep", 1), ("sweep", 6)]


@pytest.mark.parametrize(
    ("started", "at", "late"),
    [
        (True, "2026-05-01T08:59:59Z", 0),
        (True, "2026-05-01T09:00:00Z", 1),
        (True, "2026-05-05T23:00:00Z", 1),
        # Without a run, nine hours after the month's end at midnight.
        (False, "2026-05-01T08:59:59Z", 0),
        (False, "2026-05-01T09:00:00Z", 1),
    ],
)
def test_a_tenant_is_late_six_hours_after_the_start(
    office: Office, stack: Stack, started: bool, at: str, late: int
) -> None:
    stack.add_tenant("acme")
    if started:
        start(office)
    result = office.sweep(at)
    assert (result["tenants_missing_late"], result["run_not_started"]) == (late, not started)


def test_a_run_for_a_few_is_not_the_start(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme")
    named = {"period": "2026-04", "tenant_ids": ["acme"], "time": "2026-05-01T01:00:00Z"}
    office.functions["start_month_end"].handler(named, LambdaContext())
    result = office.sweep("2026-05-01T08:00:00Z")
    assert (result["tenants_missing_late"], result["run_not_started"]) == (0, 1)


def test_in_the_billing_zone_the_month_ends_when_it_ends(
    office: Office, stack: Stack, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    settings.cache_clear()
    stack.add_tenant("acme")
    # April ends in Sydney at 14:00 UTC on the 30th; nine hours later it is 23:00 UTC.
    assert office.sweep("2026-04-30T22:59:59Z")["tenants_missing_late"] == 0
    assert office.sweep("2026-04-30T23:00:00Z")["tenants_missing_late"] == 1


def test_west_of_the_schedule_an_open_month_is_left_alone_in_words(
    office: Office,
    stack: Stack,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "America/Los_Angeles")
    settings.cache_clear()
    stack.add_tenant("acme")
    written = StringIO()
    office.functions["sweep_month_end"].logger.registered_handler.setStream(written)
    assert office.sweep("2026-05-01T04:00:00Z") == {"open": True}
    assert "period 2026-04 ends at 2026-05-01T07:00:00" in written.getvalue()
    assert stack.received() == []
    assert '"_aws"' not in capsys.readouterr().out
    assert office.sweep("2026-05-01T08:00:00Z")["sent"] == 1


def test_metrics_are_the_deployments_own_and_the_accounts(
    office: Office, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.add_tenant("acme")
    office.sweep("2026-05-01T12:00:00Z")
    [published] = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    ]
    [directive] = published["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Monthend"
    assert directive["Dimensions"] == [["service"], ["service", "function_name"]]
    assert published["service"] == "sweep_month_end"
    values = {
        name: published[name]
        for name in (
            *("tenants_missing", "tenants_failed"),
            *("tenants_missing_late", "run_not_started"),
        )
    }
    assert values == {
        "tenants_missing": [1.0],
        "tenants_failed": [0.0],
        "tenants_missing_late": [1.0],
        "run_not_started": [1.0],
    }


def test_out_of_time_it_has_sent_what_it_saw_and_stores_nothing(
    office: Office, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_reader, "CHECKED_AT_ONCE", 2)
    for number in range(5):
        stack.add_tenant(f"t{number}", hours=None)
    clock: Any = iter([0, 100, 200, 900])
    monkeypatch.setattr(time_limit, "monotonic", clock.__next__)
    result = office.sweep()
    assert (result["sent"], result["complete"]) == (4, False)
    assert carry(office) == []
    assert office.ask("get_month_end", query={"stored": "true"})["statusCode"] == 404
    monkeypatch.undo()
    assert office.sweep("2026-05-01T05:00:00Z")["sent"] == 1


def test_a_time_that_has_not_come_sweeps_nothing(office: Office, stack: Stack) -> None:
    stack.add_tenant("acme")
    with pytest.raises(TimeInFuture, match="time: 2099-01-01"):
        office.sweep("2099-01-01T04:00:00Z")
    assert office.sent() == []


def test_what_is_no_scheduled_event_sweeps_nothing(office: Office) -> None:
    with pytest.raises(InvalidMessage, match="time"):
        office.functions["sweep_month_end"].handler({"id": "x"}, LambdaContext())
