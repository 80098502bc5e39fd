"""A shell variable that was never set is not the default: the error names its option."""

import pytest

from cli.app import main
from cli.stack.stack import Stack
from tests.unit.cli.conftest import Said

ISSUE = ("issue", "pilot.2026-04", "--revision", "1")
BLANKS = [
    (("--stack", "", "invoices"), "--stack"),
    (("invoices", "--stack="), "--stack"),
    (("load", ""), "FILE_OR_FOLDER..."),
    (("usage", "import", ""), "FILE.csv|-"),
    (("usage", "import", "u.csv", "--received-at", ""), "--received-at"),
    (("usage", "import", "u.csv", "--source", " "), "--source"),
    (("usage", "show", ""), "DEPLOYMENT"),
    (("usage", "show", "--tenant", ""), "--tenant"),
    (("usage", "show", "pilot", "--period", ""), "--period"),
    (("usage", "correct", "", "--reason", "r"), "FILE.csv|-"),
    (("usage", "correct", "u.csv", "--reason", " "), "--reason"),
    (("usage", "correct", "--reason", "r", "--expect", ""), "--expect"),
    (("usage", "correct", "u.csv", "--reason", "r", "--id", ""), "--id"),
    (("invoices", "--period", ""), "--period"),
    (("invoices", "--tenant", ""), "--tenant"),
    (("invoices", "--status", ""), "--status"),
    (("invoice", ""), "TENANT.YYYY-MM"),
    (("invoice", "pilot.2026-04", "--revision="), "--revision"),
    (("run", "--period", ""), "--period"),
    (("run", "--tenant", "pilot", "--tenant", " "), "--tenant"),
    (("status", "--period", ""), "--period"),
    (("report", "--period", ""), "--period"),
    (("preview", "--tenant", ""), "--tenant"),
    (("issue", "--period", "", "--yes"), "--period"),
    (("issue", "--period", "2026-04", "--reviewed", ""), "--reviewed"),
    (("issue", "--period", "2026-04", "--yes", "--override", ""), "--override"),
    ((*ISSUE, "--reason", "\t "), "--reason"),
    ((*ISSUE, "--fingerprint", ""), "--fingerprint"),
    (("pay", "", "--revision", "1"), "TENANT.YYYY-MM"),
    (("void", "pilot.2026-04", "--revision", "1", "--reason", ""), "--reason"),
    (("history", ""), "TENANT.YYYY-MM"),
    (("redrive", "--tenant", ""), "--tenant"),
    (("redrive", "--discard", ""), "--discard"),
    (("redrive", "--queue", ""), "--queue"),
    (("estimate", ""), "TENANT"),
    (("estimate", "pilot", "--period", ""), "--period"),
    (("quote", ""), "REQUEST.json|-"),
    (("quote", "--plan", ""), "--plan"),
    (("quote", "--plan", "studio", "--addon", ""), "--addon"),
    (("quote", "--plan", "studio", "--starts-on", ""), "--starts-on"),
]


@pytest.mark.parametrize(("words", "name"), BLANKS, ids=repr)
def test_a_blank_value_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, words: tuple[str, ...], name: str
) -> None:
    def reached(_: str | None) -> Stack:
        raise AssertionError("a stack was asked")

    monkeypatch.setattr("cli.stack.global_options.connect", reached)
    assert main(list(words)) == 2
    assert capsys.readouterr().err == f"monthend: {name}: must not be blank\n"


@pytest.mark.parametrize("override", ["pilot.2026-04=", "pilot.2026-04= \t", "=why", " =why"])
def test_half_an_override_is_refused_before_anything_is_asked(capsys: Said, override: str) -> None:
    assert main(["issue", "--period", "2026-04", "--yes", "--override", override]) == 2
    error = "monthend: --override: TENANT.YYYY-MM=REASON, not "
    assert capsys.readouterr().err.startswith(error)
