"""Plans and add-ons as the API and files give them: what cannot price is refused, by place."""

import json
import re

from invoicing.accounts.account import AddonPrice
from quote_engine import InvalidRequest, Plan, parse_addon, parse_plan, plan_json

# It stands in paths and keys, and on invoices where there is no name.
CODE = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
MOST_RATES, MOST_TIERS = 50, 50
# Of the 400 KB that DynamoDB takes.
MOST_BYTES = 300_000


def read_plan(document: object) -> Plan:
    """A plan; raises InvalidRequest with every fault, as `rates[0].tiers: reason`."""
    _refuse_long(document)
    plan = parse_plan(document)
    _refuse_code(plan.code)
    size = len(json.dumps(plan_json(plan)))
    if size > MOST_BYTES:
        raise InvalidRequest((f"rates: the plan takes {size:,} bytes, over {MOST_BYTES:,}",))
    return plan


def read_addon(document: object) -> AddonPrice:
    """An add-on; raises InvalidRequest with every fault."""
    if isinstance(document, dict) and "quantity" in document:
        raise InvalidRequest(("quantity: belongs to a subscription, not to the catalogue",))
    addon = parse_addon(document)
    _refuse_code(addon.code)
    return AddonPrice(addon.code, addon.name, addon.price)


def _refuse_code(code: str) -> None:
    if not re.fullmatch(CODE, code):
        raise InvalidRequest((f"code: must match {CODE}",))


def _refuse_long(document: object) -> None:
    """Before anything of it is read: a fault of each of a million tiers would help nobody."""
    rates = document.get("rates") if isinstance(document, dict) else None
    if not isinstance(rates, list):
        return
    if len(rates) > MOST_RATES:
        raise InvalidRequest((f"rates: must be at most {MOST_RATES}, not {len(rates)}",))
    for n, rate in enumerate(rates):
        tiers = rate.get("tiers") if isinstance(rate, dict) else None
        if isinstance(tiers, list) and len(tiers) > MOST_TIERS:
            fault = f"rates[{n}].tiers: must be at most {MOST_TIERS}, not {len(tiers)}"
            raise InvalidRequest((fault,))
