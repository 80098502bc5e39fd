"""Estimates and quotes of a stack, with figures worked out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from cli.app import main
from cli.quotes.show_estimate import estimate_note, estimate_table
from cli.stack.stack import Stack
from invoicing.accounts.account import Segment
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.pricing.estimates import Estimates
from quote_engine import Period
from tests.unit.cli.conftest import RECEIVED, Said, Write, said_json

APRIL_20 = datetime(2026, 4, 20, 2, tzinfo=UTC)
QUOTE = ["quote", "--plan", "studio", "--period", "2026-04"]


@pytest.fixture
def loaded(month: Path, write: Write, capsys: Said) -> Path:
    """The month's folder, loaded and imported, and an add-on that nobody has."""
    write("addons.yaml", 'version: 1\naddons:\n  - {code: disk, name: Disk, price: "7.50"}\n')
    assert main(["load", str(month)]) == 0
    assert main(["usage", "import", *RECEIVED, str(month / "usage.csv")]) == 0
    capsys.readouterr()
    return month


def words_of(shown: str) -> list[list[str]]:
    return [line.split() for line in shown.splitlines() if line.strip()]


def test_an_estimate_as_json_is_what_the_api_shows(loaded: Path, capsys: Said) -> None:
    assert main(["estimate", "pilot", "--period", "2026-04", "--json"]) == 0
    printed = said_json(capsys)
    assert (printed["estimate"], printed["tenant_id"]) == (True, "pilot")
    assert (printed["period"], printed["period_over"]) == ("2026-04", True)
    # 50.00 and 672 hours at a cent; 10 %.
    assert printed["to_date"] == printed["projection"]
    assert printed["to_date"]["total_cents"] == 6239


def test_an_estimate_says_that_it_is_one(loaded: Path, capsys: Said) -> None:
    assert main(["estimate", "pilot", "--period", "2026-04"]) == 0
    shown = words_of(capsys.readouterr().out)
    assert shown[0] == ["Estimate", "for", "Pilot", "[Pottery]"]
    assert shown[1][:4] == ["April", "2026", "as", "of"]
    assert shown[1][-2:] == ["no", "invoice"]
    assert ["Total", "62.39", "62.39"] in shown
    assert shown[-1][:5] == ["An", "estimate,", "not", "an", "invoice."]


def test_an_estimate_of_a_running_month_shows_the_projection_beside_it(
    loaded: Path, tables: Stack, accounts: AccountsTable, write: Write
) -> None:
    # A second deployment, whose usage of the first 20 days stays below its 1,488 hours.
    SubscriptionsTable(accounts.name).put(
        Segment("pilot", "annex", Period.month("2026-04").start, None, "studio", 1)
    )
    more = "annex,hours,2026-04-01,2026-04-20,74\n"
    heading = "deployment_id,resource_kind,first_day,last_day,quantity_per_day\n"
    main(["usage", "import", *RECEIVED, str(write("annex.csv", heading + more))])
    month = Period.month("2026-04")
    estimate = Estimates(tables.pricing, tables.zone).estimate("pilot", month, APRIL_20)

    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(estimate_table(estimate, "Pilot"))
    shown = words_of(capture.get())
    assert shown[1] == [
        "April",
        "2026",
        "as",
        "of",
        "20",
        "April",
        "2026",
        "02:00",
        "UTC,",
        "no",
        "invoice",
    ]
    # Annex: 74 x 20 = 1,480 of 1,488 included; 74 x 30 = 2,220, so 732 over. All of the pilot's
    # usage is there on the 20th: 2,160, so 672 over; 2,160 / 20 x 30 = 3,240, so 1,752 over.
    assert ["annex", "Plan:", "Studio", "1", "1", "month", "50.00", "50.00"] in shown
    assert ["annex", "Overage:", "hours", "-", "732", "hour", "-", "7.32"] in shown
    assert ["pilot", "Overage:", "hours", "672", "1752", "hour", "6.72", "17.52"] in shown
    assert ["Subtotal", "106.72", "124.84"] in shown
    assert ["GST", "10.67", "12.48"] in shown
    assert ["Total", "117.39", "137.32"] in shown
    assert estimate_note(estimate).startswith("An estimate, not an invoice. Projected: ")


LINE = {"deployment_id": "a", "resource_kind": None, "quantity": "1", "unit": "u"}


def test_lines_meet_by_what_they_charge_for_and_not_by_their_figures() -> None:
    def side(*lines: tuple[str, str, int]) -> dict[str, object]:
        rows = [LINE | {"kind": k, "description": d, "amount_cents": c} for k, d, c in lines]
        sums = {"subtotal_cents": 0, "tax_cents": 0, "total_cents": 0}
        return {"currency": "AUD", "lines": rows, **sums}

    so_far = side(
        ("plan_base", "Plan: S (17/30 days)", 50),
        ("discount", "Discount: 10% of 0.50", -5),
        ("minimum", "Minimum commitment: 1.00, less 0.45 charged", 55),
    )
    ahead = side(
        ("plan_base", "Plan: S (17/30 days)", 50),
        ("overage", "Overage: h (9 used)", 900),
        ("discount", "Discount: 10% of 9.50", -95),
    )
    as_of = {"as_of": "2026-04-20T02:00:00+00:00", "period": "2026-04"}
    table = estimate_table({**as_of, "to_date": so_far, "projection": ahead}, "A")
    columns = [list(table.columns[n].cells) for n in (0, 4, 5)]
    rows = [cells for cells in zip(*columns, strict=True)][:4]
    assert rows == [
        ("Plan: S (17/30 days)", "0.50", "0.50"),
        ("Overage: h", "-", "9.00"),
        ("Discount: 10%", "-0.05", "-0.95"),
        ("Minimum commitment: 1.00", "0.55", "-"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nobody"], "tenant nobody is not in the accounts table"),
        (["pilot", "--period", "May"], "period must be YYYY-MM"),
        (["pilot", "--period", "2999-01"], "--period: has not begun: 2999-01 begins on 2999-01"),
    ],
)
def test_an_estimate_that_is_not_there_is_bad_input(
    loaded: Path, capsys: Said, words: list[str], says: str
) -> None:
    assert main(["estimate", *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_an_account_that_cannot_be_priced_is_exit_one(
    loaded: Path, accounts: AccountsTable, capsys: Said
) -> None:
    SubscriptionsTable(accounts.name).put(
        Segment("pilot", "annex", Period.month("2026-04").start, None, "gone", 1)
    )
    assert main(["estimate", "pilot", "--period", "2026-04"]) == 1
    assert capsys.readouterr().err == (
        "monthend: pilot cannot be priced: plan gone v0001 is not in the catalogue\n"
    )


def test_a_quote_by_the_catalogue_is_priced_as_the_invoice(loaded: Path, capsys: Said) -> None:
    more = ["--addon", "disk=2", "--usage", "hours=2160", "--tenant", "pilot"]
    assert main([*QUOTE, *more, "--json"]) == 0
    printed = said_json(capsys)
    # 50.00 + 2 x 7.50 + 6.72 = 71.72; 7.17.
    assert (printed["period"], printed["total_cents"]) == ("2026-04", 7889)
    assert (printed["tenant_id"], printed["tax"]) == ("pilot", "gst")
    assert "id" not in printed
    assert main([*QUOTE, *more]) == 0
    shown = words_of(capsys.readouterr().out)
    assert shown[0] == ["Quote", "for", "April", "2026,", "not", "stored"]
    assert shown[-1] == ["Total", "78.89"]


def test_a_quote_for_a_part_of_the_month_without_a_tenant(loaded: Path, capsys: Said) -> None:
    part = ["--starts-on", "2026-04-16", "--ends-on", "2026-04-30", "--addon", "disk"]
    assert main([*QUOTE, *part, "--tax", "gst_free", "--json"]) == 0
    # 15 of 30 days of 50.00 and of 7.50.
    assert said_json(capsys)["total_cents"] == 2875


def test_an_addon_is_quoted_for_its_own_days(loaded: Path, capsys: Said) -> None:
    words = ["--addon", "disk@..2026-04-15", "--addon", "disk=2@2026-04-16..2026-04-20"]
    assert main([*QUOTE, *words, "--tax", "gst_free", "--json"]) == 0
    # 15 of 30 days of 7.50, 5 of 2 x 7.50.
    amounts = [line["amount_cents"] for line in said_json(capsys)["lines"]]
    assert amounts == [5000, 375, 250, 0]


def test_a_quote_without_a_period_is_for_the_current_month(loaded: Path, capsys: Said) -> None:
    assert main(["quote", "--plan", "studio", "--tax", "gst", "--json"]) == 0
    printed = said_json(capsys)
    assert printed["period"] >= "2026-04"
    assert printed["total_cents"] == 5500


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["quote"], "give either a file, or --plan"),
        (["quote", "r.json", "--plan", "studio"], "give either a file, or --plan"),
        (["quote", "r.json", "--usage", "hours=1"], "give either a file, or --plan"),
        (["quote", "--usage", "hours=1"], "give either a file, or --plan"),
        (QUOTE, "tax: is needed (gst or gst_free)"),
        ([*QUOTE, "--tax", "vat"], "tax: Input should be 'gst' or 'gst_free'"),
        ([*QUOTE, "--tenant", "pilot", "--tax", "gst_free"], "tax: is gst for tenant pilot"),
        ([*QUOTE, "--tenant", "nobody"], "tenant nobody is not in the accounts table"),
        ([*QUOTE, "--tenant", "No Body"], "tenant_id: String should match pattern"),
        ([*QUOTE, "--tax", "gst", "--usage", "hours"], "--usage: must be KIND=QUANTITY, not h"),
        ([*QUOTE, "--tax", "gst", "--usage", "hours=-1"], "usage.hours: must not be negative"),
        ([*QUOTE, "--tax", "gst", "--usage", "tea=1"], "usage.tea: the plan has no rate for it"),
        ([*QUOTE, "--usage", "h=1", "--usage", "h=2"], "--usage: h is given twice"),
        ([*QUOTE, "--tax", "gst", "--addon", "disk=two"], "--addon: must be CODE or CODE=N"),
        ([*QUOTE, "--tax", "gst", "--addon", "disk@2026-04-16"], "--addon: must be CODE or COD"),
        ([*QUOTE, "--tax", "gst", "--addon", "disk@..soon"], "addons.0.ends_on: must be a day"),
        ([*QUOTE, "--tax", "gst", "--addon", "disk", "--addon", "disk"], "addons.1: disk stands"),
        ([*QUOTE, "--tax", "gst", "--addon", "disk=0"], "addons.0.quantity: "),
        ([*QUOTE, "--tax", "gst", "--addon", "tape"], "addon: addon tape is not in the catalogue"),
        (["quote", "--plan", "loft", "--tax", "gst"], "plan: plan loft is not in the catalogue"),
        (
            [*QUOTE, "--tax", "gst", "--starts-on", "May"],
            "starts_on: must be a day such as 2026-04-01",
        ),
        ([*QUOTE, "--tax", "gst", "--ends-on", "2026-03-31"], "ends_on: must not be before"),
        (["quote", "--plan", "studio", "--period", "2026-13"], "period: period must be YYYY-MM"),
    ],
)
def test_a_quote_that_cannot_be_given_is_exit_two_and_names_the_field(
    loaded: Path, capsys: Said, words: list[str], says: str
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert line.startswith("monthend: ")
    assert says in line


def test_a_request_in_a_file_needs_no_stack(write: Write, capsys: Said) -> None:
    request = {"period": {"start": "2026-04-01", "end": "2026-05-01"}, "currency": "AUD"}
    file = write("r.json", json.dumps(request | {"tax": "gst", "subscriptions": []}))
    assert main(["quote", str(file), "--json"]) == 0
    assert said_json(capsys)["total_cents"] == 0
