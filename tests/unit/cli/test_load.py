"""Loads into the tables of the template: stored, then unchanged; refusals leave others be."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cli.inputs import read_load
from cli.load import Loader
from cli.report import Row
from invoicing.accounts import AddonChoice, Subscription, Tenant
from invoicing.accounts_table import AccountsTable, UnknownPrice, UnknownTenant
from tests.unit.cli.conftest import Write

CATALOGUE = """\
version: 1
plans:
  - {code: studio, name: Studio, price: "50.00", proration: daily}
addons:
  - {code: storage, price: "7.50"}
"""
TENANTS = """\
tenants:
  - tenant_id: acme
    name: Acme
    account_number: "0100"
    tax: gst
    subscriptions:
      - {deployment_id: web, plan: studio, starts_on: 2026-01-01, addons: {storage: 2}}
  - tenant_id: kauri
    name: Kauri
    account_number: "0101"
    tax: gst_free
    tax_reason: export
"""


def load(accounts: AccountsTable, *files: Path, dry_run: bool = False) -> list[Row]:
    return Loader(accounts, dry_run).load(read_load(files))


def results(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.kind, row.id, row.result.value) for row in rows]


ALL = [
    ("plan", "studio v1"),
    ("addon", "storage v1"),
    ("tenant", "acme"),
    ("subscription", "web from 2026-01-01"),
    ("tenant", "kauri"),
]


@pytest.fixture
def loaded(accounts: AccountsTable, write: Write) -> AccountsTable:
    load(accounts, write("catalogue.yaml", CATALOGUE), write("tenants.yaml", TENANTS))
    return accounts


def test_the_second_load_says_unchanged(accounts: AccountsTable, write: Write) -> None:
    files = write("catalogue.yaml", CATALOGUE), write("tenants.yaml", TENANTS)
    first, second = load(accounts, *files), load(accounts, *files)
    assert results(first) == [(kind, name, "stored") for kind, name in ALL]
    assert results(second) == [(kind, name, "unchanged") for kind, name in ALL]
    account = accounts.account("acme")
    assert account.tenant == Tenant("acme", "Acme", "0100", "gst")
    addons = (AddonChoice("storage", 1, 2),)
    starts_on = date(2026, 1, 1)
    taken = Subscription("acme", "web", starts_on, None, "studio", 1, addons)
    assert account.subscriptions == (taken,)
    assert accounts.plan("studio", 1).price == Decimal("50.00")


def test_a_dry_run_says_the_same_and_writes_nothing(accounts: AccountsTable, write: Write) -> None:
    files = write("catalogue.yaml", CATALOGUE), write("tenants.yaml", TENANTS)
    assert results(load(accounts, *files, dry_run=True)) == [
        (kind, name, "stored") for kind, name in ALL
    ]
    with pytest.raises(UnknownTenant):
        accounts.account("acme")
    with pytest.raises(UnknownPrice):
        accounts.plan("studio", 1)


REFUSALS = {
    ('"50.00"', '"51.00"'): ("studio v1", "catalogue.yaml:3", "a change needs a new version"),
    ('"0100"', '"0109"'): ("acme", "tenants.yaml:2", "0100 for good and cannot become 0109"),
    ('"0101"', "101"): ("kauri", "tenants.yaml:10", "valid string"),
    ('"0101"', '"12345678"'): ("kauri", "tenants.yaml:10", "1 to 7 digits"),
    ("tax_reason: export", ""): ("kauri", "tenants.yaml:8", "needs a reason"),
    ("tax: gst_free", "tax: vat"): ("kauri", "tenants.yaml:11", "'gst' or 'gst_free'"),
    ("name: Kauri", "nom: Kauri"): ("kauri", "tenants.yaml:8", "name: Field required"),
    ("plan: studio", "plan: loft"): (
        "web from 2026-01-01",
        "tenants.yaml:7",
        "plan: loft version 1 is not in the catalogue",
    ),
    ("storage: 2", "storage: 0"): ("web", "tenants.yaml:7", "greater than or equal to 1"),
    ("2026-01-01", "20260101"): ("web", "tenants.yaml:7", "must be a day"),
    ("2026-01-01", "2026-01-01, ends_on: 2025-12-31"): (
        "web",
        "tenants.yaml:7",
        "before starts_on",
    ),
    ("2026-01-01", "2026-05-01"): (
        "web from 2026-05-01",
        "tenants.yaml:7",
        "overlaps the subscription from 2026-01-01",
    ),
}


@pytest.mark.parametrize(("change", "refusal"), REFUSALS.items())
def test_a_row_that_cannot_be_stored_is_refused_alone(
    loaded: AccountsTable, write: Write, change: tuple[str, str], refusal: tuple[str, str, str]
) -> None:
    assert change[0] in CATALOGUE + TENANTS
    catalogue = write("catalogue.yaml", CATALOGUE.replace(*change))
    tenants = write("tenants.yaml", TENANTS.replace(*change))
    for dry_run in (True, False):
        rows = load(loaded, catalogue, tenants, dry_run=dry_run)
        [refused] = [each for each in rows if each.result == "refused"]
        assert (refused.id, refused.place) == refusal[:2]
        assert refusal[2] in refused.reason
        assert {each.result for each in rows if each is not refused} == {"unchanged"}


def test_the_first_tenant_of_a_load_gets_the_number_and_the_deployment(
    accounts: AccountsTable, write: Write
) -> None:
    taken = "subscriptions: [{deployment_id: web, plan: studio, starts_on: 2026-02-01}]"
    again = TENANTS.replace('"0101"', '"0100"') + f"    {taken}\n"
    rows = load(accounts, write("c.yaml", CATALOGUE), write("t.yaml", again))
    assert [(row.id, row.reason) for row in rows if row.result == "refused"] == [
        ("kauri", "account_number: 0100 is given to acme in this load already"),
        ("web from 2026-02-01", "tenant_id: no such tenant is stored"),
    ]


def test_what_another_tenant_has_from_an_earlier_load_is_refused(
    loaded: AccountsTable, write: Write
) -> None:
    text = """\
catalogue_version: 1
tenants:
  - {tenant_id: rata, name: Rata, account_number: "0100", tax: gst}
  - tenant_id: kauri
    name: Kauri
    account_number: "0101"
    tax: gst_free
    tax_reason: export
    subscriptions:
      - {deployment_id: web, plan: studio, starts_on: 2027-01-01}
      - {deployment_id: shop, plan: studio, starts_on: 2027-01-01}
"""
    rows = load(loaded, write("more.yaml", text))
    assert [(row.id, row.result.value, row.reason) for row in rows] == [
        ("rata", "refused", "account_number: account number 0100 of tenant rata is taken"),
        ("kauri", "unchanged", ""),
        ("web from 2027-01-01", "refused", "deployment_id: web is another tenant's (acme)"),
        ("shop from 2027-01-01", "stored", ""),
    ]


def test_a_tenant_stands_once_in_a_load(accounts: AccountsTable, write: Write) -> None:
    rows = load(accounts, write("a.yaml", TENANTS), write("b.yaml", TENANTS))
    refused = [(row.id, row.place, row.reason) for row in rows if row.result == "refused"]
    assert ("acme", "b.yaml:2", "stands twice, first at a.yaml:2") in refused
    assert ("kauri", "b.yaml:8", "stands twice, first at a.yaml:8") in refused


def test_a_plan_change_ends_one_subscription_and_starts_the_next(
    loaded: AccountsTable, write: Write
) -> None:
    text = TENANTS.replace("2026-01-01,", "2026-01-01, ends_on: 2026-03-31,").replace(
        "  - tenant_id: kauri",
        "      - {deployment_id: web, plan: studio, starts_on: 2026-04-01}\n  - tenant_id: kauri",
    )
    rows = load(loaded, write("c.yaml", CATALOGUE), write("t.yaml", text))
    assert [(row.id, row.result.value, row.reason) for row in rows if "web" in row.id] == [
        ("web from 2026-01-01", "stored", "replaced"),
        ("web from 2026-04-01", "stored", ""),
    ]


def test_without_a_version_nothing_is_guessed(accounts: AccountsTable, write: Write) -> None:
    rows = load(accounts, write("tenants.yaml", TENANTS))
    [refused] = [row for row in rows if row.result == "refused"]
    assert (refused.place, refused.id) == ("tenants.yaml:7", "web")
    assert refused.reason.startswith("catalogue_version: missing")


def test_csv_says_the_same_as_yaml(loaded: AccountsTable, write: Write) -> None:
    tenants = """\
tenant_id,name,account_number,tax,tax_reason
acme,Acme,0100,gst,
kauri,Kauri,0101,gst_free,export
"""
    subscriptions = """\
tenant_id,deployment_id,plan,starts_on,ends_on,addons,catalogue_version
acme,web,studio,2026-01-01,,storage:2,1
acme,db,studio,2026-01-01,2026-06-30,,1
acme,db2,studio,soon,,storage:x,one
acme,db3,studio
nobody,db4,studio,2026-01-01,,,1
"""
    rows = load(loaded, write("t.csv", tenants), write("s.csv", subscriptions))
    assert [(row.id, row.place, row.result.value) for row in rows] == [
        ("acme", "t.csv:2", "unchanged"),
        ("web from 2026-01-01", "s.csv:2", "unchanged"),
        ("db from 2026-01-01", "s.csv:3", "stored"),
        ("kauri", "t.csv:3", "unchanged"),
        ("db4 from 2026-01-01", "s.csv:6", "refused"),
        ("db2", "s.csv:4", "refused"),
        ("?", "s.csv:5", "refused"),
    ]
    assert "starts_on: " in rows[5].reason
    assert "addons: " in rows[5].reason
    assert "catalogue_version: " in rows[5].reason
