"""Add-ons with days of their own, in YAML and in CSV."""

from datetime import date
from pathlib import Path

import pytest

from cli.loading.inputs import read_load
from cli.loading.load import Loader
from cli.loading.row_report import ReportRow
from cli.terminal.addon_days import split_days
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from tests.unit.cli.conftest import Write

CATALOGUE = """\
version: 1
plans:
  - {code: studio, name: Studio, price: "50.00", proration: daily}
addons:
  - {code: storage, price: "7.50"}
  - {code: tape, price: "2.00"}
"""
CUSTOMERS = """\
catalogue_version: 1
tenants:
  - tenant_id: acme
    name: Acme
    account_number: "0100"
    tax: gst
    subscriptions:
      - deployment_id: web
        plan: studio
        starts_on: 2026-01-10
        ends_on: 2026-12-31
        addons:
          - {code: tape, quantity: 3, ends_on: 2026-02-28}
          - code: storage
            starts_on: 2026-04-16
            ends_on: "2026-04-30"
          - {code: storage, quantity: 2, starts_on: 2026-06-01}
"""
STORED = (
    AddonChoice("storage", 1, 1, date(2026, 4, 16), date(2026, 4, 30)),
    AddonChoice("storage", 1, 2, date(2026, 6, 1), None),
    AddonChoice("tape", 1, 3, None, date(2026, 2, 28)),
)
COLUMNS = "tenant_id,deployment_id,plan,starts_on,ends_on,addons,catalogue_version\n"


def load(accounts: AccountsTable, *files: Path) -> list[ReportRow]:
    return Loader(accounts).load(read_load(files))


@pytest.fixture
def loaded(accounts: AccountsTable, write: Write) -> AccountsTable:
    rows = load(accounts, write("prices.yaml", CATALOGUE), write("acme.yaml", CUSTOMERS))
    assert {row.result.value for row in rows} == {"stored"}
    return accounts


def csv_row(words: str) -> str:
    return f"{COLUMNS}acme,web,studio,2026-01-10,2026-12-31,{words},1\n"


def test_a_list_of_addons_has_days(loaded: AccountsTable, write: Write) -> None:
    [segment] = loaded.account("acme").segments
    assert segment.addons == STORED
    again = load(loaded, write("acme.yaml", CUSTOMERS))
    assert {row.result.value for row in again} == {"unchanged"}


def test_csv_says_the_same(loaded: AccountsTable, write: Write) -> None:
    words = "tape:3@..2026-02-28 storage:1@2026-04-16..2026-04-30 storage:2@2026-06-01.."
    [row] = load(loaded, write("acme.csv", csv_row(words)))
    assert row.result == "unchanged"
    [row] = load(loaded, write("acme.csv", csv_row("storage:1")))
    assert (row.result, row.reason) == ("stored", "replaced")
    [segment] = loaded.account("acme").segments
    assert segment.addons == (AddonChoice("storage", 1, 1),)


@pytest.mark.parametrize(
    ("change", "line", "reason"),
    [
        (("quantity: 3", "quantity: three"), 13, "addons.0.quantity: "),
        (("quantity: 3", "quantity: 0"), 13, "addons.0.quantity: "),
        (("quantity: 3", "version: 1"), 13, "addons.0.version: "),
        (("2026-04-16", "April"), 15, "addons.1.starts_on: must be a day"),
        (("2026-04-16", "2026-01-09"), 15, "addons.1.starts_on: must not be before 2026-01-10"),
        (('"2026-04-30"', "2026-04-15"), 16, "addons.1.ends_on: must not be before starts_on"),
        (('"2026-04-30"', "2027-01-01"), 16, "addons.1.ends_on: must not be after 2026-12-31"),
        (("2026-06-01", "2026-04-30"), 17, "addons.2: storage stands twice on 2026-04-30"),
    ],
)
def test_a_fault_is_refused_at_its_line(
    loaded: AccountsTable, write: Write, change: tuple[str, str], line: int, reason: str
) -> None:
    assert change[0] in CUSTOMERS
    rows = load(loaded, write("acme.yaml", CUSTOMERS.replace(*change)))
    [refused] = [row for row in rows if row.result == "refused"]
    assert (refused.place, refused.id.partition(" ")[0]) == (f"acme.yaml:{line}", "web")
    assert refused.reason.startswith(reason)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("storage:1@2026-04-16", "addons: must be quantities by code, or a list; in CSV"),
        ("storage:1@..", "addons: must be quantities by code"),
        ("storage:1@", "addons: must be quantities by code"),
        ("@2026-04-16..", "addons: must be quantities by code"),
        ("storage@2026-04-16..", "addons: must be quantities by code"),
        ("storage:1@soon..", "addons.0.starts_on: must be a day"),
        ("storage:1@..2026-04-31", "addons.0.ends_on: "),
        ("storage:1@2026-04-16..2026-04-30..2026-05-01", "addons.0.ends_on: must be a day"),
        ("storage:1 storage:2", "addons.1: storage stands twice on 2026-01-10"),
        ("storage:1@..2026-01-09", "addons.0.ends_on: must not be before 2026-01-10"),
    ],
)
def test_a_word_that_says_no_days_is_refused(
    loaded: AccountsTable, write: Write, words: str, reason: str
) -> None:
    [row] = load(loaded, write("acme.csv", csv_row(words)))
    assert (row.result, row.place) == ("refused", "acme.csv:2")
    assert row.reason.startswith(reason)


def test_days_stand_behind_an_at_sign() -> None:
    first, last = {"starts_on": "2026-04-16"}, {"ends_on": "2026-04-30"}
    assert split_days("storage:1") == ("storage:1", {})
    assert split_days("storage:1@2026-04-16..2026-04-30") == ("storage:1", first | last)
    assert split_days("storage:1@2026-04-16..") == ("storage:1", first)
    assert split_days("storage:1@..2026-04-30") == ("storage:1", last)
    assert split_days("storage:1@2026-04-16") is None
