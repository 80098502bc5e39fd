"""Whatever is run, forced, issued and voided, each unit of usage is billed once (invariant I9)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.accounts.account import Account, Segment, Tenant
from invoicing.invoices.billing_history import BilledMonth, BillingHistory
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.usage.usage_table import UsageTotal
from quote_engine import Period, Plan, parse_plan, price

MONTHS = ("2026-04", "2026-05", "2026-06", "2026-07", "2026-08")
DEPLOYMENTS = ("east", "west")
STANDING = frozenset(InvoiceStatus) - {InvoiceStatus.VOID}
HOURS: dict[str, Any] = {"resource_kind": "hours", "unit": "hour", "unit_price": "0.01"}
TENANT = Tenant("acme", "Acme", "1001", "gst")


def plan(**rate: Any) -> Plan:
    """A plan at 10 dollars with 100 hours included."""
    rates = [HOURS | {"model": "per_unit", "included": "100"} | rate]
    return parse_plan(
        {"code": "any", "name": "Any", "price": "10.00", "proration": "daily", "rates": rates}
    )


@dataclass
class Catalogue:
    """The one plan there is."""

    only: Plan

    def plan(self, _code: str, _version: int) -> Plan:
        """Any version of it."""
        return self.only


@dataclass
class Ledger:
    """A tenant's invoices in memory, made by the pricing that the rollup uses."""

    pricing: Pricing
    terms: Mapping[str, Any]
    used: dict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    invoices: dict[str, tuple[InvoiceStatus, PricedMonth]] = field(default_factory=dict)

    def step(self, action: str, label: str, hours: int, deployment: str) -> None:
        """Does something to a month; an action that its state does not allow does nothing."""
        status = self.invoices[label][0] if label in self.invoices else None
        if action == "use":
            self.used[label, deployment] += hours
        elif status is None or (action == "force" and status in ("draft", "void")):
            self.make(label)
        elif action == "issue" and status is InvoiceStatus.DRAFT:
            self.put(label, InvoiceStatus.ISSUED)
        elif action == "void" and status in ("draft", "issued"):
            self.put(label, InvoiceStatus.VOID)

    def put(self, label: str, status: InvoiceStatus) -> None:
        """Changes the state of an invoice."""
        self.invoices[label] = (status, self.invoices[label][1])

    def make(self, label: str) -> None:
        """Makes a month's draft from all that is known now."""
        period = Period.month(label)
        months = tuple(
            BilledMonth(Period.month(name), status, True, made.billed)
            for name, (status, made) in sorted(self.invoices.items())
            if name != label and status in STANDING
        )
        records = TenantRecords(self._account(), BillingHistory(period, months), self._totals())
        made = self.pricing.priced(records, period)
        self.invoices[label] = (InvoiceStatus.DRAFT, made)

    def _account(self) -> Account:
        return Account(
            TENANT,
            tuple(
                Segment("acme", name, date(2026, 1, 1), None, "any", 1, **self.terms)
                for name in DEPLOYMENTS
            ),
        )

    def _totals(self) -> dict[str, dict[str, UsageTotal]]:
        totals: dict[str, dict[str, UsageTotal]] = defaultdict(dict)
        for (label, name), hours in self.used.items():
            totals[label][name] = UsageTotal("acme", name, {"hours": hours})
        return totals

    def close(self) -> None:
        """Issues every month, and makes the last one again with all usage that is late by then."""
        for label in MONTHS:
            if label not in self.invoices or self.invoices[label][0] is not InvoiceStatus.ISSUED:
                self.make(label)
                self.put(label, InvoiceStatus.ISSUED)
        self.make(MONTHS[-1])

    def billed(self) -> dict[str, int]:
        """Returns the cents billed for each month, over all invoices, before tax."""
        cents: dict[str, int] = dict.fromkeys(MONTHS, 0)
        for label, (_, made) in self.invoices.items():
            for line in made.quote.lines:
                if line.kind == "adjustment":
                    cents[line.description[len("Adjustment for ") :][:7]] += line.amount_cents
                elif line.kind != "tax":
                    cents[label] += line.amount_cents
        return cents


# Few months and much usage: chains of late usage over several invoices are then common.
steps = st.tuples(
    st.sampled_from(["use", "use", "run", "force", "issue", "issue", "void"]),
    st.sampled_from(MONTHS[:4]),
    st.integers(40, 200),
    st.sampled_from(DEPLOYMENTS),
)
histories = st.lists(steps, min_size=20, max_size=50)


def _played(only: Plan, terms: Mapping[str, Any], history: list[Any]) -> Ledger:
    catalogue: Any = Catalogue(only)
    unread: Any = None
    ledger = Ledger(Pricing(catalogue, unread, unread, "AUD"), terms)
    for step in history:
        ledger.step(*step)
    ledger.close()
    return ledger


@settings(max_examples=300, deadline=None)
@given(history=histories)
def test_each_hour_is_billed_once(history: list[Any]) -> None:
    ledger = _played(plan(), {}, history)
    expected = {
        label: sum(1000 + max(0, int(ledger.used[label, name]) - 100) for name in DEPLOYMENTS)
        for label in MONTHS
    }
    assert ledger.billed() == expected


@pytest.mark.parametrize(
    ("rate", "terms"),
    [({"pool": "tenant"}, {}), ({}, {"minimum_commitment": Decimal("11.00")})],
    ids=["pooled", "commitment"],
)
@settings(max_examples=100, deadline=None)
@given(history=histories)
def test_the_differences_add_up_to_the_price_of_the_whole(
    rate: Any, terms: Any, history: list[Any]
) -> None:
    ledger = _played(plan(**rate), terms, history)
    for label in MONTHS:
        records = TenantRecords(
            ledger._account(), BillingHistory(Period.month(label)), ledger._totals()
        )
        whole = ledger.pricing.priced(records, Period.month(label)).request
        assert ledger.billed()[label] == price(whole).subtotal_cents
