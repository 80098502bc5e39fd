"""All drafts of a month are issued as they were reviewed, except those that are held."""

import pytest

from cli.app import main
from cli.stack.stack import Stack
from tests.unit.cli.conftest import Said, said_json
from tests.unit.cli.month_end.office import (
    Cloud,
    at_a_terminal,
    roll_up,
    store,
    use_cloud,
    use_more,
)

ISSUE = ["issue", "--period", "2026-04"]


@pytest.fixture
def reviewed(tables: Stack, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stores March and April of two tenants as drafts; returns April's digest.

    The pilot has used 12,000 more hours in April, so its invoice is held.
    """
    store("pilot", "acme")
    use_cloud(monkeypatch, Cloud())
    use_more("pilot", 12_000)
    for period in ("2026-03", "2026-04"):
        for tenant_id in ("pilot", "acme"):
            roll_up(tenant_id, period)
    assert main(["report", "--period", "2026-04", "--json"]) == 0
    digest: str = said_json(capsys)["digest"]
    return digest


def states(capsys: Said) -> dict[str, str]:
    assert main(["invoices", "--period", "2026-04", "--json"]) == 0
    return {header["tenant_id"]: header["status"] for header in said_json(capsys)["invoices"]}


def test_what_is_held_is_not_issued_and_the_rest_is(reviewed: str, capsys: Said) -> None:
    assert main([*ISSUE, "--reviewed", reviewed, "--json"]) == 1
    shown = capsys.readouterr()
    assert '"invoice_id": "pilot.2026-04"' in shown.out
    assert shown.err == "monthend: 1 held, 0 refused\n"
    assert states(capsys) == {"acme": "issued", "pilot": "draft"}
    assert main([*ISSUE, "--reviewed", reviewed]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "pilot.2026-04 194.39 held: moved: 194.39 after 55.00 last month" in out
    assert out.endswith("2026-04: 0 issued, 1 issued before, 1 held, 0 refused.")


def test_a_reason_issues_what_is_held_and_is_in_its_history(reviewed: str, capsys: Said) -> None:
    override = ("--override", "pilot.2026-04=seen = agreed")
    assert main([*ISSUE, "--reviewed", reviewed, *override]) == 0
    summary = "2026-04: 2 issued, 0 issued before, 0 held, 0 refused.\n"
    assert capsys.readouterr().out == summary
    assert states(capsys) == {"acme": "issued", "pilot": "issued"}
    assert main(["history", "pilot.2026-04", "--json"]) == 0
    entry = said_json(capsys)["entries"][-1]
    assert (entry["action"], entry["by"], entry["reason"]) == ("issue", "moto", "seen = agreed")


def test_a_month_that_has_changed_since_is_refused(reviewed: str, capsys: Said) -> None:
    use_more("acme", 2_000)
    roll_up("acme", force=True)
    assert main([*ISSUE, "--reviewed", reviewed, "--json"]) == 1
    shown = capsys.readouterr()
    assert "an invoice came, went or changed since the month was reviewed" in shown.out
    assert "review it again with `monthend report`" in shown.err
    assert states(capsys) == {"acme": "draft", "pilot": "draft"}


@pytest.mark.parametrize(("typed", "status"), [("y\n", "issued"), ("n\n", "draft")])
def test_a_person_is_shown_the_review_and_asked(
    reviewed: str, capsys: Said, monkeypatch: pytest.MonkeyPatch, typed: str, status: str
) -> None:
    at_a_terminal(monkeypatch, typed)
    assert main(ISSUE) == 1
    shown = capsys.readouterr()
    assert "1 to review, 1 held" in shown.out
    question = "Issue the 2 drafts of 2026-04, but for the 1 that are held? [y/N]"
    assert question in shown.err
    assert states(capsys) == {"acme": status, "pilot": "draft"}


def test_a_script_says_yes(reviewed: str, capsys: Said) -> None:
    assert main([*ISSUE, "--yes", "--json"]) == 1
    assert said_json(capsys)["issued"] == 1
    assert states(capsys) == {"acme": "issued", "pilot": "draft"}


def test_a_month_too_large_for_one_go_takes_several(
    reviewed: str, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.month_end.issue_month.SECONDS_A_GO", 0.0)
    assert main([*ISSUE, "--reviewed", reviewed, "--json"]) == 1
    printed = said_json(capsys)
    assert (printed["issued"], printed["already"], printed["complete"]) == (1, 0, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "--reviewed: name the digest of the report"),
        ("--reviewed abc", "--reviewed: String should match"),
        ("--yes --override pilot", "--override: TENANT.YYYY-MM=REASON, not pilot"),
        ("--yes --override nobody.2026-04=why", "--override nobody.2026-04: is no invoice of"),
        ("--yes --revision 1", "--period: goes with --reviewed, --override and --yes alone"),
        ("pilot.2026-04", "give either an invoice or --period"),
    ],
)
def test_bad_input_is_exit_two(
    tables: Stack, capsys: Said, monkeypatch: pytest.MonkeyPatch, words: str, says: str
) -> None:
    use_cloud(monkeypatch, Cloud())
    assert main([*ISSUE, *words.split()]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_what_goes_with_a_month_does_not_go_with_an_invoice(capsys: Said) -> None:
    assert main(["issue", "pilot.2026-04", "--revision", "1", "--yes"]) == 2
    error = "monthend: --reviewed, --override and --yes: go with --period alone\n"
    assert capsys.readouterr().err == error
