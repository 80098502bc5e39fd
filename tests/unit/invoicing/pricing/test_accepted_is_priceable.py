"""Whatever the catalogue, the forms and metering accept, a month-end can price and store.

Values are drawn at each bound and near it, for all fields at once.
"""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import NumberAttribute

from invoicing.accounts.account import Account, AddonPrice, Segment, Tenant
from invoicing.accounts.catalogue_form import read_addon, read_plan
from invoicing.accounts.subscription_form import Pins, SegmentForm
from invoicing.invoices.billed_usage import read_billed, segment_key
from invoicing.invoices.billing_history import BillingHistory
from invoicing.invoices.invoice import Revision, new_invoice
from invoicing.invoices.invoice_item import invoice_attributes, invoice_pages
from invoicing.pricing.estimates import Estimates
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from invoicing.pricing.tenant_records import TenantRecords
from invoicing.usage.usage_event import UsageEvent, read_event
from invoicing.usage.usage_table import MonthOfUsage, UsageTotal
from quote_engine import (
    InvalidRequest,
    Period,
    Plan,
    QuoteRequest,
    adjustments_between,
    discount_json,
    parse_plan,
    parse_request,
    plan_json,
    price,
    quote_json,
)
from quote_engine.catalogue_json import addon_json
from quote_engine.text import quantity_text
from tests.unit.quote_engine.oracle import expected, printed
from tests.unit.quote_engine.strategies import examples

APRIL = Period.month("2026-04")
LAST_DAY = datetime(2026, 4, 30, 12, tzinfo=UTC)
TENANT = Tenant("acme", "Acme", "1001", "gst")
TINY = "0.000000000001"
FEW = ("0", TINY, "0.005", "1", "1000")
MOST_MONEY = ("999999999999.999999999999", "999999999999", "999999999999.995")
MOST_USED = ("999999999999.999999999999", "999999999999.9999", "999999999999", "0.000000000001")
MOST_UNITS = ("99999999999999999999.999999999999", "99999999999999999999")
# Of each, what costs the most comes first.
MULTIPLY_BY = ("100000000", "99999999.999999999999", TINY, "1000")
DIVIDE_BY = ("0.00000001", "0.000000010001", *MOST_UNITS, "3")
BEYOND = {
    "money": ("1000000000000", "0.0000000000001", "-1"),
    "used": ("99999999999999999999", "1000000000000", "0.0000000000001"),
    "units": ("100000000000000000000", "0.0000000000001"),
    "multiply_by": (*MOST_UNITS, "100000000.000000000001", "0"),
    "divide_by": (TINY, "0.000000009999", "0"),
    "package": ("999999999999.999999999999",),
}


class Drawn:
    """Draws values within the bounds; in some cases one field has a value beyond them.

    `dearest` cases have all that costs the most: the value beyond, or the first of those within.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.beyond = draw(st.sampled_from(["", "", "", *BEYOND]))
        self._excess = [draw(st.sampled_from(BEYOND[self.beyond]))] if self.beyond else []
        self.dearest = draw(st.booleans())

    def one_of(self, *values: Any) -> Any:
        return self._draw(st.sampled_from(values))

    def value(self, name: str, *within: str) -> str:
        beyond = self._excess if self.beyond == name else []
        choices = [*beyond, *within][:1] if self.dearest else [*beyond, *within]
        return str(self.one_of(*choices))

    def money(self) -> str:
        return self.value("money", *MOST_MONEY, *FEW)

    def units(self) -> str:
        return self.value("units", *FEW, *MOST_UNITS)

    def rate(self, kind: str) -> dict[str, Any]:
        rate: dict[str, Any] = {"resource_kind": kind, "unit": "u" * 200}
        rate |= {"included": self.units(), "name": self.one_of(None, "n" * 200)}
        rate["pool"] = self.one_of(None, "tenant")
        rate |= self.one_of({}, {}, {"minimum": "0.01"}, {"maximum": MOST_MONEY[0]})
        by = self.one_of("multiply_by", "divide_by", None)
        if self.beyond in ("multiply_by", "divide_by"):
            by = self.beyond
        if by is not None:
            factor = self.value(by, *(MULTIPLY_BY if by == "multiply_by" else DIVIDE_BY))
            rounding = self.one_of("none", "ceiling", "floor", "half_up")
            rate["convert"] = {by: factor, "rounding": rounding}
        models = ("per_unit", "package", "graduated", "volume")
        return rate | self.own_fields(
            "package" if self.beyond == "package" else self.one_of(*models)
        )

    def own_fields(self, model: str) -> dict[str, Any]:
        if model == "per_unit":
            return {"model": model, "unit_price": self.money()}
        if model == "package":
            # The dearest unit that a package may have.
            size, most = self.one_of((TINY, "0.999999999999"), ("0.5", "499999999999"))
            return {
                "model": model,
                "package_size": size,
                "package_price": self.value("package", most),
            }
        ends = self.one_of([], ["0.000000000001"], ["5", MOST_UNITS[0]])
        tiers = [
            {"up_to": end, "unit_price": self.money(), "flat_fee": self.money()}
            for end in [*ends, None]
        ]
        return {"model": model, "tiers": tiers, "flat_fee_at_zero": self.one_of(True, False)}

    def plan(self) -> dict[str, Any]:
        names = {"code": "c" * 64, "name": "n" * 200, "proration": self.one_of("daily", "none")}
        rates = [self.rate(kind) for kind in ("egress", "hours")]
        return {**names, "price": self.money(), "rates": rates}

    def segment(self) -> dict[str, Any]:
        discount = self.one_of({"percent": "100"}, {"percent": TINY}, {"amount": MOST_MONEY[0]})
        return {
            "starts_on": self.one_of("0001-01-01", "2026-04-01", "2026-04-16"),
            "ends_on": self.one_of(None, "2026-04-29", "9999-12-31"),
            "plan": "c" * 64,
            "addons": self.one_of([], [{"code": "a" * 64, "quantity": 1_000_000_000}]),
            "discounts": self.one_of([], [discount] * 20),
            "minimum_commitment": self.one_of(None, *MOST_MONEY),
        }

    def used(self) -> dict[str, str]:
        return {kind: self.value("used", *MOST_USED, "0") for kind in ("egress", "hours", "idle")}


class Known:
    """What the accounts table and the usage table answer, from memory."""

    def __init__(self, plan: Plan, addon: AddonPrice) -> None:
        self._plan, self._addon = plan, addon
        self.days_of: dict[str, MonthOfUsage] = {}

    def plan(self, _code: str, _version: int) -> Plan:
        return parse_plan(json.loads(json.dumps(plan_json(self._plan))))

    def addon(self, _code: str, _version: int) -> AddonPrice:
        return self._addon

    def days(self, deployment_id: str, _period: Period) -> MonthOfUsage:
        return self.days_of[deployment_id]


def accepted_usage(used: dict[str, str]) -> dict[str, Decimal] | None:
    """Counts one event of each kind, which may be all that a month has; None if one is refused."""
    times = {"occurred_at": "2026-04-20T00:00:00Z", "deployment_id": "d", "source": "s"}
    events = [
        read_event({"id": kind, "resource_kind": kind, "quantity": text, **times}, LAST_DAY)
        for kind, text in used.items()
    ]
    counted = [event for event in events if isinstance(event, UsageEvent)]
    if len(counted) < len(events):
        return None
    return {event.resource_kind: event.quantity for event in counted}


type Accepted = tuple[Known, list[Segment], dict[str, dict[str, Decimal]]]


@st.composite
def accepted(draw: st.DrawFn) -> Accepted | None:
    """Draws a plan and three deployments; None if a part of it was refused, as it may be."""
    drawn = Drawn(draw)
    addon_price = drawn.one_of(*MOST_MONEY)
    try:
        plan = read_plan(drawn.plan())
    except InvalidRequest:
        assert drawn.beyond
        return None
    known = Known(plan, read_addon({"code": "a" * 64, "price": addon_price}))
    segments, usage = [], {}
    for deployment_id in ("a", "b", "c" * 64):
        form = SegmentForm.model_validate(drawn.segment())
        segments.append(Pins(lambda _kind, _code: 1).segment(form, "acme", deployment_id, ()))
        quantities = accepted_usage(drawn.used())
        if quantities is None:
            assert drawn.beyond
            return None
        usage[deployment_id] = quantities
    return known, segments, usage


def pricing_of(known: Any) -> Pricing:
    unread: Any = None
    return Pricing(known, known, unread, "AUD")


def priced(case: Accepted) -> PricedMonth:
    """Prices the month from what is stored, as a rollup does."""
    known, segments, usage = case
    totals = {name: UsageTotal("acme", name, used) for name, used in usage.items()}
    known.days_of = {
        name: MonthOfUsage({"2026-04-20": total.quantities}, total)
        for name, total in totals.items()
    }
    records = TenantRecords(
        Account(TENANT, tuple(segments)), BillingHistory(APRIL), {"2026-04": totals}
    )
    return pricing_of(known).priced(records, APRIL)


def request_json(request: QuoteRequest) -> dict[str, Any]:
    """The request as somebody would give it to the command line."""

    def day(value: date | None) -> str | None:
        return value.isoformat() if value else None

    return {
        "period": {"start": "2026-04-01", "end": "2026-05-01"},
        "currency": request.currency,
        "tax": request.tax,
        "subscriptions": [
            {
                "deployment_id": one.deployment_id,
                "starts_on": day(one.starts_on),
                "ends_on": day(one.ends_on),
                "plan": plan_json(one.plan),
                "addons": [addon_json(addon) for addon in one.addons],
                "usage": {kind: quantity_text(used) for kind, used in one.usage.items()},
                "discounts": [discount_json(discount) for discount in one.discounts],
                "minimum_commitment": None
                if one.minimum_commitment is None
                else quantity_text(one.minimum_commitment),
            }
            for one in request.subscriptions
        ],
    }


@examples(400)
@given(case=accepted())
def test_what_is_accepted_is_priced_to_the_cent(case: Accepted | None) -> None:
    if case is None:
        return
    month = priced(case)
    quote = month.quote
    assert [printed(line) for line in quote.lines] == expected(month.request).lines
    assert quote.subtotal_cents == sum(line.amount_cents for line in quote.lines[:-1])
    assert quote.total_cents == quote.subtotal_cents + quote.tax_cents
    read = parse_request(json.loads(json.dumps(request_json(month.request))))
    assert read == month.request
    shown = quote_json(read, price(read))
    assert json.loads(json.dumps(shown)) == quote_json(month.request, price(month.request))


@examples(200)
@given(case=accepted())
def test_what_is_accepted_is_stored(case: Accepted | None) -> None:
    if case is None:
        return
    month = priced(case)
    invoice = new_invoice(TENANT, month.request, month.quote, Revision(1, None), month.billed)
    pages = invoice_pages(invoice)
    attributes = invoice_attributes(invoice, "attempt", pages)
    for name in ("subtotal_cents", "tax_cents", "total_cents"):
        serialize: Any = NumberAttribute().serialize
        text = serialize(attributes[name])
        assert len(text.strip("-")) <= 38
    entries = [entry for page in pages for entry in json.loads(page.billed)]
    assert read_billed("acme", entries).usage == month.billed.usage


@examples(200)
@given(case=accepted(), before=st.sampled_from(["0", TINY, "500000000000"]))
def test_late_usage_of_what_is_accepted_is_billed(case: Accepted | None, before: str) -> None:
    if case is None:
        return
    known, segments, usage = case
    requests = []
    for used in ({kind: Decimal(before) for kind in ("egress", "hours")}, None):
        of_segment = {segment_key(one): used or usage[one.deployment_id] for one in segments}
        requests.append(pricing_of(known).request("gst", segments, APRIL, of_segment))
    then, now = requests
    late = adjustments_between(then, now)
    difference = price(now).subtotal_cents - price(then).subtotal_cents
    assert sum(one.amount_cents for one in late) == difference
    bill = pricing_of(known).request("gst", [], APRIL, {}, late)
    assert price(bill).subtotal_cents == difference


@examples(200)
@given(case=accepted(), day=st.integers(1, 30))
def test_a_running_month_of_what_is_accepted_is_projected(case: Accepted | None, day: int) -> None:
    if case is None:
        return
    month = priced(case)

    class Prices:
        def month(self, _tenant_id: str, _period: Period) -> PricedMonth:
            return month

    pricing: Any = Prices()
    now = datetime(2026, 4, day, 12, tzinfo=UTC)
    estimate = Estimates(pricing, ZoneInfo("UTC")).estimate("acme", APRIL, now)
    assert json.loads(json.dumps(estimate)) == estimate
