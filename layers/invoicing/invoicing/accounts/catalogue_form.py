"""Reads plans and add-ons from the API and from files; refuses those that cannot price."""

import json
import re

from invoicing.accounts.account import AddonPrice
from quote_engine import InvalidRequest, Plan, parse_addon, parse_plan, plan_json

# A code appears in paths and keys, and on invoices where there is no name.
CODE = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# What else the engine knows of an add-on.
OF_SUBSCRIPTIONS = frozenset(("quantity", "starts_on", "ends_on"))
MOST_RATES, MOST_TIERS = 50, 50
# DynamoDB takes items of up to 400 KB.
MOST_BYTES = 300_000


def read_plan(body: object) -> Plan:
    """Returns the plan; raises InvalidRequest with every fault, as `rates[0].tiers: reason`."""
    _refuse_long(body)
    plan = parse_plan(body)
    _refuse_code(plan.code)
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
