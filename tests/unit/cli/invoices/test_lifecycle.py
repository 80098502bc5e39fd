"""Issue, pay and void from the command line: as reviewed, under the caller's AWS identity."""

from datetime import date
from decimal import Decimal

import pytest

from cli.app import main
from cli.stack.stack import Stack
from invoicing.usage.usage_table import UsageTable
from tests.unit.cli.conftest import Said, said_json
from tests.unit.cli.month_end.office import Cloud, at, at_a_terminal, roll_up, store, use_cloud

APRIL = "pilot.2026-04"
# In Sydney it is the 4th already.
LATE_EVENING = "2026-05-03T23:30:00+00:00"


@pytest.fixture
def invoiced(tables: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pilot's April as a draft, on the evening of 3 May."""
    store("pilot")
    roll_up("pilot")
    use_cloud(monkeypatch, Cloud())
    at(monkeypatch, "cli.invoices.change_invoice", LATE_EVENING)


def status_of(capsys: Said) -> str:
    assert main(["invoice", APRIL, "--json"]) == 0
    return str(said_json(capsys)["status"])


def test_a_draft_is_issued_on_the_day_of_the_billing_zone(invoiced: None, capsys: Said) -> None:
    assert main(["issue", APRIL, "--revision", "1", "--json"]) == 0
    header = said_json(capsys)
    assert (header["id"], header["status"]) == (APRIL, "issued")
    assert header["issued_at"] == LATE_EVENING
    # 14 days after 4 May, the day in Sydney.
    assert header["due_on"] == "2026-05-18"


def test_the_state_is_told_in_one_line(invoiced: None, capsys: Said) -> None:
    assert main(["issue", APRIL, "--revision", "1"]) == 0
    shown = capsys.readouterr().out
    line = f"{APRIL}: issued, revision 1, 2604-1000, 62.39 AUD, due 18 May 2026\n"
    assert shown == line
    assert main(["pay", APRIL, "--revision", "1"]) == 0
    assert capsys.readouterr().out == line.replace("issued", "paid")


def test_a_fingerprint_names_what_was_reviewed_too(invoiced: None, capsys: Said) -> None:
    assert main(["invoice", APRIL, "--json"]) == 0
    fingerprint = said_json(capsys)["fingerprint"]
    assert main(["issue", APRIL, "--fingerprint", "0" * 64]) == 1
    assert main(["issue", APRIL, "--fingerprint", fingerprint]) == 0


def test_what_was_not_reviewed_is_refused_and_what_stands_is_shown(
    invoiced: None, capsys: Said
) -> None:
    assert main(["issue", APRIL, "--revision", "2"]) == 1
    shown = capsys.readouterr()
    assert shown.err == f"monthend: {APRIL}: revision 1 stands, not 2\n"
    assert "2604-1000" in shown.out
    assert main(["issue", APRIL, "--revision", "2", "--json"]) == 1
    printed = said_json(capsys)
    assert printed["refused"] == "revision 1 stands, not 2"
    assert (printed["current"]["status"], printed["current"]["revision"]) == ("draft", 1)


def test_a_repeat_by_the_same_person_is_harmless(invoiced: None, capsys: Said) -> None:
    assert main(["issue", APRIL, "--revision", "1", "--json"]) == 0
    first = said_json(capsys)
    assert main(["issue", APRIL, "--revision", "1", "--json"]) == 0
    assert said_json(capsys) == first


def test_a_paid_invoice_is_not_voided(invoiced: None, capsys: Said) -> None:
    for action in ("issue", "pay"):
        assert main([action, APRIL, "--revision", "1"]) == 0
    assert main(["void", APRIL, "--revision", "1", "--reason", "wrong"]) == 1
    assert capsys.readouterr().err == f"monthend: {APRIL}: a paid invoice: cannot void\n"
    assert status_of(capsys) == "paid"


def test_the_history_tells_who_did_what_and_which_line_changed(
    invoiced: None, usage: UsageTable, capsys: Said
) -> None:
    usage.add("pilot", "pilot", date(2026, 4, 30), {"hours": Decimal(100)})
    roll_up("pilot", force=True)
    assert main(["issue", APRIL, "--revision", "1"]) == 1
    assert main(["void", APRIL, "--revision", "2", "--reason", "a [test]"]) == 0
    capsys.readouterr()
    assert main(["history", APRIL, "--json"]) == 0
    entries = said_json(capsys)["entries"]
    changes = [(entry["action"], entry["outcome"], entry["by"]) for entry in entries]
    # Moto's caller is arn:aws:sts::123456789012:user/moto.
    assert changes == [
        ("create", "done", "run the-run"),
        ("replace", "done", "run the-run"),
        ("issue", "refused", "moto"),
        ("void", "done", "moto"),
    ]
    # The user's id as moto's STS returns it. A run has none.
    user = "AKIAIOSFODNN7EXAMPLE"
    assert [entry["actor_id"] for entry in entries] == [None, None, user, user]
    assert main(["history", APRIL]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert user[:8] in shown
    assert "issue (refused)" in shown
    assert "a [test]" in shown
    # A hundred more hours at a cent.
    assert "+1.00 Overage" in shown


@pytest.mark.parametrize("command", ["issue", "pay"])
def test_a_script_must_name_what_was_reviewed(invoiced: None, capsys: Said, command: str) -> None:
    assert main([command, APRIL]) == 2
    error = "monthend: --revision or --fingerprint: name what was reviewed\n"
    assert capsys.readouterr().err == error
    assert status_of(capsys) == "draft"


@pytest.mark.parametrize(("typed", "status"), [("y\n", "issued"), ("\n", "draft")])
def test_a_person_is_shown_the_invoice_and_asked(
    invoiced: None,
    capsys: Said,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    status: str,
) -> None:
    at_a_terminal(monkeypatch, typed)
    assert main(["issue", APRIL]) == (status == "draft")
    shown = capsys.readouterr()
    assert "Plan: Studio" in shown.out
    assert "Issue revision 1 as shown? [y/N]" in shown.err
    assert ("nothing was done" in shown.err) == (status == "draft")
    assert status_of(capsys) == status


def test_a_person_who_wants_json_is_not_asked(
    invoiced: None, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_a_terminal(monkeypatch, "y\n")
    assert main(["issue", APRIL, "--json"]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["issue", "pilot"], "an invoice is TENANT.YYYY-MM"),
        (["issue", "acme.2026-04", "--revision", "1"], "no invoice of acme, 2026-04-01"),
        (["issue", APRIL, "--fingerprint", "abc"], "--fingerprint: String should match"),
        (["issue", APRIL, "--revision", "10000"], "--revision: Input should be less than"),
        (["void", APRIL, "--revision", "1"], "Missing option '--reason'"),
        (["history", "acme.2026-04"], "no invoice of acme, 2026-04-01"),
    ],
)
def test_bad_input_is_exit_two(tables: Stack, capsys: Said, words: list[str], says: str) -> None:
    assert main(words) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line
