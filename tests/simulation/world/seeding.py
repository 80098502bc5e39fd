"""Stores the simulation's customers and catalogue with the product's own table classes."""

from datetime import date
from decimal import Decimal

from invoicing.accounts.account import AddonPrice, Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from quote_engine import Convert, PerUnit, Plan
from tests.simulation.books.model import ADDON_CENTS, ADDON_CODE, CATALOGUE, Customer, PlanTerms
from tests.simulation.books.treatments import GST, GST_FREE

FIRST_DAY = date(2024, 2, 29)
CENTS = Decimal("0.01")


def plan_of(terms: PlanTerms) -> Plan:
    """Returns the plan as the engine knows it."""
    rates = tuple(
        PerUnit(
            kind,
            "unit",
            rate.cents * CENTS,
            Decimal(rate.included),
            convert=None if rate.times == 1 else Convert(multiply_by=Decimal(rate.times)),
        )
        for kind, rate in terms.rates.items()
    )
    name = f"{terms.code.title()} plan"
    return Plan(terms.code, name, terms.base_cents * CENTS, "daily", rates)


def store_plan(terms: PlanTerms) -> None:
    """Adds a plan version to the catalogue."""
    PriceVersions("accounts", PLANS).put(plan_of(terms), terms.version)


def store_catalogue() -> None:
    """Adds the add-on and all plans except the one that a customer waits for."""
    for terms in CATALOGUE:
        store_plan(terms)
    PriceVersions("accounts", ADDONS).put(AddonPrice(ADDON_CODE, None, ADDON_CENTS * CENTS), 1)


def store_tenant(customer: Customer, tax: str) -> None:
    """Adds a tenant, or gives it another tax treatment."""
    name, number = customer.tenant_id.title(), customer.account_number
    tenant = (
        Tenant(customer.tenant_id, name, number, "gst")
        if tax == GST
        else Tenant(customer.tenant_id, name, number, "gst_free", "exported")
    )
    TenantsTable("accounts").put(tenant)


def store_customer(customer: Customer) -> None:
    """Adds a tenant with its subscriptions."""
    accounts = AccountsTable("accounts")
    store_tenant(customer, GST if customer.taxed else GST_FREE)
    for deployment_id, segments in customer.deployments.items():
        for segment in segments:
            addons = (AddonChoice(ADDON_CODE, 1, segment.addons),) if segment.addons else ()
            SubscriptionsTable(accounts.name).put(
                Segment(
                    tenant_id=customer.tenant_id,
                    deployment_id=deployment_id,
                    starts_on=segment.first or FIRST_DAY,
                    ends_on=segment.last,
                    plan_code=segment.terms.code,
                    plan_version=segment.terms.version,
                    addons=addons,
                )
            )
