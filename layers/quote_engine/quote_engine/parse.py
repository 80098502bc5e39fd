"""The public JSON contract, read into models. Raises InvalidRequest with every fault found.

Decimals are strings or integers; a JSON float is refused, and so is any field not named here.
"""

from collections.abc import Callable
from functools import partial

from quote_engine.addon import Addon, addon_quantity_fault
from quote_engine.adjustment import Adjustment
from quote_engine.currency import currency_fault
from quote_engine.discount import Discount
from quote_engine.faults import InvalidRequest
from quote_engine.limits import cents_fault, description_fault, money_fault, percent_fault
from quote_engine.models import (
    PRORATIONS,
    Plan,
    QuoteRequest,
    Subscription,
)
from quote_engine.period import Period
from quote_engine.rates.rate_models import Rate, read_rate
from quote_engine.reader import Reader, remembering
from quote_engine.tax import TAX_TREATMENTS

type ReadPlan = Callable[[Reader], Plan | None]


def parse_request(data: object) -> QuoteRequest:
    """The request of the command line, as `json.loads` gives it."""
    return _parse(data, _read_request)


def parse_plan(data: object) -> Plan:
    """A plan of the catalogue; the inverse of `plan_json`."""
    return _parse(data, _read_plan)


def parse_addon(data: object) -> Addon:
    """An add-on; the inverse of `addon_json`."""
    return _parse(data, _read_addon)


def parse_discount(data: object) -> Discount:
    """A discount; the inverse of `discount_json`."""
    return _parse(data, _read_discount)


def _parse[T](data: object, read: Callable[[Reader], T | None]) -> T:
    """Reads for the model; if anything is refused, reads once more, for all that is wrong."""
    try:
        model = Reader(data).made(read)
    except InvalidRequest:
        faults: list[str] = []
        Reader(data, faults).made(read)
        raise InvalidRequest(tuple(faults)) from None
    if model is None:  # pragma: no cover - a reader answers None only beside a fault
        raise InvalidRequest(("request: could not be read",))
    return model


def _read_request(reader: Reader) -> QuoteRequest | None:
    period = reader.child("period", _read_period)
    currency = reader.text("currency", currency_fault)
    tax = reader.choice("tax", TAX_TREATMENTS)
    read_subscription = partial(_read_subscription, remembering(_read_plan))
    subscriptions = reader.children("subscriptions", read_subscription)
    adjustments = reader.children("adjustments", _read_adjustment, default=[])
    if not reader.complete() or period is None:
        return None
    return QuoteRequest(period, currency, tax, subscriptions, adjustments)


def _read_adjustment(reader: Reader) -> Adjustment | None:
    description = reader.text("description", description_fault)
    deployment_id = reader.optional_text("deployment_id")
    resource_kind = reader.optional_text("resource_kind")
    cents = reader.whole("amount_cents", cents_fault)
    tax = reader.optional_choice("tax", TAX_TREATMENTS)
    if not reader.complete():
        return None
    return Adjustment(description, deployment_id, resource_kind, cents, tax)


def _read_period(reader: Reader) -> Period | None:
    start, end = reader.day("start"), reader.day("end")
    return Period(start, end) if reader.complete() else None


def _read_subscription(read_plan: ReadPlan, reader: Reader) -> Subscription | None:
    deployment_id = reader.text("deployment_id")
    starts_on = reader.day("starts_on")
    ends_on = reader.optional_day("ends_on")
    plan = reader.child("plan", read_plan)
    addons = reader.children("addons", _read_addon, default=[])
    usage = reader.quantities("usage")
    discounts = reader.children("discounts", _read_discount, default=[])
    commitment = reader.optional_decimal("minimum_commitment", money_fault)
    if not reader.complete() or plan is None:
        return None
    return Subscription(
        deployment_id, starts_on, ends_on, plan, addons, usage, discounts, commitment
    )


def _read_plan(reader: Reader) -> Plan | None:
    code, name = reader.text("code"), reader.text("name")
    dollars = reader.money("price")
    proration = reader.choice("proration", PRORATIONS)
    rates: tuple[Rate, ...] = reader.children("rates", read_rate, default=[])
    return Plan(code, name, dollars, proration, rates) if reader.complete() else None


def _read_addon(reader: Reader) -> Addon | None:
    code, dollars = reader.text("code"), reader.money("price")
    quantity = reader.whole("quantity", addon_quantity_fault, 1)
    name = reader.optional_text("name")
    starts_on, ends_on = reader.optional_day("starts_on"), reader.optional_day("ends_on")
    if not reader.complete():
        return None
    return Addon(code, dollars, quantity, name, starts_on, ends_on)


def _read_discount(reader: Reader) -> Discount | None:
    percent = reader.optional_decimal("percent", percent_fault)
    amount = reader.optional_decimal("amount", money_fault)
    return Discount(percent, amount) if reader.complete() else None
