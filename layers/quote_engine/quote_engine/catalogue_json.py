"""Plans and add-ons as plain dictionaries, in the field names of the public contract.

The decimals are canonical text: equal models have equal JSON, byte for byte.
"""

from quote_engine.addon import Addon
from quote_engine.discount import Discount
from quote_engine.models import Plan
from quote_engine.rates.charge import ZERO
from quote_engine.rates.rate_models import rate_json
from quote_engine.rates.shared_fields import Json
from quote_engine.text import money_text, quantity_text


def plan_json(plan: Plan) -> Json:
    """A plan's JSON; `parse_plan` reads it back into an equal one."""
    return {
        "code": plan.code,
        "name": plan.name,
        "price": money_text(plan.price),
        "proration": plan.proration,
        "rates": [rate_json(rate) for rate in plan.rates],
    }


def addon_json(addon: Addon) -> Json:
    """An add-on's JSON; `parse_addon` reads it back into an equal one."""
    fields: Json = {
        "code": addon.code,
        "price": money_text(addon.price),
        "quantity": addon.quantity,
    }
    if addon.name is not None:
        fields["name"] = addon.name
    if addon.starts_on is not None:
        fields["starts_on"] = addon.starts_on.isoformat()
    if addon.ends_on is not None:
        fields["ends_on"] = addon.ends_on.isoformat()
    return fields


def discount_json(discount: Discount) -> Json:
    """A discount's JSON; `parse_discount` reads it back into an equal one."""
    if discount.percent is not None:
        return {"percent": quantity_text(discount.percent)}
    return {"amount": money_text(discount.amount or ZERO)}
