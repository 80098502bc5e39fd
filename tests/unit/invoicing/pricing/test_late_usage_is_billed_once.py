"""Whatever is run, forced, issued and voided, each unit of usage is billed once (invariant I9).

And in one tax treatment: that of its month, however often the tenant's own changes meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.accounts.account import Account, Segment, TaxTreatment, Tenant
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
    tenant: Tenant = TENANT

    def step(self, action: str, label: str, hours: int, deployment: str) -> None:
        """Does something to a month; an action that its state does not allow does nothing."""
        status = self.invoices[label][0] if label in self.invoices else None
        if action == "use":
            self.used[label, deployment] += hours
        elif action in ("gst", "gst_free"):
            self.treat("gst" if action == "gst" else "gst_free")
        elif status is None or (action == "force" and status in ("draft", "void")):
            self.make(label)
        elif action == "issue" and status is InvoiceStatus.DRAFT:
            self.put(label, InvoiceStatus.ISSUED)
        elif action in ("void", "again") and status in ("draft", "issued"):
            self.put(label, InvoiceStatus.VOID)
            if action == "again":
                self.make(label)

    def put(self, label: str, status: InvoiceStatus) -> None:
        """Changes the state of an invoice."""
        self.invoices[label] = (status, self.invoices[label][1])

    def treat(self, tax: TaxTreatment) -> None:
        """Gives the tenant another tax treatment, from the next invoice on."""
        reason = "" if tax == "gst" else "Export"
        self.tenant = replace(self.tenant, tax=tax, tax_reason=reason)

    def make(self, label: str) -> None:
        """Makes a month's draft from all that is known now, if no later invoice forbids it."""
        period = Period.month(label)
        months = tuple(
            BilledMonth(Period.month(name), status, True, made.billed, made.request.tax)
            for name, (status, made) in sorted(self.invoices.items())
            if name != label and status in STANDING
        )
        records = TenantRecords(self._account(), BillingHistory(period, months), self._totals())
        made = self.pricing.priced(records, period)
        if made.barred:
            return
        self.invoices[label] = (InvoiceStatus.DRAFT, made)

    def _account(self) -> Account:
        return Account(
            self.tenant,
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
            status, made = self.invoices.get(label, (None, None))
            if status is not InvoiceStatus.ISSUED:
                # A later invoice may bill late usage of it: then it stays in its treatment.
                self.treat(made.request.tax if made else self.tenant.tax)
                self.make(label)
                self.put(label, InvoiceStatus.ISSUED)
        self.treat(self.invoices[MONTHS[-1]][1].request.tax)
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

    def billed_lines(self) -> Iterator[tuple[str, str, str, int]]:
        """Returns invoice, month, treatment and cents of each line but tax, of standing ones."""
        for label, (status, made) in self.invoices.items():
            if status not in STANDING:
                continue
            for adjustment in made.request.adjustments:
                month = adjustment.description[len("Adjustment for ") :][:7]
                yield label, month, str(adjustment.tax), adjustment.amount_cents
            for line in made.quote.lines:
                if line.kind not in ("adjustment", "tax"):
                    yield label, label, made.request.tax, line.amount_cents


# Few months and much usage: chains of late usage over several invoices are then common.
ACTIONS = ("use", "use", "run", "force", "issue", "issue", "void")
steps = st.tuples(
    st.sampled_from(ACTIONS),
    st.sampled_from(MONTHS[:4]),
    st.integers(40, 200),
    st.sampled_from(DEPLOYMENTS),
)
histories = st.lists(steps, min_size=20, max_size=50)
# Of two months, one is often made again while the other bills its late usage.
taxed_histories = st.lists(
    st.tuples(
        st.sampled_from(("use", "run", "issue", "force", "again", "again", "gst", "gst_free")),
        st.sampled_from(MONTHS[:2]),
        st.integers(40, 200),
        st.just(DEPLOYMENTS[0]),
    ),
    min_size=20,
    max_size=50,
)


def _pricing(only: Plan) -> Pricing:
    catalogue: Any = Catalogue(only)
    unread: Any = None
    return Pricing(catalogue, unread, unread, "AUD")


def _played(only: Plan, terms: Mapping[str, Any], history: list[Any]) -> Ledger:
    ledger = Ledger(_pricing(only), terms)
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


def test_what_a_draft_leaves_to_a_later_invoice_stays_with_that_one_when_it_is_made_again() -> (
    None
):
    april, may, june = MONTHS[:3]
    ledger = Ledger(_pricing(plan()), {})
    # May bills 30 late hours of April, and June 5 more. April, made again, ends before those 30.
    for action, label, hours in (
        *(("use", april, 150), ("run", april, 0), ("issue", april, 0)),
        *(("use", april, 30), ("run", may, 0), ("use", april, 5), ("run", june, 0)),
        *(("issue", june, 0), ("again", april, 0), ("force", may, 0)),
        *(("issue", april, 0), ("issue", may, 0)),
    ):
        ledger.step(action, label, hours, "east")
    ledger.close()
    # Two deployments at 10 dollars, and 185 hours of which 100 are included.
    assert ledger.billed()[april] == 2000 + 85


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


@settings(max_examples=300, deadline=None)
@given(history=taxed_histories)
def test_all_of_a_month_is_taxed_alike_and_each_invoice_a_tenth_of_what_is_taxed(
    history: list[Any],
) -> None:
    ledger = Ledger(_pricing(plan()), {})
    for step in history:
        ledger.step(*step)
        _taxed_right(ledger)
    ledger.close()
    _taxed_right(ledger)


def _taxed_right(ledger: Ledger) -> None:
    treatments: dict[str, set[str]] = defaultdict(set)
    taxed: dict[str, int] = defaultdict(int)
    for invoice, month, tax, cents in ledger.billed_lines():
        treatments[month].add(tax)
        taxed[invoice] += cents if tax == "gst" else 0
    assert all(len(of_month) == 1 for of_month in treatments.values()), dict(treatments)
    for label, (status, made) in ledger.invoices.items():
        if status in STANDING:
            # Late usage only adds to a month here, so nothing is negative.
            assert made.quote.tax_cents == (taxed[label] + 5) // 10
