"""What is priced. Each constructor refuses an impossible value and names its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Literal, get_args

from quote_engine.faults import refuse
from quote_engine.limits import (
    ADDON_QUANTITY,
    choice_fault,
    date_fault,
    decimal_fault,
    money_fault,
    named,
    repeated,
    text_fault,
)
from quote_engine.period import Period
from quote_engine.rates.dispatch import RATE_MODELS, Rate
from quote_engine.rounding import round_cents
from quote_engine.text import money_text

type Proration = Literal["daily", "none"]
type TaxTreatment = Literal["gst", "gst_free"]

PRORATIONS: tuple[Proration, ...] = get_args(Proration.__value__)
TAX_TREATMENTS: tuple[TaxTreatment, ...] = get_args(TaxTreatment.__value__)


@dataclass(frozen=True, slots=True)
class Plan:
    """A monthly price in dollars, and the rates of its usage (kept in order of their kind).

    `price_text` and `price_cents` are a whole month's, made once for all who are on the plan.
    """

    code: str
    name: str
    price: Decimal
    proration: Proration
    rates: tuple[Rate, ...] = ()
    resource_kinds: frozenset[str] = field(init=False, repr=False, compare=False)
    price_text: str = field(init=False, repr=False, compare=False)
    price_cents: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = named(
            code=text_fault(self.code),
            name=text_fault(self.name),
            price=money_fault(self.price),
            proration=choice_fault(self.proration, PRORATIONS),
            rates=_tuple_fault(self.rates, RATE_MODELS),
        )
        refuse(faults)
        kinds = [rate.resource_kind for rate in self.rates]
        refuse(repeated("rates: resource_kind", kinds))
        _set(self, "rates", tuple(sorted(self.rates, key=attrgetter("resource_kind"))))
        _set(self, "resource_kinds", frozenset(kinds))
        _set(self, "price_text", money_text(self.price))
        _set(self, "price_cents", round_cents(self.price))


@dataclass(frozen=True, slots=True)
class Addon:
    """`quantity` of an extra at `price` dollars a month each; prorated if the plan is."""

    code: str
    price: Decimal
    quantity: int = 1
    name: str | None = None

    def __post_init__(self) -> None:
        refuse(
            named(
                code=text_fault(self.code),
                price=money_fault(self.price),
                quantity=addon_quantity_fault(self.quantity),
                name=None if self.name is None else text_fault(self.name),
            )
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """One deployment on a plan, from `starts_on` to `ends_on`, both billed; None runs on.

    `usage` is the period's total quantity by resource kind. Add-ons are kept in order of code.
    """

    deployment_id: str
    starts_on: date
    ends_on: date | None
    plan: Plan
    addons: tuple[Addon, ...] = ()
    usage: Mapping[str, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = named(
            deployment_id=text_fault(self.deployment_id),
            starts_on=date_fault(self.starts_on),
            ends_on=None if self.ends_on is None else date_fault(self.ends_on),
            plan=None if isinstance(self.plan, Plan) else "must be a Plan",
            addons=_tuple_fault(self.addons, (Addon,)),
        )
        refuse(faults + _usage_faults(self.usage))
        if self.ends_on is not None and self.ends_on < self.starts_on:
            faults.append("ends_on: must not be before starts_on")
        refuse(faults + repeated("addons: code", [addon.code for addon in self.addons]))
        _set(self, "addons", tuple(sorted(self.addons, key=attrgetter("code"))))
        _set(self, "usage", dict(self.usage))


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Everything one tenant is billed for in one period, in order of deployment id."""

    period: Period
    currency: str
    tax: TaxTreatment
    subscriptions: tuple[Subscription, ...]

    def __post_init__(self) -> None:
        faults = named(
            period=None if isinstance(self.period, Period) else "must be a Period",
            currency=currency_fault(self.currency),
            tax=choice_fault(self.tax, TAX_TREATMENTS),
            subscriptions=_tuple_fault(self.subscriptions, (Subscription,)),
        )
        refuse(faults)
        ids = [subscription.deployment_id for subscription in self.subscriptions]
        refuse(repeated("subscriptions: deployment_id", ids))
        in_order = sorted(self.subscriptions, key=attrgetter("deployment_id"))
        _set(self, "subscriptions", tuple(in_order))


def addon_quantity_fault(value: object) -> str | None:
    """A whole number from one to a thousand million."""
    if type(value) is not int:
        return f"must be a whole number, not {type(value).__name__}"
    return None if 1 <= value <= ADDON_QUANTITY else f"must be from 1 to {ADDON_QUANTITY}"


def currency_fault(value: object) -> str | None:
    """Three upper-case letters, as in ISO 4217."""
    good = isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)
    return None if good else "must be 3 upper-case letters"


def _usage_faults(usage: object) -> list[str]:
    if not isinstance(usage, Mapping):
        return ["usage: must map each resource kind to a Decimal"]
    return [
        f"usage.{kind}: {fault}"
        for kind, quantity in usage.items()
        if (fault := text_fault(kind) or decimal_fault(quantity))
    ]


def _tuple_fault(value: object, members: tuple[type, ...]) -> str | None:
    names = " or ".join(member.__name__ for member in members)
    good = isinstance(value, tuple) and all(isinstance(item, members) for item in value)
    return None if good else f"must be a tuple of {names}"


def _set(model: object, name: str, value: object) -> None:
    """Set a field of a frozen dataclass while it is being made."""
    object.__setattr__(model, name, value)
