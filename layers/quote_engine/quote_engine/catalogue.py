"""Plans and add-ons as plain dictionaries, in the field names of the public contract.

The decimals are canonical text: equal models have equal documents, byte for byte.
"""

from decimal import Decimal
from typing import assert_never

from quote_engine.discount import Discount
from quote_engine.models import Addon, Plan
from quote_engine.rates.charge import ZERO
from quote_engine.rates.convert import Convert
from quote_engine.rates.dispatch import Rate
from quote_engine.rates.graduated import Graduated
from quote_engine.rates.package import Package
from quote_engine.rates.per_unit import PerUnit
from quote_engine.rates.tiers import Tier, TieredRate
from quote_engine.rates.volume import Volume
from quote_engine.text import money_text, quantity_text

type Document = dict[str, object]


def plan_json(plan: Plan) -> Document:
    """What `parse_plan` reads back into an equal plan."""
    return {
        "code": plan.code,
        "name": plan.name,
        "price": money_text(plan.price),
        "proration": plan.proration,
        "rates": [rate_json(rate) for rate in plan.rates],
    }


def addon_json(addon: Addon) -> Document:
    """What `parse_addon` reads back into an equal add-on."""
    document: Document = {
        "code": addon.code,
        "price": money_text(addon.price),
        "quantity": addon.quantity,
    }
    return document if addon.name is None else {**document, "name": addon.name}


def discount_json(discount: Discount) -> Document:
    """What `parse_discount` reads back into an equal discount."""
    if discount.percent is not None:
        return {"percent": quantity_text(discount.percent)}
    return {"amount": money_text(discount.amount or ZERO)}


def rate_json(rate: Rate) -> Document:
    """The rate's common fields, then those of its model."""
    match rate:
        case PerUnit():
            return _rate(rate, "per_unit", {"unit_price": money_text(rate.unit_price)})
        case Graduated():
            return _rate(rate, "graduated", _tiers(rate))
        case Volume():
            return _rate(rate, "volume", _tiers(rate))
        case Package():
            size, dollars = quantity_text(rate.package_size), money_text(rate.package_price)
            return _rate(rate, "package", {"package_size": size, "package_price": dollars})
        case _:
            assert_never(rate)


def _rate(rate: Rate, model: str, fields: Document) -> Document:
    return {
        "resource_kind": rate.resource_kind,
        "unit": rate.unit,
        "model": model,
        "included": quantity_text(rate.included),
        **fields,
        **({} if rate.plain else _terms(rate)),
    }


def _terms(rate: Rate) -> Document:
    """Only what is set: a rate without them has the document it always had."""
    terms: Document = {}
    if rate.minimum is not None:
        terms["minimum"] = money_text(rate.minimum)
    if rate.maximum is not None:
        terms["maximum"] = money_text(rate.maximum)
    if rate.convert is not None:
        terms["convert"] = _convert(rate.convert)
    if rate.pool is not None:
        terms["pool"] = rate.pool
    return terms


def _convert(convert: Convert) -> Document:
    if convert.divide_by is not None:
        factor = {"divide_by": quantity_text(convert.divide_by)}
    else:
        factor = {"multiply_by": quantity_text(convert.multiply_by or ZERO)}
    return {**factor, "rounding": convert.rounding}


def _tiers(rate: TieredRate) -> Document:
    return {
        "tiers": [_tier(tier) for tier in rate.tiers],
        "flat_fee_at_zero": rate.flat_fee_at_zero,
    }


def _tier(tier: Tier) -> Document:
    return {
        "up_to": _open_or(tier.up_to),
        "unit_price": money_text(tier.unit_price),
        "flat_fee": money_text(tier.flat_fee),
    }


def _open_or(up_to: Decimal | None) -> str | None:
    return None if up_to is None else quantity_text(up_to)
