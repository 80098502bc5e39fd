"""What a shell gets: exit codes, JSON on standard output, one-line errors on standard error."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import app, main
from cli.stack.global_options import anywhere
from cli.stack.stack import NO_LOCAL_STACK, Stack, connect
from invoicing.accounts.account_item import TENANT
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.month_end.rollup import Rollup
from invoicing.month_end.rollup_message import RollupMessage
from local.environment import ROOT
from tests.unit.cli.conftest import (
    CATALOGUE,
    RECEIVED,
    STACK,
    TENANTS,
    USAGE,
    Said,
    Write,
    said_json,
)
from tests.unit.cli.month_end.office import at

AT = ("usage", "import", "u.csv", "--received-at")
REQUEST: dict[str, Any] = {
    "period": {"start": "2026-04-01", "end": "2026-05-01"},
    "currency": "AUD",
    "tax": "gst",
    "subscriptions": [
        {
            "deployment_id": "pilot",
            "starts_on": "2026-01-10",
            "ends_on": None,
            "plan": {"code": "studio", "name": "Studio", "price": "50.00", "proration": "daily"},
            "addons": [{"code": "storage_50gb", "price": "7.50", "quantity": 1}],
            "usage": {"tea": "3"},
        }
    ],
}


@pytest.fixture
def invoiced(month: Path, capsys: Said) -> Path:
    """The month's folder, loaded, imported and invoiced."""
    assert main(["load", str(month)]) == 0
    assert main(["usage", "import", *RECEIVED, str(month / "usage.csv")]) == 0
    rollup = Rollup(STACK.pricing, InvoicesTable("invoices"), STACK.settings)
    message = {"version": 1, "tenant_id": "pilot", "period": "2026-04", "run_id": "r"}
    rollup.roll_up(RollupMessage.model_validate(message | {"run_at": "2026-05-01T03:00:00Z"}))
    capsys.readouterr()
    return month


def test_a_folder_is_loaded_without_its_usage(month: Path, capsys: Said) -> None:
    assert main(["load", str(month), "--json"]) == 0
    report = said_json(capsys)
    assert report["counts"] == {"stored": 3, "unchanged": 0, "refused": 0}
    assert report["rows"][0] == {
        "kind": "plan",
        "id": "studio v1",
        "place": "catalogue.yaml:3",
        "result": "stored",
        "reason": "",
    }
    assert main(["load", str(month)]) == 0
    assert capsys.readouterr().out.endswith("0 stored, 3 unchanged, 0 refused\n")


def test_a_catalogue_that_cannot_price_is_refused_before_anything_is_written(
    month: Path, write: Write, capsys: Said
) -> None:
    write("catalogue.yaml", CATALOGUE.replace('"50.00"', "50.5").replace('"0.01"', '"-0.01"'))
    assert main(["load", str(month)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    first, second, last = shown.err.splitlines()
    assert first.startswith("catalogue.yaml:5: plans[0].price: 50.5 is no whole number")
    assert second.startswith("catalogue.yaml:8: plans[0].rates[0].unit_price: must not be negat")
    assert last == "The catalogue is refused as a whole; nothing was written."
    assert main(["load", str(month), "--json"]) == 1
    assert [fault["place"] for fault in said_json(capsys)["catalogue_refused"]] == [
        "catalogue.yaml:5",
        "catalogue.yaml:8",
    ]
    write("catalogue.yaml", CATALOGUE)
    assert main(["load", str(month), "--dry-run"]) == 0
    assert capsys.readouterr().out.endswith(
        "Dry run, nothing written: 3 stored, 0 unchanged, 0 refused\n"
    )


def test_a_refused_row_is_exit_one(month: Path, write: Write, capsys: Said) -> None:
    write("tenants.yaml", TENANTS.replace("plan: studio", "plan: loft"))
    assert main(["load", str(month)]) == 1
    shown = capsys.readouterr().out
    assert "plan: loft version 1 is not in the catalogue" in " ".join(shown.split())
    assert shown.endswith("2 stored, 0 unchanged, 1 refused\n")


def test_usage_is_counted_once_however_often_it_is_imported(month: Path, capsys: Said) -> None:
    main(["load", str(month)])
    capsys.readouterr()
    words = ["usage", "import", str(month / "usage.csv"), *RECEIVED]
    assert main(words) == 0
    assert capsys.readouterr().out == "30 accepted, 0 duplicate, 0 conflict, 0 rejected\n"
    assert main([*words, "--json"]) == 0
    assert said_json(capsys) == {
        "dry_run": False,
        "broken_off": None,
        "counts": {"accepted": 0, "duplicate": 30, "conflict": 0, "rejected": 0},
        "rows": [],
        "events_not_listed": 0,
    }


def test_what_was_not_counted_is_exit_one_and_told(
    month: Path, write: Write, capsys: Said
) -> None:
    main(["load", str(month)])
    words = ["usage", "import", str(month / "usage.csv"), *RECEIVED, "--json"]
    main(words)
    capsys.readouterr()
    write("usage.csv", USAGE.replace(",72", ",73") + "who,hours,2026-04-01,2026-04-02,1\n")
    assert main(words) == 1
    *conflicts, rejected = said_json(capsys)["rows"]
    assert len(conflicts) == 30
    assert conflicts[0] == {
        "line": 2,
        "outcome": "conflict",
        "reason": "id: recorded before with 72 hours of pilot on 2026-04-01, and this is 73 hours "
        "of pilot on 2026-04-01; the first is kept",
        "events": 1,
    }
    assert (rejected["line"], rejected["events"]) == (3, 2)
    assert rejected["reason"] == "deployment_id: no deployment who is known"


def test_april_is_too_old_for_an_import_without_its_moment(month: Path, capsys: Said) -> None:
    main(["load", str(month)])
    capsys.readouterr()
    words = ["usage", "import", str(month / "usage.csv"), "--received-at", "2026-08-01T00:00:00Z"]
    assert main(words) == 1
    assert "occurred_at: more than 90 days ago" in capsys.readouterr().out


TOO_LATE = (
    "Warning: usage of {}, more than 4 months back: of a month that is issued already, "
    "no later invoice bills it.\n"
)


@pytest.mark.parametrize(
    ("now", "months"),
    [
        # August's month-end looks at April; September's does not.
        ("2026-08-31T13:59:59+00:00", None),
        # 1 September in Sydney.
        ("2026-08-31T14:00:00+00:00", "2026-04"),
        ("2027-05-01T00:00:00+00:00", "2026-04"),
    ],
)
def test_usage_that_no_later_invoice_looks_for_is_told(
    month: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch, now: str, months: str | None
) -> None:
    main(["load", str(month)])
    capsys.readouterr()
    at(monkeypatch, "cli.commands.usage", now)
    # The warning comes again: an import that was broken off may have counted this usage.
    for _ in range(2):
        assert main(["usage", "import", str(month / "usage.csv"), *RECEIVED]) == 0
        assert capsys.readouterr().err == (TOO_LATE.format(months) if months else "")


def test_an_invoice_is_printed_as_a_person_reads_it(invoiced: Path, capsys: Said) -> None:
    assert main(["invoice", "pilot.2026-04"]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert shown[0] == ["Invoice", "2604-1000", "for", "Pilot", "[Pottery]"]
    assert shown[1] == ["April", "2026,", "draft"]
    # 2,160 hours less 1,488 included are 672 at a cent; GST is 10 % of 56.72.
    assert ["Plan:", "Studio", "1", "month", "50.00", "50.00"] in shown
    assert ["GST", "10%", "5.67"] in shown
    assert ["Total", "62.39"] in shown


def test_an_invoice_as_json_is_what_the_api_shows(invoiced: Path, capsys: Said) -> None:
    assert main(["--json", "invoice", "pilot.2026-04", "--revision", "1"]) == 0
    printed = said_json(capsys)
    assert (printed["number"], printed["total_cents"]) == ("2604-1000", 6239)
    assert [line["kind"] for line in printed["lines"]] == ["plan_base", "overage", "tax"]


LISTS = {
    "": 1,
    "--period 2026-04": 1,
    "--period 2026-05": 0,
    "--tenant pilot --status draft": 1,
    "--tenant acme": 0,
    "--status paid": 0,
}


def test_invoices_are_listed(invoiced: Path, capsys: Said) -> None:
    for words, count in LISTS.items():
        assert main(["invoices", *words.split(), "--json"]) == 0
        assert [row["id"] for row in said_json(capsys)["invoices"]] == ["pilot.2026-04"] * count
        assert main(["invoices", *words.split()]) == 0
        assert ("2604-1000" in capsys.readouterr().out) == bool(count)


def test_a_quote_needs_no_aws(write: Write, capsys: Said) -> None:
    file = write("request.json", json.dumps(REQUEST))
    assert main(["quote", str(file)]) == 0
    shown = capsys.readouterr()
    lines = [line.split() for line in shown.out.splitlines() if line.strip()]
    assert lines[0] == ["Quote", "for", "April", "2026"]
    # 50.00 and 7.50, and 10 %.
    assert lines[-1] == ["Total", "63.25"]
    assert shown.err == "pilot: no rate for 3 tea; not billed\n"


def test_a_quote_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(REQUEST)))
    assert main(["quote", "-", "--json"]) == 0
    assert said_json(capsys)["total_cents"] == 6325


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Missing command"),
        (["burn"], "No such command 'burn'"),
        (["load"], "Missing argument 'FILE_OR_FOLDER...'"),
        (["load", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["load", "LICENSE"], "LICENSE: must be a folder, a .yaml or a .csv file"),
        (["load", "local/sample_month/usage.csv"], "usage.csv: holds usage: `monthend usage im"),
        (["load", "docs"], "docs/openapi.yaml: holds neither a catalogue nor customers"),
        (["usage", "import", "nowhere.csv"], "nowhere.csv: No such file or directory"),
        (["usage", "import", "u.csv", "--received-at", "noon"], "--received-at: must be a time"),
        ([*AT, "9999-12-31T23:59:59-14:00"], "--received-at: must be from 2000 to 9998, not 9999"),
        ([*AT, "0001-01-01T00:00:00Z"], "--received-at: must be from 2000 to 9998, not 0001"),
        (["estimate", "A B"], "TENANT: a tenant's id is up to 40 of a-z, 0-9 and -, not A B"),
        (["estimate", "a" * 2049], "TENANT: a tenant's id is up to 40 of a-z"),
        (["invoices", "--tenant", "ACME"], "--tenant: a tenant's id is up to 40 of a-z"),
        (["invoice", f"{'a' * 2049}.2026-04"], "TENANT.YYYY-MM: a tenant's id is up to 40"),
        (["invoice", "pilot"], "an invoice is TENANT.YYYY-MM, such as pilot.2026-04, not pilot"),
        (["invoice", "pilot.2026-13"], "period must be YYYY-MM"),
        (["invoices", "--status", "lost"], "'lost' is not one of"),
        (["quote", "nowhere.json"], "nowhere.json: No such file or directory"),
    ],
)
def test_bad_input_is_exit_two_and_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, words: list[str], says: str
) -> None:
    monkeypatch.setattr("cli.stack.global_options.connect", lambda _: STACK)
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert line.startswith("monthend: ")
    assert says in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON: "),
        ('{"tax": "gst", "tax": "gst"}', "a field is given twice in one object"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "request: must be an object"),
        (json.dumps(REQUEST | {"tax": "vat"}), "tax: must be one of gst, gst_free"),
    ],
)
def test_a_request_that_cannot_be_priced_is_exit_two(
    write: Write, capsys: Said, text: str, says: str
) -> None:
    assert main(["quote", str(write("request.json", text))]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "request.json: " in line
    assert says in line


def test_an_invoice_that_is_not_there_is_bad_input(tables: Stack, capsys: Said) -> None:
    assert main(["invoice", "pilot.2026-04"]) == 2
    assert capsys.readouterr().err == "monthend: no invoice of pilot, 2026-04-01\n"


@pytest.mark.parametrize("words", ["invoice pilot.2026-04", "estimate pilot --period 2026-04"])
def test_an_account_that_cannot_be_read_is_exit_one(
    invoiced: Path, dynamodb: Any, capsys: Said, words: str
) -> None:
    dynamodb.update_item(
        TableName="accounts",
        Key={"pk": {"S": "pilot"}, "sk": {"S": TENANT}},
        UpdateExpression="SET document = :damaged",
        ExpressionAttributeValues={":damaged": {"S": "{"}},
    )
    assert main(words.split()) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "account of pilot: " in line


def test_ctrl_c_is_one_line_and_exit_130(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    def pressed(_: str | None) -> Stack:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.stack.global_options.connect", pressed)
    assert main(["invoices"]) == 130
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("monthend: stopped")


def test_without_a_local_stack_the_person_is_told_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="give --stack NAME") as refused:
        connect(None, tmp_path / "outputs.json")
    assert str(refused.value) == NO_LOCAL_STACK


def test_a_stack_that_does_not_answer_is_exit_three(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(["--stack", "billing", "invoices"]) == 3
    error = "the local stack does not answer at http://127.0.0.1:9: `make up`"
    assert capsys.readouterr().err == f"monthend: stack billing: {error}\n"


def test_an_address_that_is_none_is_exit_three(
    monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "notaurl")
    assert main(["--stack", "billing", "invoices"]) == 3
    assert capsys.readouterr().err == "monthend: Invalid endpoint: notaurl\n"


def test_a_table_that_is_gone_is_exit_three(
    tables: Stack, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    without_table = Stack("test", replace(tables.settings, invoices_table="gone"))
    monkeypatch.setattr("cli.stack.global_options.connect", lambda _: without_table)
    assert main(["invoices", "--tenant", "pilot"]) == 3
    [line] = capsys.readouterr().err.splitlines()
    assert "ResourceNotFoundException" in line


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        ("load x --json", "--json load x"),
        ("load x --stack s --json", "--stack s --json load x"),
        ("load --stack=s x", "--stack=s load x"),
        ("quote -- --json", "quote -- --json"),
        ("load x --stack", "--stack load x"),
    ],
)
def test_global_options_may_stand_anywhere(words: str, moved: str) -> None:
    assert anywhere(words.split()) == moved.split()


def test_the_help_names_every_exit_code_that_is_documented() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    documented = re.findall(r"^\| (\d+) \|", (ROOT / "docs/cli.md").read_text(), re.MULTILINE)
    assert documented == ["0", "1", "2", "3", "130"]
    exit_codes = shown.partition("Exit codes: ")[2]
    assert re.findall(r"(?:^|, )\s*(\d+) ", " ".join(exit_codes.split())) == documented


@pytest.mark.parametrize(
    "command", ["load", "usage import", "invoices", "invoice", "estimate", "quote"]
)
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")
