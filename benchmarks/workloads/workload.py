"""One tenant-month, as models, as a JSON request and as bare integers.

Both deployments are on the one plan of three metered kinds, for all of April, and the first has
the add-on: two base prices, one add-on, six allowances to check. One is exceeded, so with the
tax there are exactly five lines. `BUSY` exceeds all six, which makes ten.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from benchmarks.workloads.bare_loop import QUANTITY_SCALE, UNIT_PRICE_SCALE, Month
from quote_engine import Addon, Period, PerUnit, Plan, QuoteRequest, Subscription, plan_json
from quote_engine.catalogue_json import addon_json

PERIOD = Period.month("2026-04")
CURRENCY = "AUD"
SINCE = date(2026, 1, 10)
KINDS = ("droplet_hours", "egress_gb", "storage_gb")
PLAN = Plan(
    code="studio",
    name="Studio",
    price=Decimal("50.00"),
    proration="daily",
    rates=(
        PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(1488)),
        PerUnit("egress_gb", "GB", Decimal("0.02"), Decimal(1000)),
        PerUnit("storage_gb", "GB", Decimal("0.10"), Decimal(50)),
    ),
)
ADDON = Addon("storage_50gb", Decimal("7.50"))
POOLED_PLAN = replace(PLAN, rates=tuple([replace(rate, pool="tenant") for rate in PLAN.rates]))
MANY = 40


@dataclass(frozen=True, slots=True)
class SampleDeployment:
    """One deployment's add-ons and what it used, quantities as text in the order of KINDS.

    `usage` has the quantities by resource kind, as they come from storage.
    """

    name: str
    addons: tuple[Addon, ...]
    used: tuple[str, str, str]
    usage: Mapping[str, Decimal] = field(init=False)

    def __post_init__(self) -> None:
        usage = {kind: Decimal(used) for kind, used in zip(KINDS, self.used, strict=True)}
        object.__setattr__(self, "usage", usage)


ORDINARY = (
    SampleDeployment("production", (ADDON,), ("2160", "812.25", "40.5")),
    SampleDeployment("staging", (), ("720", "96.5", "12")),
)
BUSY = (
    SampleDeployment("production", (ADDON,), ("2160", "1812.25", "61.5")),
    SampleDeployment("staging", (), ("1720", "1096.5", "112.125")),
)


def rebuilt_plan() -> Plan:
    """Returns the plan, made anew with its rates, of prices that are at hand."""
    rates = [
        PerUnit(rate.resource_kind, rate.unit, rate.unit_price, rate.included)
        for rate in PLAN.rates
        if isinstance(rate, PerUnit)
    ]
    return Plan(PLAN.code, PLAN.name, PLAN.price, PLAN.proration, tuple(rates))


def every_model(deployments: tuple[SampleDeployment, ...]) -> QuoteRequest:
    """Returns the request with every model in it made anew: nothing but values is at hand."""
    plan = rebuilt_plan()
    subscriptions = []
    for deployment in deployments:
        addons = tuple([Addon(addon.code, addon.price) for addon in deployment.addons])
        usage = deployment.usage
        subscriptions.append(Subscription(deployment.name, SINCE, None, plan, addons, usage))
    period = Period(PERIOD.start, PERIOD.end)
    return QuoteRequest(period, CURRENCY, "gst", tuple(subscriptions))


def many_deployments(plan: Plan) -> QuoteRequest:
    """Returns a request of many deployments on a plan, made anew as a warm rollup makes it."""
    usage = ORDINARY[0].usage
    names = [f"deployment-{number}" for number in range(MANY)]
    subscriptions = [Subscription(name, SINCE, None, plan, (), usage) for name in names]
    return QuoteRequest(PERIOD, CURRENCY, "gst", tuple(subscriptions))


def models(deployments: tuple[SampleDeployment, ...]) -> QuoteRequest:
    """Returns the request, built from models of the catalogue as a warm rollup builds it."""
    return QuoteRequest(
        period=PERIOD,
        currency=CURRENCY,
        tax="gst",
        subscriptions=tuple(
            Subscription(deployment.name, SINCE, None, PLAN, deployment.addons, deployment.usage)
            for deployment in deployments
        ),
    )


def request_json(deployments: tuple[SampleDeployment, ...]) -> str:
    """Returns the same request as JSON, as the command line reads it."""
    request = {
        "period": {"start": PERIOD.start.isoformat(), "end": PERIOD.end.isoformat()},
        "currency": CURRENCY,
        "tax": "gst",
        "subscriptions": [
            {
                "deployment_id": deployment.name,
                "starts_on": SINCE.isoformat(),
                "ends_on": None,
                "plan": plan_json(PLAN),
                "addons": [addon_json(addon) for addon in deployment.addons],
                "usage": dict(zip(KINDS, deployment.used, strict=True)),
            }
            for deployment in deployments
        ],
    }
    return json.dumps(request)


def bare_integers(deployments: tuple[SampleDeployment, ...]) -> Month:
    """Returns the same month as the bare loop takes it: nothing but numbers."""
    monthly, metered = [], []
    for deployment in deployments:
        monthly.append((_scaled(PLAN.price, 100), 1))
        monthly += [(_scaled(addon.price, 100), addon.quantity) for addon in deployment.addons]
        for rate in PLAN.rates:
            assert isinstance(rate, PerUnit)
            used = _scaled(deployment.usage[rate.resource_kind], QUANTITY_SCALE)
            included = _scaled(rate.included, QUANTITY_SCALE)
            unit_price = _scaled(rate.unit_price, 100 * UNIT_PRICE_SCALE)
            metered.append((used, included, unit_price))
    return tuple(monthly), tuple(metered)


def _scaled(value: Decimal, scale: int) -> int:
    scaled = int(value * scale)
    assert scaled == value * scale
    return scaled
