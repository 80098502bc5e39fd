"""Reads plans and add-ons from the API and from files; refuses those that cannot price."""

import json
import re
from decimal import Decimal

from invoicing.accounts.account import AddonPrice
from quote_engine import (
    Convert,
    InvalidRequest,
    Package,
    Plan,
    Rate,
    parse_addon,
    parse_plan,
    plan_json,
)
from quote_engine.limits import MONEY_DIGITS
from quote_engine.text import quantity_text

# A code appears in paths and keys, and on invoices where there is no name.
CODE = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# What else the engine knows of an add-on.
OF_SUBSCRIPTIONS = frozenset(("quantity", "starts_on", "ends_on"))
MOST_RATES, MOST_TIERS = 50, 50
# DynamoDB takes items of up to 400 KB.
MOST_BYTES = 300_000
# With these, a rate bills at most 10^34 cents for the most usage that a month can have, and an
# invoice has room for 10^38 (docs/money-rules.md, Limits).
MOST_MULTIPLY_BY, LEAST_DIVIDE_BY = Decimal(10**8), Decimal("0.00000001")
DOLLARS_A_UNIT = Decimal(10**MONEY_DIGITS)


def read_plan(body: object) -> Plan:
    """Returns the plan; raises InvalidRequest with every fault, as `rates[0].tiers: reason`."""
    _refuse_long(body)
    plan = parse_plan(body)
    _refuse_code(plan.code)
    _refuse_too_much(plan, body)
    size = len(json.dumps(plan_json(plan)))
    if size > MOST_BYTES:
        raise InvalidRequest((f"rates: the plan takes {size:,} bytes, over {MOST_BYTES:,}",))
    return plan


def read_addon(body: object) -> AddonPrice:
    """Returns the add-on; raises InvalidRequest with every fault."""
    taken = OF_SUBSCRIPTIONS & body.keys() if isinstance(body, dict) else ()
    if taken:
        text = "belongs to a subscription, not to the catalogue"
        raise InvalidRequest(tuple(f"{field}: {text}" for field in sorted(taken)))
    addon = parse_addon(body)
    _refuse_code(addon.code)
    return AddonPrice(addon.code, addon.name, addon.price)


def _refuse_too_much(plan: Plan, body: object) -> None:
    """Refuses rates of which a month of much usage would be too much for any invoice.

    Only here, not in the engine: a plan that was stored before keeps its prices.
    """
    rates = body["rates"] if isinstance(body, dict) and plan.rates else ()
    places = {rate["resource_kind"]: n for n, rate in enumerate(rates)}
    faults = [
        f"rates[{places[rate.resource_kind]}].{fault}"
        for rate in plan.rates
        for fault in _convert_faults(rate.convert) + _package_faults(rate)
    ]
    if faults:
        raise InvalidRequest(tuple(faults))


def _convert_faults(convert: Convert | None) -> list[str]:
    if convert is None:
        return []
    if convert.multiply_by is not None and convert.multiply_by > MOST_MULTIPLY_BY:
        return [f"convert.multiply_by: must be at most {quantity_text(MOST_MULTIPLY_BY)}"]
    if convert.divide_by is not None and convert.divide_by < LEAST_DIVIDE_BY:
        return [f"convert.divide_by: must be at least {quantity_text(LEAST_DIVIDE_BY)}"]
    return []


def _package_faults(rate: Rate) -> list[str]:
    """Whether a unit in a package costs more than a price may be."""
    if isinstance(rate, Package) and rate.package_price >= DOLLARS_A_UNIT * rate.package_size:
        return [f"package_price: must be less than {quantity_text(DOLLARS_A_UNIT)} for each unit"]
    return []


def _refuse_code(code: str) -> None:
    if not re.fullmatch(CODE, code):
        raise InvalidRequest((f"code: must match {CODE}",))


def _refuse_long(body: object) -> None:
    """Refuses long lists before reading them: a fault for each of a million tiers helps nobody."""
    rates = body.get("rates") if isinstance(body, dict) else None
    if not isinstance(rates, list):
        return
    if len(rates) > MOST_RATES:
        raise InvalidRequest((f"rates: must be at most {MOST_RATES}, not {len(rates)}",))
    for n, rate in enumerate(rates):
        tiers = rate.get("tiers") if isinstance(rate, dict) else None
        if isinstance(tiers, list) and len(tiers) > MOST_TIERS:
            fault = f"rates[{n}].tiers: must be at most {MOST_TIERS}, not {len(tiers)}"
            raise InvalidRequest((fault,))
