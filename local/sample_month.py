"""Reads the sample month: the files of `sample_month/` as the project's own dataclasses."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from cli.loading.inputs import read_load
from cli.loading.yaml_lines import read_yaml
from cli.usage.usage_file import DaysRow, read_usage
from invoicing.accounts.account import Account, AddonPrice, Segment
from quote_engine import Plan

FOLDER = Path(__file__).parent / "sample_month"
PERIOD = "2026-04"
# April's events count as received at this moment, however long ago April is by now.
RECEIVED_AT = "2026-05-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Usage:
    """A deployment's usage of one day: quantities by resource kind."""

    tenant_id: str
    deployment_id: str
    day: date
    quantities: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class SampleMonth:
    """One catalogue, its customers, and their metered usage of April 2026."""

    plans: tuple[Plan, ...]
    addons: tuple[AddonPrice, ...]
    accounts: tuple[Account, ...]
    logins: tuple[str, ...]
    usage: tuple[Usage, ...]


def _usage(accounts: tuple[Account, ...]) -> tuple[Usage, ...]:
    owners = {
        segment.deployment_id: account.tenant.tenant_id
        for account in accounts
        for segment in account.segments
    }
    used: dict[tuple[str, date], dict[str, Decimal]] = {}
    with (FOLDER / "usage.csv").open("rb") as stream:
        for row in read_usage(stream, "usage.csv")[1]:
            assert isinstance(row, DaysRow), row
            for day in row.each_day():
                quantities = used.setdefault((row.deployment_id, day), {})
                kind, quantity = row.resource_kind, Decimal(row.quantity)
                quantities[kind] = quantities.get(kind, Decimal(0)) + quantity
    return tuple(
        Usage(owners[deployment_id], deployment_id, day, quantities)
        for (deployment_id, day), quantities in sorted(used.items())
    )


def customer_names() -> dict[str, str]:
    """Returns the name of each tenant of the sample month, by tenant id."""
    return {account.tenant.tenant_id: account.tenant.name for account in sample_month().accounts}


def _accounts() -> tuple[Account, ...]:
    customers = read_load([FOLDER]).customers
    assert not customers.refused, customers.refused
    segments: dict[str, list[Segment]] = {}
    for entry in customers.subscriptions:
        segments.setdefault(entry.item.tenant_id, []).append(entry.item)
    tenants = (entry.item for entry in customers.tenants)
    return tuple(Account(tenant, tuple(segments.get(tenant.tenant_id, ()))) for tenant in tenants)


@cache
def sample_month() -> SampleMonth:
    """Returns the whole sample month; raises KeyError for usage of a deployment nobody has."""
    catalogue = read_load([FOLDER]).catalogue
    accounts = _accounts()
    entries = read_yaml(FOLDER / "tenants.yaml").fields["tenants"]
    return SampleMonth(
        plans=tuple(price.item for price in catalogue.plans),
        addons=tuple(price.item for price in catalogue.addons),
        accounts=accounts,
        logins=tuple(entry["tenant_id"] for entry in entries if entry.get("login")),
        usage=_usage(accounts),
    )
