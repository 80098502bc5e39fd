"""quote == invoice, whatever the catalogue, the subscription and the usage (invariant I12).

The quote is of one subscription; what is invoiced may be cut into several with the same terms.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.accounts.account import (
    Account,
    AddonPrice,
    Segment,
    Tenant,
    read_segment,
    stored_segment_json,
)
from invoicing.accounts.subscription_form import Pins, SegmentForm
from invoicing.foundation.settings import Settings
from invoicing.invoices.billing_history import BillingHistory
from invoicing.invoices.invoice import Revision, invoice_json, new_invoice
from invoicing.pricing.quotes import Quotes, read_quote_body
from invoicing.pricing.tenant_month import Pricing
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.usage.usage_table import MonthOfUsage, UsageTotal
from quote_engine import Period, Plan, parse_plan, plan_json
from quote_engine.rates.rate_models import READERS
from tests.conftest import ENVIRONMENT

APRIL = Period.month("2026-04")
KINDS = ("api_calls", "droplet_hours", "egress_gb")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@dataclass
class Accounts:
    """The accounts table's answers, from memory; prices go through their stored form."""

    plan_text: str
    addons: Mapping[str, AddonPrice]
    stored: Account | None = None

    def account(self, _tenant_id: str) -> Account:
        """The one account."""
        assert self.stored is not None
        return self.stored

    def load_catalogue(self, _subscriptions: Iterable[Segment]) -> None:
        """Nothing to read ahead."""

    def plan(self, _code: str, _version: int) -> Plan:
        """The one plan."""
        return parse_plan(json.loads(self.plan_text))

    def addon(self, code: str, _version: int) -> AddonPrice:
        """An add-on."""
        return self.addons[code]

    def newest_version(self, _kind: str, _code: str) -> int:
        """There is one version."""
        return 1


@dataclass
class Usage:
    """The usage table's answer, from memory: all that was used in April, on one day."""

    day: date
    total: UsageTotal

    def days(self, _deployment_id: str, _period: Period) -> MonthOfUsage:
        """The one deployment's usage."""
        return MonthOfUsage({self.day.isoformat(): self.total.quantities}, self.total)


amounts = st.decimals("0", "500", places=4, allow_nan=False).map(lambda value: format(value, "f"))
discounts = st.one_of(
    st.builds(lambda percent: {"percent": percent}, st.sampled_from(["0", "2.5", "10", "100"])),
    st.builds(lambda amount: {"amount": amount}, amounts),
)
quantities = st.decimals("0", "9999", places=3, allow_nan=False)


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three tiers, the last open."""
    bounds = sorted(draw(st.sets(st.integers(1, 5000), max_size=2)))
    return [
        {"up_to": bound, "unit_price": draw(amounts), "flat_fee": draw(amounts)}
        for bound in [*map(str, bounds), None]
    ]


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    """What a rate has beside its price; nothing in most cases."""
    drawn: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        low, high = sorted([draw(amounts), draw(amounts)], key=Decimal)
        drawn |= draw(
            st.sampled_from(
                [{"minimum": low}, {"maximum": high}, {"minimum": low, "maximum": high}]
            )
        )
    if draw(st.integers(0, 2)) == 0:
        by = draw(
            st.sampled_from([{"divide_by": "3"}, {"divide_by": "1000"}, {"multiply_by": "0.7"}])
        )
        roundings = ["none", "ceiling", "floor", "half_up"]
        drawn["convert"] = by | {"rounding": draw(st.sampled_from(roundings))}
    if draw(st.integers(0, 2)) == 0:
        drawn["pool"] = "tenant"
    if draw(st.integers(0, 2)) == 0:
        drawn["name"] = "Hours of a VM"
    return drawn


@st.composite
def rates(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A rate of any model."""
    rate: dict[str, Any] = {"resource_kind": kind, "unit": "unit", **draw(terms())}
    rate["included"] = draw(st.sampled_from(["0", "100", "744.5"]))
    match draw(st.sampled_from(tuple(READERS))):
        case "per_unit":
            return rate | {"model": "per_unit", "unit_price": draw(amounts)}
        case "package":
            size = draw(st.sampled_from(["0.5", "1", "1000"]))
            return rate | {
                "model": "package",
                "package_size": size,
                "package_price": draw(amounts),
            }
        case "graduated" | "volume" as model:
            return rate | {"model": model, "tiers": draw(tiers())}
        case model:
            raise AssertionError(f"draw a rate of the model {model} here (CONTRIBUTING, step 8)")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan that prices up to three kinds."""
    kinds = draw(st.sets(st.sampled_from(KINDS), min_size=1))
    return parse_plan(
        {
            "code": "any",
            "name": "Any",
            "price": draw(amounts),
            "proration": draw(st.sampled_from(["daily", "none"])),
            "rates": [draw(rates(kind)) for kind in sorted(kinds)],
        }
    )


@st.composite
def entries(draw: st.DrawFn, code: str, first: date, last: date | None) -> list[dict[str, Any]]:
    """An add-on for all days from `first` to `last`, or for up to three runs of days of them."""
    if draw(st.booleans()):
        return [{"code": code, "quantity": draw(st.integers(1, 9))}]
    open_end = last is None
    days = ((last or date(2026, 6, 15)) - first).days
    cuts = sorted(draw(st.sets(st.integers(0, days), min_size=1, max_size=6)))
    runs = [cuts[n : n + 2] for n in range(0, len(cuts), 2)]
    return [
        {
            "code": code,
            "quantity": draw(st.integers(1, 2)),
            "starts_on": (first + timedelta(days=run[0])).isoformat(),
            "ends_on": None
            if open_end and run is runs[-1]
            else (first + timedelta(days=run[-1])).isoformat(),
        }
        for run in runs
    ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Plan, dict[str, AddonPrice], dict[str, Any]]:
    """A catalogue, and the body of a request to quote it for some days of April."""
    plan = draw(plans())
    codes = sorted(draw(st.sets(st.sampled_from(["backup", "storage"]))))
    addons = {code: AddonPrice(code, None, Decimal(draw(amounts))) for code in codes}
    starts_on = date(2026, 3, 20) + timedelta(days=draw(st.integers(0, 41)))
    ends_on = draw(st.none() | st.integers(0, 60).map(lambda n: starts_on + timedelta(days=n)))
    if ends_on is not None and ends_on < APRIL.start:
        ends_on = None
    used = {kind: draw(quantities) for kind in sorted(plan.resource_kinds)}
    body = {
        "plan": "any",
        "addons": [addon for code in codes for addon in draw(entries(code, starts_on, ends_on))],
        "usage": {kind: format(quantity, "f") for kind, quantity in used.items()},
        "period": "2026-04",
        "deployment_id": "d-1",
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat() if ends_on else None,
        "tenant_id": "acme",
        "discounts": draw(st.lists(discounts, max_size=3)),
        "minimum_commitment": draw(st.none() | amounts),
    }
    return plan, addons, body


def provisioned(body: Mapping[str, Any]) -> Segment:
    """The subscription that is set up with the same terms as the quote, as it is stored."""
    terms = ("starts_on", "ends_on", "plan", "addons", "discounts", "minimum_commitment")
    form = SegmentForm.model_validate({name: body[name] for name in terms})
    segment = Pins(lambda _kind, _code: 1).segment(form, "acme", "d-1", ())
    stored = json.loads(json.dumps(stored_segment_json(segment)))
    return read_segment("acme", "d-1", body["starts_on"], stored)


def cut(segment: Segment, days: Iterable[int]) -> tuple[Segment, ...]:
    """The segment as several, which begin on these days of April as far as they are its own."""
    parts = [segment]
    for day in sorted(days):
        first, last = APRIL.start.replace(day=day), parts[-1]
        if last.starts_on < first and last.active_on(first):
            parts[-1] = last.between(last.starts_on, first - timedelta(days=1))
            parts.append(last.between(first, last.ends_on))
    return tuple(parts)


@settings(max_examples=500, deadline=None)
@given(
    case=cases(),
    tax=st.sampled_from(["gst", "gst_free"]),
    cuts=st.just(frozenset[int]()) | st.frozensets(st.integers(1, 30), max_size=4),
)
def test_provisioned_and_metered_as_quoted_the_invoice_is_the_quote(
    case: tuple[Plan, dict[str, AddonPrice], dict[str, Any]], tax: Any, cuts: frozenset[int]
) -> None:
    plan, addons, body = case
    tenant = Tenant("acme", "Acme", "1001", tax, "reason")
    accounts: Any = Accounts(json.dumps(plan_json(plan)), addons, Account(tenant, ()))
    unread: Any = None
    configured = Settings.from_environment(ENVIRONMENT)
    request = read_quote_body(body)
    segment = provisioned(body)
    used = UsageTotal("acme", "d-1", request.usage)
    usage: Any = Usage(max(segment.starts_on, APRIL.start), used)
    pricing = Pricing(accounts, usage, unread, "AUD")
    quote = Quotes(pricing, configured).quote(request, "someone", NOW).as_json

    segments = cut(segment, cuts)
    account = Account(tenant, segments)
    totals = {"2026-04": {"d-1": used}}
    month = pricing.priced(TenantRecords(account, BillingHistory(APRIL), totals), APRIL)
    invoice = new_invoice(tenant, month.request, month.quote, Revision(1, None), month.billed)
    billed = invoice_json(invoice)

    same = ["lines", "subtotal_cents", "tax_cents", "total_cents"]
    same += ["fingerprint"] if len(segments) == 1 else []
    assert {name: billed[name] for name in same} == {name: quote[name] for name in same}
