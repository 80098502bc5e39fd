"""The sample month: the readable files of `sample_month/` as the project's own dataclasses."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from invoicing.accounts import Account, AddonChoice, AddonPrice, Subscription, Tenant
from quote_engine import Plan, parse_plan

FOLDER = Path(__file__).parent / "sample_month"
PERIOD = "2026-04"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a deployment used on one day: quantities by resource kind."""

    tenant_id: str
    deployment_id: str
    day: date
    quantities: dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class SampleMonth:
    """One catalogue, its customers, and their metered usage of April 2026."""

    catalogue_version: int
    plans: tuple[Plan, ...]
    addons: tuple[AddonPrice, ...]
    accounts: tuple[Account, ...]
    logins: tuple[str, ...]
    usage: tuple[Usage, ...]


def _subscription(tenant_id: str, entry: dict[str, Any], version: int) -> Subscription:
    return Subscription(
        tenant_id=tenant_id,
        deployment_id=entry["deployment_id"],
        starts_on=entry["starts_on"],
        ends_on=entry["ends_on"],
        plan_code=entry["plan"],
        plan_version=version,
        addons=tuple(
            AddonChoice(code, version, quantity)
            for code, quantity in sorted(entry["addons"].items())
        ),
    )


def _account(entry: dict[str, Any], version: int) -> Account:
    tenant = Tenant(
        tenant_id=entry["tenant_id"],
        name=entry["name"],
        account_number=entry["account_number"],
        tax=entry["tax"],
        tax_reason=entry["tax_reason"],
    )
    subscriptions = entry["subscriptions"]
    return Account(
        tenant, tuple(_subscription(tenant.tenant_id, each, version) for each in subscriptions)
    )


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _usage(accounts: tuple[Account, ...]) -> tuple[Usage, ...]:
    owner = {
        subscription.deployment_id: account.tenant.tenant_id
        for account in accounts
        for subscription in account.subscriptions
    }
    used: dict[tuple[str, date], dict[str, Decimal]] = {}
    with (FOLDER / "usage.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            first, last = map(date.fromisoformat, (row["first_day"], row["last_day"]))
            for day in _days(first, last):
                quantities = used.setdefault((row["deployment_id"], day), {})
                kind, quantity = row["resource_kind"], Decimal(row["quantity_per_day"])
                quantities[kind] = quantities.get(kind, Decimal(0)) + quantity
    return tuple(
        Usage(owner[deployment_id], deployment_id, day, quantities)
        for (deployment_id, day), quantities in sorted(used.items())
    )


def customer_names() -> dict[str, str]:
    """What each tenant of the sample month is called."""
    return {each.tenant.tenant_id: each.tenant.name for each in sample_month().accounts}


@cache
def sample_month() -> SampleMonth:
    """The whole sample month; raises KeyError for usage of a deployment that nobody has."""
    catalogue = yaml.safe_load((FOLDER / "catalogue.yaml").read_text(encoding="utf-8"))
    entries = yaml.safe_load((FOLDER / "tenants.yaml").read_text(encoding="utf-8"))["tenants"]
    version = catalogue["version"]
    accounts = tuple(_account(entry, version) for entry in entries)
    return SampleMonth(
        catalogue_version=version,
        plans=tuple(parse_plan(plan) for plan in catalogue["plans"]),
        addons=tuple(
            AddonPrice(addon["code"], addon.get("name"), Decimal(addon["price"]))
            for addon in catalogue["addons"]
        ),
        accounts=accounts,
        logins=tuple(entry["tenant_id"] for entry in entries if entry.get("login")),
        usage=_usage(accounts),
    )
