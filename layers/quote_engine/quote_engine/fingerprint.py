"""One hash of everything that decides an invoice, and of its lines."""

import json
from hashlib import sha256

from quote_engine.catalogue_json import addon_json, discount_json, plan_json
from quote_engine.models import Plan, QuoteRequest, Subscription
from quote_engine.quote import Quote
from quote_engine.rates.shared_fields import Json
from quote_engine.text import money_text, quantity_text

RULES_VERSION = "2"
"""Goes up with every change of the money rules that can change a line."""

# The content is made here, so nothing in it can hold itself.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)


def fingerprint(request: QuoteRequest, quote: Quote) -> str:
    """Returns the SHA-256, in hex, of a request's inputs and its quote's lines as canonical JSON.

    It is the same for 1.0 and 1.00, and for any order of subscriptions, add-ons, rates and usage.
    """
    plans: dict[Plan, int] = {}
    content: Json = {
        "rules_version": RULES_VERSION,
        "period": [request.period.start.isoformat(), request.period.end.isoformat()],
        "currency": request.currency,
        "tax": request.tax,
        "subscriptions": [
            _subscription(subscription, plans.setdefault(subscription.plan, len(plans)))
            for subscription in request.subscriptions
        ],
        "plans": [plan_json(plan) for plan in plans],
        "lines": quote.lines,
    }
    treatments = [adjustment.tax or request.tax for adjustment in request.adjustments]
    if any([treatment != request.tax for treatment in treatments]):
        content["adjustment_treatments"] = treatments
    return sha256(_CANONICAL.encode(content).encode("ascii")).hexdigest()


def _subscription(subscription: Subscription, plan: int) -> Json:
    """Returns the JSON of a subscription; `plan` is the place of its plan in the list of plans."""
    ends_on = subscription.ends_on
    fields: Json = {
        "deployment_id": subscription.deployment_id,
        "starts_on": subscription.starts_on.isoformat(),
        "ends_on": None if ends_on is None else ends_on.isoformat(),
        "plan": plan,
        "addons": [addon_json(addon) for addon in subscription.addons],
        "usage": {kind: quantity_text(used) for kind, used in subscription.usage.items()},
    }
    return fields if subscription.plain else fields | _terms(subscription)


def _terms(subscription: Subscription) -> Json:
    """Returns only the terms that are set: most subscriptions have none."""
    terms: Json = {}
    if subscription.discounts:
        terms["discounts"] = [discount_json(discount) for discount in subscription.discounts]
    if subscription.minimum_commitment is not None:
        terms["minimum_commitment"] = money_text(subscription.minimum_commitment)
    return terms
