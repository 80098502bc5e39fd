"""Output on a terminal: whole figures however narrow, no control characters, no traceback."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table

from cli.app import main
from cli.dead_letters.dead_letter_queue import DeadLetter
from cli.dead_letters.show_redrive import dead_letters_table
from cli.invoices.show_lifecycle import history_table, standing_table
from cli.month_end.issue_month import _left_table
from cli.month_end.show_month import review_table, totals_table
from cli.month_end.show_preview import preview_table
from cli.quotes.show_estimate import estimate_table
from cli.terminal import tables
from cli.terminal.tables import invoices_table, lines_table, print_table
from cli.terminal.text import harmless
from invoicing.month_end.rollup_message import RollupMessage
from local.environment import ROOT
from tests.unit.cli.conftest import Said, Write
from tests.unit.cli.test_app import REQUEST

# As a shell starts it: output is written when the buffer is full, or at the end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
NAME = "The Very Long Company of Saltbush and Sons"
TOTALS = {"subtotal_cents": 111234567, "tax_cents": 11123456, "total_cents": 122358023}
HEADER = TOTALS | {
    "id": "pilot.2026-04",
    "number": "2604-100001",
    "tenant_id": "pilot",
    "status": "issued",
    "revision": 1,
    "currency": "AUD",
    "issued_at": "2026-05-01T03:00:00+00:00",
    "due_on": "2026-05-15",
}
SUMS = ("1,112,345.67", "111,234.56", "1,223,580.23")
LINE = {
    "kind": "plan_base",
    "deployment_id": "pilot",
    "resource_kind": None,
    "description": f"Plan: {NAME}",
    "quantity": "1234.5678",
    "unit": "month",
    "unit_price": "901.0474658869",
    "amount_cents": 111234567,
}
PRICED = TOTALS | {"currency": "AUD", "lines": [LINE]}
ESTIMATE = {
    "period": "2026-04",
    "as_of": "2026-04-20T00:00:00+00:00",
    "to_date": PRICED,
    "projection": PRICED,
}
MONTH = {
    "period": "2026-04",
    "as_of": "2026-05-01T03:00:00+00:00",
    "stored": False,
    "by_status": [TOTALS | {"status": "draft", "invoices": 23, "currency": "AUD"}],
    "totals": [],
}
FINDING = {"rule": "moved", "detail": NAME}
REVIEWED = {
    "invoice_id": "pilot.2026-04",
    "tenant_id": "pilot",
    "total_cents": 122358023,
    "last_total_cents": 111234567,
    "held": True,
    "findings": [FINDING],
}
LEFT = {"held": [REVIEWED], "refused": []}


def entry(**fields: Any) -> dict[str, Any]:
    """Returns an entry of an invoice's history, with these fields changed."""
    return {
        "at": "2026-05-01T03:00:00+00:00",
        "by": "moto",
        "actor_id": None,
        "action": "void",
        "outcome": "done",
        "revision": 1,
        "reason": None,
        "detail": None,
        "total_cents": 122358023,
        "changes": [],
    } | fields


def preview(**fields: Any) -> dict[str, Any]:
    """Returns the preview of a tenant, with these fields changed."""
    sides = {"before": TOTALS, "after": TOTALS}
    same = {"tenant_id": "pilot", "outcome": "replaced", "changes": [], "unpriced": []}
    return same | {"reason": NAME} | (sides | fields)


def history(*entries: Mapping[str, Any]) -> Table:
    return history_table({"id": "pilot.2026-04", "entries": entries})


TABLES = {
    "invoices": (
        invoices_table([HEADER], "All", {"pilot": NAME}),
        ("2604-100001", "Saltbush", *SUMS),
    ),
    "invoice": (
        lines_table(PRICED, NAME),
        ("1234.5678", "901.0474658869", "Saltbush", SUMS[0], SUMS[2]),
    ),
    "estimate": (estimate_table(ESTIMATE, NAME), ("1234.5678", "Saltbush", *SUMS)),
    "standing": (standing_table(HEADER), ("2604-100001", f"{SUMS[2]} AUD")),
    "history": (history(entry(reason=NAME)), ("2026-05-01 03:00:00", "Saltbush", SUMS[2])),
    "totals": (totals_table(MONTH), ("23", *SUMS, "AUD")),
    "review": (
        review_table({"entries": [REVIEWED], "count": 1, "held": 1}),
        ("pilot.2026-04", "Saltbush", SUMS[2], SUMS[0]),
    ),
    "left": (_left_table(LEFT), ("pilot.2026-04", "Saltbush", SUMS[2])),
    "preview": (preview_table([preview()], "A run"), ("pilot", "Saltbush", SUMS[2])),
}


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", TABLES)
def test_money_and_numbers_are_whole_however_narrow_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, name: str, width: int
) -> None:
    monkeypatch.setattr(tables, "PIPE_WIDTH", width)
    table, figures = TABLES[name]
    print_table(table)
    shown = capsys.readouterr().out
    assert [figure for figure in figures if figure not in shown] == []
    assert "…" not in shown


ACTS = "\x1b]0;gone\x07 \x1b[2K\rpaid\n\u202eevil"
ESCAPED = r"\x1b]0;gone\x07 \x1b[2K\rpaid\n\u202eevil"


def test_what_acts_on_a_terminal_is_escaped_and_what_people_write_is_not() -> None:
    assert harmless(ACTS) == ESCAPED
    assert harmless("Café [Nāvi] 東京 5 €") == "Café [Nāvi] 東京 5 €"


def dead_letter(reason: str) -> DeadLetter:
    """Returns a dead letter of no tenant, with this reason."""
    first_sent = datetime(2026, 5, 1, tzinfo=UTC)
    return DeadLetter("0123456789", "", "{}", None, reason, first_sent, 1)


APRILS = RollupMessage.model_validate(
    {"version": 1, "tenant_id": "pilot", "period": "2026-04", "run_id": "r"}
    | {"run_at": "2026-05-01T03:00:00Z"}
)
NOTED = {("pilot", "2026-04"): ACTS}
NOW = datetime(2026, 5, 2, tzinfo=UTC)


def pilots() -> DeadLetter:
    """Returns a dead letter of the pilot's April, whose reason the rollup has noted."""
    return DeadLetter("0", "", "{}", APRILS, "", datetime(2026, 5, 1, tzinfo=UTC), 1)


@pytest.mark.parametrize(
    "table",
    [
        history(entry(reason=ACTS)),
        history(entry(detail=ACTS)),
        history(entry(by=ACTS)),
        dead_letters_table([dead_letter(ACTS)], {}, NOW),
        dead_letters_table([pilots()], NOTED, NOW),
        preview_table([preview(reason=ACTS)], "A run"),
        review_table(
            {"entries": [REVIEWED | {"findings": [FINDING | {"detail": ACTS}]}]}
            | {"count": 1, "held": 1}
        ),
    ],
)
def test_a_reason_does_not_act_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Said, table: Table
) -> None:
    monkeypatch.setattr(tables, "PIPE_WIDTH", 200)
    print_table(table)
    shown = capsys.readouterr().out
    assert ESCAPED in shown
    assert not set("\x1b\x07\r\u202e") & set(shown)


def test_an_error_does_not_act_on_the_terminal(capsys: Said) -> None:
    assert main(["invoice", "\x1b[2K.2026-13"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_a_name_that_the_terminal_cannot_show_is_no_error(
    monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    subscription = REQUEST["subscriptions"][0]
    plan = subscription["plan"] | {"name": "Ātea"}
    request = REQUEST | {"subscriptions": [subscription | {"plan": plan}]}
    file = str(write("request.json", json.dumps(request)))
    for words, shown in ((["quote", file], "Plan: ?tea"), (["quote", file, "--json"], "\\u0100")):
        stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        monkeypatch.setattr("sys.stdout", stream)
        assert main(words) == 0
        stream.seek(0)
        assert shown in stream.read()


def test_a_full_disk_is_one_line_and_exit_three(write: Write) -> None:
    file = write("request.json", json.dumps(REQUEST))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cli", "quote", str(file), "--json"],
            cwd=ROOT,
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.splitlines()[1:] == ["monthend: [Errno 28] No space left on device"]


def test_a_reader_who_has_left_is_told_nothing(write: Write) -> None:
    file = write("request.json", json.dumps(REQUEST | {"subscriptions": []}))
    words = [sys.executable, "-m", "cli", "quote", str(file), "--json"]
    with subprocess.Popen(
        words, cwd=ROOT, env=BUFFERED, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 1
