"""Plans, add-ons, subscriptions and the request that is priced.

Each constructor refuses an impossible value and names its field.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Literal, get_args

from quote_engine.addon import Addon, addon_day_faults, addons_in_order, addons_within
from quote_engine.adjustment import Adjustment, adjustments_in_order
from quote_engine.currency import currency_fault
from quote_engine.discount import Discount, discounts_in_order
from quote_engine.faults import refuse
from quote_engine.limits import (
    choice_fault,
    date_fault,
    decimal_fault,
    money_fault,
    named,
    repeated,
    text_fault,
)
from quote_engine.period import Period
from quote_engine.proration import billed_days
from quote_engine.rates.pool import Owned, pool_faults
from quote_engine.rates.rate_models import RATE_MODELS, Rate
from quote_engine.rounding import round_cents
from quote_engine.tax import TAX_TREATMENTS, TaxTreatment
from quote_engine.text import money_text
from quote_engine.value import value

type Proration = Literal["daily", "none"]

PRORATIONS: tuple[Proration, ...] = get_args(Proration.__value__)

_by_kind = attrgetter("resource_kind")
_by_deployment = attrgetter("deployment_id", "starts_on")
# Sets a field of a value while it is being made; the type checker takes the value for frozen.
_set = setattr


@value
class Plan:
    """A monthly price in dollars, and the rates of its usage (kept in order of their kind).

    `price_text` and `price_cents` are a whole month's, made once for all who are on the plan.
    `plain`: none of its rates has bounds, a conversion or a pool.
    """

    code: str
    name: str
    # The other fields tell most plans apart. To hash a new Decimal costs as much as to make it.
    price: Decimal = field(hash=False)
    proration: Proration
    rates: tuple[Rate, ...] = field(default=(), hash=False)
    resource_kinds: frozenset[str] = field(init=False, repr=False, compare=False)
    plain: bool = field(default=True, init=False, repr=False, compare=False)
    price_text: str = field(init=False, repr=False, compare=False)
    price_cents: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = named(
            ("code", "name", "price", "proration", "rates"),
            text_fault(self.code),
            text_fault(self.name),
            money_fault(self.price),
            choice_fault(self.proration, PRORATIONS),
            _tuple_fault(self.rates, RATE_MODELS),
        )
        refuse(faults)
        kinds = [rate.resource_kind for rate in self.rates]
        _set(self, "resource_kinds", frozenset(kinds))
        if len(self.resource_kinds) < len(kinds):
            refuse(repeated("rates: resource_kind", kinds))
        _set(self, "rates", tuple(sorted(self.rates, key=_by_kind)))
        _set(self, "plain", all([rate.plain for rate in self.rates]))
        _set(self, "price_text", money_text(self.price))
        _set(self, "price_cents", round_cents(self.price))


@value
class Subscription:
    """One deployment on a plan, from `starts_on` to `ends_on`, both billed; None runs on.

    `usage` is the quantity of its days in the period, by resource kind. Add-ons are kept in order
    of code and first day, discounts in the order in which they act. `minimum_commitment` is in
    dollars a month, prorated if the plan is. `dated`: an add-on has days of its own; `plain`: none
    has, and there are neither discounts nor a commitment.
    """

    deployment_id: str
    starts_on: date
    ends_on: date | None
    plan: Plan
    addons: tuple[Addon, ...] = ()
    usage: Mapping[str, Decimal] = field(default_factory=dict)
    discounts: tuple[Discount, ...] = ()
    minimum_commitment: Decimal | None = None
    plain: bool = field(default=True, init=False, repr=False, compare=False)
    dated: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        commitment = self.minimum_commitment
        faults = named(
            ("deployment_id", "starts_on", "ends_on", "plan", "addons"),
            text_fault(self.deployment_id),
            date_fault(self.starts_on),
            None if self.ends_on is None else date_fault(self.ends_on),
            None if isinstance(self.plan, Plan) else "must be a Plan",
            None if self.addons == () else _tuple_fault(self.addons, (Addon,)),
        )
        if self.discounts != () or commitment is not None:
            faults += named(
                ("discounts", "minimum_commitment"),
                _tuple_fault(self.discounts, (Discount,)),
                None if commitment is None else money_fault(commitment),
            )
        refuse(faults + _usage_faults(self.usage))
        if self.ends_on is not None and self.ends_on < self.starts_on:
            faults.append("ends_on: must not be before starts_on")
        if self.addons:
            faults += self._addon_faults()
        refuse(faults)
        _set(self, "usage", dict(self.usage))
        if len(self.addons) > 1:
            _set(self, "addons", addons_in_order(self.addons, self.starts_on))
        if self.discounts:
            _set(self, "discounts", discounts_in_order(self.discounts))
        if self.discounts or self.dated or commitment is not None:
            _set(self, "plain", False)

    def _addon_faults(self) -> list[str]:
        if not any([addon.dated for addon in self.addons]):
            return repeated("addons: code", [addon.code for addon in self.addons])
        _set(self, "dated", True)
        return addon_day_faults(self.addons, self.starts_on, self.ends_on)


@value
class QuoteRequest:
    """Everything one tenant is billed for in one period, in order of deployment id and start.

    A deployment whose terms change has a subscription for each of them, each with the usage of its
    own days. `split`: there is such a deployment; `pooled`: there is a pooled rate. Add-ons are
    kept with their days in the period.

    `tax` is the treatment of the subscriptions' charges; `adjustments` are amounts of earlier
    periods (see `adjustments_between`), each with the treatment of its own.
    """

    period: Period
    currency: str
    tax: TaxTreatment
    subscriptions: tuple[Subscription, ...]
    adjustments: tuple[Adjustment, ...] = ()
    split: bool = field(default=False, init=False, repr=False, compare=False)
    pooled: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = named(
            ("period", "currency", "tax", "subscriptions", "adjustments"),
            None if isinstance(self.period, Period) else "must be a Period",
            currency_fault(self.currency),
            choice_fault(self.tax, TAX_TREATMENTS),
            _tuple_fault(self.subscriptions, (Subscription,)),
            None if self.adjustments == () else _tuple_fault(self.adjustments, (Adjustment,)),
        )
        refuse(faults)
        in_order = sorted(self.subscriptions, key=_by_deployment)
        deployments = {subscription.deployment_id for subscription in in_order}
        if len(deployments) < len(in_order):
            _set(self, "split", True)
            faults += _overlap_faults(in_order)
        pooled = _pooled_rates(in_order, self.period)
        if pooled:
            _set(self, "pooled", True)
            faults += pool_faults(pooled)
        refuse(faults)
        if any([subscription.dated for subscription in in_order]):
            in_order = [_within(subscription, self.period) for subscription in in_order]
        _set(self, "subscriptions", tuple(in_order))
        if self.adjustments:
            _set(self, "adjustments", adjustments_in_order(self.adjustments, self.tax))


def _within(subscription: Subscription, period: Period) -> Subscription:
    """Returns the subscription with its add-ons' days in the period alone.

    What lies outside the period is no part of the request, nor of its fingerprint.
    """
    if not subscription.dated:
        return subscription
    days = billed_days(subscription.starts_on, subscription.ends_on, period)
    addons = addons_within(subscription.addons, *days[:2]) if days else ()
    return replace(subscription, addons=addons)


def _overlap_faults(in_order: list[Subscription]) -> list[str]:
    """A fault for each day on which a deployment is subscribed twice.

    In order of start, two neighbours share a day if any two subscriptions do.
    """
    return [
        f"subscriptions: deployment_id {one.deployment_id!r} is subscribed twice on "
        f"{other.starts_on} (ends_on is the last day billed)"
        for one, other in pairwise(in_order)
        if one.deployment_id == other.deployment_id
        and (one.ends_on is None or one.ends_on >= other.starts_on)
    ]


def _pooled_rates(in_order: list[Subscription], period: Period) -> list[Owned]:
    """The pooled rates of subscriptions that are active in the period, with their deployment."""
    return [
        (subscription.deployment_id, rate)
        for subscription in in_order
        if not subscription.plan.plain
        and billed_days(subscription.starts_on, subscription.ends_on, period)
        for rate in subscription.plan.rates
        if rate.pool
    ]


def _usage_faults(usage: object) -> list[str]:
    # A dict is a Mapping, and to find that out for any other type takes longer than all the rest.
    if not isinstance(usage, (dict, Mapping)):
        return ["usage: must map each resource kind to a Decimal"]
    return [
        f"usage.{kind}: {fault}"
        for kind, quantity in usage.items()
        if (fault := text_fault(kind) or decimal_fault(quantity))
    ]


def _tuple_fault(value: object, members: tuple[type, ...]) -> str | None:
    if isinstance(value, tuple):
        for item in value:
            if not isinstance(item, members):
                break
        else:
            return None
    return f"must be a tuple of {' or '.join([member.__name__ for member in members])}"
