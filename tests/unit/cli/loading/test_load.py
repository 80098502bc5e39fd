"""Loads into the template's tables: stored, then unchanged; a refused row affects no other."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cli.loading.inputs import read_load
from cli.loading.load import Loader
from cli.loading.row_report import ReportRow
from invoicing.accounts.account import Account, Address, Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable, UnknownPrice, UnknownTenant
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from quote_engine import Discount
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


def load(accounts: AccountsTable, *files: Path, dry_run: bool = False) -> list[ReportRow]:
    return Loader(accounts, dry_run).load(read_load(files))


def results(rows: list[ReportRow]) -> list[tuple[str, str, str]]:
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
    segment = Segment("acme", "web", starts_on, None, "studio", 1, addons)
    assert account.segments == (segment,)
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
    ('"0101"', "101"): ("kauri", "tenants.yaml:10", "a string, in quotes"),
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
        [refused] = [row for row in rows if row.result == "refused"]
        assert (refused.id, refused.place) == refusal[:2]
        assert refusal[2] in refused.reason
        assert {row.result for row in rows if row is not refused} == {"unchanged"}


def test_the_first_tenant_of_a_load_gets_the_number_and_the_deployment(
    accounts: AccountsTable, write: Write
) -> None:
    field = "subscriptions: [{deployment_id: web, plan: studio, starts_on: 2026-02-01}]"
    again = TENANTS.replace('"0101"', '"0100"') + f"    {field}\n"
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
        ("rata", "refused", "account_number: 0100 is another tenant's (acme)"),
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


ALL_FIELDS = """\
catalogue_version: 1
tenants:
  - tenant_id: rata
    name: Rata Pty Ltd
    account_number: "0102"
    abn: 51 824 753 556
    address: {lines: [1 High Street], locality: Hobart, state: TAS, postcode: "7000", country: AU}
    billing_email: accounts@rata.example
    tax: gst
    subscriptions:
      - deployment_id: kiln
        plan: studio
        starts_on: 2026-01-01
        discounts: [{percent: "12.5"}, {amount: 5}]
        minimum_commitment: "100.00"
"""


def test_all_that_the_api_takes_a_file_takes_too(loaded: AccountsTable, write: Write) -> None:
    file = write("rata.yaml", ALL_FIELDS)
    assert {row.result.value for row in load(loaded, file)} == {"stored"}
    assert {row.result.value for row in load(loaded, file)} == {"unchanged"}
    account = loaded.account("rata")
    assert account.tenant.abn == "51824753556"
    assert account.tenant.address == Address(("1 High Street",), "Hobart", "AU", "TAS", "7000")
    assert account.tenant.billing_email == "accounts@rata.example"
    [segment] = account.segments
    assert segment.discounts == (Discount(percent=Decimal("12.5")), Discount(amount=Decimal(5)))
    assert segment.minimum_commitment == Decimal(100)


def test_csv_has_columns_for_the_flat_ones(loaded: AccountsTable, write: Write) -> None:
    tenants = "tenant_id,name,account_number,tax,abn,billing_email\n"
    tenants += "rata,Rata,0102,gst,51 824 753 556,accounts@rata.example\nrimu,Rimu,0103,gst,,\n"
    starts = (
        "tenant_id,deployment_id,plan,starts_on,discounts,minimum_commitment,catalogue_version\n"
    )
    starts += "rata,kiln,studio,2026-01-01,12.5% 5.00,100.00,1\nrimu,oven,studio,2026-01-01,,,1\n"
    rows = load(loaded, write("t.csv", tenants), write("s.csv", starts))
    assert {row.result.value for row in rows} == {"stored"}
    assert loaded.account("rata").tenant.abn == "51824753556"
    [kiln] = loaded.account("rata").segments
    assert kiln.discounts == (Discount(percent=Decimal("12.5")), Discount(amount=Decimal(5)))
    [oven] = loaded.account("rimu").segments
    assert (oven.discounts, oven.minimum_commitment) == ((), None)


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (("753 556", "753 557"), "a.yaml:6", "abn: is no ABN"),
        (("country: AU", "country: Australia"), "a.yaml:7", "address.country: must be an ISO"),
        (('"7000"', "7000"), "a.yaml:7", "address.postcode: "),
        (("accounts@", ""), "a.yaml:8", "billing_email: must be one address"),
        (('"12.5"', "12.5"), "a.yaml:14", "discounts.0: percent: 12.5 is no whole number"),
        (('"100.00"', "100.50"), "a.yaml:15", "minimum_commitment: 100.50 is no whole"),
    ],
)
def test_a_faulty_field_is_refused_at_its_line(
    loaded: AccountsTable, write: Write, change: tuple[str, str], place: str, reason: str
) -> None:
    assert change[0] in ALL_FIELDS
    rows = load(loaded, write("a.yaml", ALL_FIELDS.replace(*change)))
    [refused] = [row for row in rows if row.result == "refused" and row.place == place]
    assert refused.reason.startswith(reason)


def test_a_dry_run_knows_whose_a_number_is(loaded: AccountsTable, write: Write) -> None:
    stolen = write("rata.yaml", ALL_FIELDS.replace("0102", "0100"))
    for dry_run in (True, False):
        rows = load(loaded, stolen, dry_run=dry_run)
        assert rows[0].reason == "account_number: 0100 is another tenant's (acme)"
        assert rows[1].reason == "tenant_id: no such tenant is stored"


def test_a_plan_change_is_stored_at_once_whatever_row_comes_first(
    loaded: AccountsTable, write: Write
) -> None:
    ends = (
        "      - {deployment_id: web, plan: studio, starts_on: 2026-01-01, ends_on: 2026-03-31}\n"
    )
    begins = "      - {deployment_id: web, plan: studio, starts_on: 2026-04-01}\n"
    text = TENANTS[: TENANTS.index("      - {")] + begins + ends
    rows = load(loaded, write("c.yaml", CATALOGUE), write("t.yaml", text))
    assert [(row.id, row.result.value, row.reason) for row in rows if "web" in row.id] == [
        ("web from 2026-04-01", "stored", ""),
        ("web from 2026-01-01", "stored", "replaced"),
    ]
    stored = SubscriptionsTable(loaded.name).get("acme", "web")
    assert stored is not None
    # Both in one write: the deployment's second version.
    assert (len(stored.record.segments), stored.version) == (2, 2)


def test_what_was_stored_since_the_load_looked_is_not_overlapped(
    loaded: AccountsTable, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = Segment("kauri", "shop", date(2026, 1, 1), None, "studio", 1)
    read_account = loaded.account

    def overtaken(tenant_id: str) -> Account:
        account = read_account(tenant_id)
        if tenant_id == rival.tenant_id:
            SubscriptionsTable(loaded.name).put(rival)
        return account

    text = f"{TENANTS}    subscriptions:\n"
    text += "      - {deployment_id: shop, plan: studio, starts_on: 2026-04-01}\n"
    file, catalogue = write("t.yaml", text), write("c.yaml", CATALOGUE)
    monkeypatch.setattr(loaded, "account", overtaken)
    rows = load(loaded, catalogue, file)
    [refused] = [row for row in rows if row.result == "refused"]
    assert refused.reason == "starts_on: 2026-04-01 overlaps the subscription from 2026-01-01"
