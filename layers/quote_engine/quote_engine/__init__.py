"""Prices a month of metered usage: pure, exact, and explained line by line.

Standard library only; no clock, no binary fractions, no input or output.
"""

from quote_engine.addon import Addon
from quote_engine.adjustment import Adjustment
from quote_engine.allocate import allocate_cents
from quote_engine.catalogue_json import addon_json, discount_json, plan_json
from quote_engine.discount import Discount
from quote_engine.faults import InvalidRequest
from quote_engine.fingerprint import RULES_VERSION, fingerprint
from quote_engine.models import Plan, QuoteRequest, Subscription
from quote_engine.parse import parse_addon, parse_discount, parse_plan, parse_request
from quote_engine.period import Period
from quote_engine.price import price
from quote_engine.price_difference import adjustments_between
from quote_engine.quote import Line, LineKind, Quote, UnpricedUsage
from quote_engine.quote_json import line_json, quote_json
from quote_engine.rates.convert import Convert
from quote_engine.rates.graduated import Graduated
from quote_engine.rates.package import Package
from quote_engine.rates.per_unit import PerUnit
from quote_engine.rates.rate_models import Rate
from quote_engine.rates.tiers import Tier
from quote_engine.rates.volume import Volume

__all__ = [
    "RULES_VERSION",
    "Addon",
    "Adjustment",
    "Convert",
    "Discount",
    "Graduated",
    "InvalidRequest",
    "Line",
    "LineKind",
    "Package",
    "PerUnit",
    "Period",
    "Plan",
    "Quote",
    "QuoteRequest",
    "Rate",
    "Subscription",
    "Tier",
    "UnpricedUsage",
    "Volume",
    "addon_json",
    "adjustments_between",
    "allocate_cents",
    "discount_json",
    "fingerprint",
    "line_json",
    "parse_addon",
    "parse_discount",
    "parse_plan",
    "parse_request",
    "plan_json",
    "price",
    "quote_json",
]
