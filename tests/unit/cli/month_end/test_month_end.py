"""A month-end from the command line: started, followed, reported, rehearsed."""

import json

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from cli.app import main
from cli.month_end import follow_run
from cli.month_end.closed_month import report_now
from cli.month_end.follow_run import Follower, RunProgress, look_of
from cli.month_end.start_run import StartedRun, run_request
from cli.stack.stack import Stack
from cli.terminal.errors import NotAllowed
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.invoices.invoices_table import InvoiceNotFound, InvoicesTable
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.start_event import parse_start
from quote_engine import Period
from tests.older_invoices import ISSUED, older_draft
from tests.unit.cli.conftest import STACK, Said, said_json
from tests.unit.cli.month_end.office import (
    Cloud,
    at,
    aws,
    break_prices,
    note_failure,
    roll_up,
    store,
    use_cloud,
    use_more,
)

APRIL = Period.month("2026-04")
PERIOD = ("--period", "2026-04")
LOOK = "`monthend status --period 2026-04`"
NOT_PRICED = "UnknownPrice: plan gone v0001 is not in the catalogue"


@pytest.fixture
def cloud(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The pilot's and Acme's April, not invoiced yet. Acme has used nothing."""
    store("pilot", "acme")
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0)
    return use_cloud(monkeypatch, Cloud())


def test_a_run_is_started_by_the_function_of_the_schedule(cloud: Cloud, capsys: Said) -> None:
    assert main(["run", *PERIOD, "--tenant", "pilot", "--force", "--json"]) == 0
    printed = said_json(capsys)
    [event] = cloud.events
    assert (printed["run_id"], printed["report"]) == (event["run_id"], None)
    request = parse_start(event)
    assert (request.period, request.tenant_ids, request.force) == ("2026-04", ("pilot",), True)
    assert (request.by, request.run_id) == ("moto", event["run_id"])


def test_who_does_not_watch_is_told_where_to_look(cloud: Cloud, capsys: Said) -> None:
    assert main(["run", *PERIOD]) == 0
    run_id = cloud.events[0]["run_id"]
    line = f"Run {run_id} of 2026-04 is started for everybody. {LOOK}.\n"
    assert capsys.readouterr().out == line


def test_a_run_is_followed_to_its_end(cloud: Cloud, capsys: Said) -> None:
    assert main(["run", *PERIOD, "--wait"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "April 2026 as of" in shown
    # 62.39 and 55.00, of which 5.67 and 5.00 are GST.
    assert "draft 2 106.72 10.67 117.39 AUD" in shown
    summary = "2 tenants: 2 due, 2 invoiced, 0 failed, 0 missing; 0 have nothing to invoice."
    # Both are new customers, which is no reason to hold their invoices.
    review = "2 to review, 0 of them held: `monthend report`."
    assert shown.endswith(f"{summary} Late usage: not looked for yet. {review}")


def test_who_fails_is_shown_with_the_reason_and_is_exit_one(
    cloud: Cloud, accounts: AccountsTable, capsys: Said
) -> None:
    break_prices(accounts, "acme")
    assert main(["run", *PERIOD, "--wait"]) == 1
    shown = capsys.readouterr()
    assert NOT_PRICED in " ".join(shown.out.split())
    error = "monthend: 1 failed; they are tried again, then they are dead letters\n"
    assert shown.err == error
    # None of the others failed.
    assert main(["run", *PERIOD, "--tenant", "pilot", "--wait", "--json"]) == 0
    report = said_json(capsys)["report"]
    assert (report["invoiced"]["draft"], report["failed"]["count"]) == (1, 1)


def started(*tenant_ids: str, force: bool = False) -> StartedRun:
    return StartedRun("this-run", run_request(APRIL, tenant_ids or None, force))


def test_a_note_of_a_run_before_does_not_end_this_one(cloud: Cloud) -> None:
    note_failure("acme", "Oh", "old-run")
    roll_up("pilot")
    report = report_now(STACK, APRIL)
    assert look_of(report, started(), 1) == RunProgress(False, 1, 0, 1, 1)
    assert look_of(report, started("pilot"), 1) == RunProgress(False, 1, 0, 0, 1)
    note_failure("acme", "Oh", "this-run")
    assert look_of(report_now(STACK, APRIL), started(), 1) == RunProgress(False, 1, 1, 0, 1)


def test_a_forced_run_is_over_when_the_queue_has_been_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow_run, "monotonic", iter((1, 11, 22, 31.9, 32)).__next__)
    follower = Follower(started(force=True), None, 0.0, 0.0)
    busy, quiet = RunProgress(True, 1, 1, 0, 2), RunProgress(True, 1, 1, 0, 1)
    looks = (quiet, busy, busy, quiet, quiet)
    # At 1, 11, 22, 31.9 and 32 seconds: only at the last has it been quiet for ten seconds.
    assert [follower.is_over(look) for look in looks] == [False, False, False, False, True]


def test_a_run_that_never_starts_is_given_up(
    cloud: Cloud, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.works = False
    monkeypatch.setattr(follow_run, "STRANDED_SECONDS", 0.2)
    assert main(["run", *PERIOD, "--wait"]) == 1
    assert capsys.readouterr().err == (
        "monthend: nothing happens for 0 minutes: it has not started, and the queue is empty: "
        "see the log of start_month_end\n"
    )


def test_who_waits_on_the_queue_is_waited_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_run, "monotonic", iter((1, 599, 602)).__next__)
    follower = Follower(started(), None, 0.0, 0.0)
    waiting = RunProgress(True, 1, 0, 2, 2)
    assert [follower.is_over(waiting) for _ in range(2)] == [False, False]
    with pytest.raises(NotAllowed, match="for 10 minutes: 2 tenants still wait"):
        follower.is_over(waiting)


def test_who_stops_watching_does_not_stop_the_run(
    cloud: Cloud, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(_: float) -> None:
        raise KeyboardInterrupt

    cloud.works = False
    monkeypatch.setattr(follow_run, "sleep", pressed)
    assert main(["run", *PERIOD, "--wait"]) == 130
    run_id = cloud.events[0]["run_id"]
    error = f"monthend: stopped watching; run {run_id} goes on: {LOOK}\n"
    assert capsys.readouterr().err == error


EXPIRED = ClientError({"Error": {"Code": "ExpiredToken", "Message": "is old"}}, "GetQueue")
LOST = EndpointConnectionError(endpoint_url="sqs")


@pytest.mark.parametrize(("strike", "code"), [(EXPIRED, 3), (LOST, 3), (KeyboardInterrupt(), 130)])
def test_watching_that_breaks_off_names_the_run_that_goes_on(
    cloud: Cloud,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    strike: BaseException,
    code: int,
) -> None:
    def broken(*_: object) -> int:
        raise strike

    monkeypatch.setattr(follow_run, "depth", broken)
    assert main(["run", *PERIOD, "--wait", "--json"]) == code
    shown = capsys.readouterr()
    run_id = cloud.events[0]["run_id"]
    [line] = shown.err.splitlines()
    assert line.endswith(f"; run {run_id} goes on: {LOOK}")
    assert str(strike) in line
    printed = json.loads(shown.out)
    assert (printed["run_id"], printed["report"]) == (run_id, None)


def test_a_tenant_that_is_named_twice_is_run_once(cloud: Cloud, capsys: Said) -> None:
    twice = ("--tenant", "pilot", "--tenant", "pilot")
    assert main(["run", *PERIOD, *twice, "--json"]) == 0
    assert cloud.events[0]["tenant_ids"] == ["pilot"]
    assert said_json(capsys)["tenant_ids"] == ["pilot"]
    assert main(["preview", *PERIOD, *twice, "--json"]) == 0
    assert len(said_json(capsys)["previews"]) == 1


def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(cloud: Cloud, capsys: Said) -> None:
    roll_up("pilot")
    use_more("pilot", 100)
    assert main(["run", *PERIOD, "--dry-run", "--json"]) == 0
    acme, pilot = said_json(capsys)["previews"]
    assert (acme["outcome"], acme["before"], acme["after"]["total_cents"]) == (
        "rolled",
        None,
        5500,
    )
    assert (pilot["outcome"], pilot["reason"]) == ("skipped", "invoiced already")
    assert (pilot["after"]["total_cents"], pilot["changes"]) == (6239, [])
    assert main(["run", *PERIOD, "--dry-run", "--force"]) == 0
    # A hundred hours at a cent, and 10 %.
    shown = " ".join(capsys.readouterr().out.split())
    assert "pilot replaced 62.39 63.49 +1.00 Overage" in shown
    assert shown.endswith("2 tenants: 1 replaced, 1 rolled; nothing was written.")
    assert cloud.events == []
    with pytest.raises(InvoiceNotFound):
        InvoicesTable("invoices").get("acme", APRIL)


def test_a_preview_is_of_a_forced_run(cloud: Cloud, accounts: AccountsTable, capsys: Said) -> None:
    roll_up("pilot")
    assert main(["preview", *PERIOD, "--tenant", "pilot", "--json"]) == 0
    [pilot] = said_json(capsys)["previews"]
    assert (pilot["outcome"], pilot["reason"]) == ("skipped", "unchanged")
    break_prices(accounts, "acme")
    assert main(["preview", *PERIOD]) == 1
    shown = capsys.readouterr()
    assert f"acme failed - - {NOT_PRICED}" in " ".join(shown.out.split())
    assert shown.err == "monthend: 1 would fail\n"


def test_a_status_names_who_is_missing(cloud: Cloud, capsys: Said) -> None:
    roll_up("pilot")
    assert main(["status", *PERIOD]) == 0
    shown = capsys.readouterr().out
    assert "2 tenants: 2 due, 1 invoiced, 0 failed, 1 missing" in shown
    assert "Missing, with no failure noted: acme\n" in shown


def test_a_report_lists_what_to_review_and_who_started_what(cloud: Cloud, capsys: Said) -> None:
    roll_up("pilot", "2026-03")
    roll_up("acme", "2026-03")
    # 12,000 more hours over the allowance: 120.00 more than last month.
    use_more("pilot", 12_000)
    assert main(["run", *PERIOD]) == 0
    capsys.readouterr()
    assert main(["report", *PERIOD]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "1 to review, 1 held" in shown
    # March: 50.00 and GST. April: 50.00, 126.72 and GST.
    assert "pilot.2026-04 194.39 55.00 held moved: 194.39 after 55.00 last month" in shown
    assert "moto everybody" in shown
    assert main(["report", *PERIOD, "--json"]) == 0
    printed = said_json(capsys)
    assert f"Digest of what is reviewed: {printed['digest']}" in shown
    assert main(["status", *PERIOD]) == 0
    assert "1 to review, 1 of them held: `monthend report`." in capsys.readouterr().out


def test_the_report_that_a_sweep_has_kept(cloud: Cloud, capsys: Said) -> None:
    assert main(["report", *PERIOD, "--stored"]) == 2
    error = "monthend: --stored: no sweep has kept a report of 2026-04\n"
    assert capsys.readouterr().err == error
    assert main(["report", *PERIOD, "--json"]) == 0
    stored = said_json(capsys) | {"stored": True}
    MonthEndsTable("accounts").store_report(APRIL, stored)
    assert main(["report", *PERIOD, "--stored", "--json"]) == 0
    assert said_json(capsys) == stored
    assert main(["report", *PERIOD, "--stored"]) == 0


def test_without_a_period_it_is_the_month_that_a_run_would_bill(
    cloud: Cloud, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "cli.commands.month_end", "2026-05-20T00:00:00+00:00")
    assert main(["status", "--json"]) == 0
    assert said_json(capsys)["period"] == "2026-04"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run --period 2926-04", "--period: period 2926-04 ends at"),
        ("run --period 2026-13", "period must be YYYY-MM"),
        ("run --period 2026-04 --tenant nobody", "--tenant: no such tenant: nobody"),
        ("run --period 2026-04 --tenant A_B", "--tenant.0: String should match"),
        ("status --period 2926-04", "it is still open"),
        ("preview --period 2026-04 --tenant nobody", "tenant nobody"),
        ("preview --period 2026-04 --tenant ACME", "--tenant.0: String should match"),
    ],
)
def test_bad_input_is_exit_two(
    tables: Stack, capsys: Said, monkeypatch: pytest.MonkeyPatch, words: str, says: str
) -> None:
    cloud = use_cloud(monkeypatch, Cloud())
    assert main(words.split()) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line
    assert cloud.events == []


def test_a_forced_run_says_who_cannot_be_made_again(cloud: Cloud, capsys: Said) -> None:
    roll_up("pilot")
    assert main(["issue", "pilot.2026-04", "--revision", "1"]) == 0
    words = ("run", *PERIOD, "--tenant", "pilot", "--force", "--no-wait")
    capsys.readouterr()
    assert main(list(words)) == 1
    assert capsys.readouterr().err == "monthend: not made again: pilot: issued: void it first\n"
    assert main(["pay", "pilot.2026-04", "--revision", "1"]) == 0
    assert main(list(words)) == 1
    assert capsys.readouterr().err == "monthend: not made again: pilot: paid: it stays\n"


def test_after_z_a_person_is_told_to_credit_by_every_command(cloud: Cloud, capsys: Said) -> None:
    document = older_draft(26, "2604-1000Z", **ISSUED)
    aws("dynamodb").put_item(TableName="invoices", Item=document)
    last = "no number follows 2604-1000Z, so its month cannot be billed again: credit it instead"
    assert main(["void", "pilot.2026-04", "--revision", "26", "--reason", "wrong"]) == 1
    assert capsys.readouterr().err == f"monthend: pilot.2026-04: {last}\n"
    assert main(["run", *PERIOD, "--tenant", "pilot", "--force", "--no-wait"]) == 1
    assert capsys.readouterr().err == f"monthend: not made again: pilot: issued, and {last}\n"


def test_a_preview_names_what_is_billed_nothing(cloud: Cloud, capsys: Said) -> None:
    roll_up("pilot")
    roll_up("acme")
    use_more("pilot", 3, kind="gpu_hours")
    roll_up("pilot", force=True)
    assert main(["preview", *PERIOD]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "pilot skipped 62.39 62.39 unchanged billed nothing: 3 gpu_hours of pilot" in shown
    assert "acme" not in shown
    assert main(["preview", *PERIOD, "--tenant", "acme"]) == 0
    assert "acme skipped 55.00 55.00 unchanged" in " ".join(capsys.readouterr().out.split())


def test_a_status_names_its_month_though_nothing_is_invoiced(cloud: Cloud, capsys: Said) -> None:
    assert main(["status", *PERIOD]) == 0
    assert capsys.readouterr().out.startswith("April 2026 as of ")
