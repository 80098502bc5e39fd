"""A deployment's month: its lines in the order in which they are printed."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from quote_engine.charged import PricedStretch
from quote_engine.commitment import top_up_lines
from quote_engine.discount_lines import discount_lines
from quote_engine.models import Subscription
from quote_engine.monthly import addon_line, monthly_lines, plan_base_line
from quote_engine.overage import overage_line
from quote_engine.overage_on_terms import overages_on_terms
from quote_engine.period import Period
from quote_engine.pooled import PoolKey
from quote_engine.proration import billed_days, share_of
from quote_engine.quote import Line, UnpricedUsage
from quote_engine.rates.charge import ZERO
from quote_engine.stretch import Stretch, stretches

type Pooled = Mapping[PoolKey, Line]


def price_deployment(
    subscriptions: Sequence[Subscription], period: Period, pooled: Pooled
) -> tuple[list[Line], list[UnpricedUsage]]:
    """Returns the lines of a deployment's subscriptions, given in order of start.

    Returns its unpriced usage, too. `pooled` has the lines of its usage in pools.
    """
    if len(subscriptions) == 1 and subscriptions[0].plain and subscriptions[0].plan.plain:
        return _price_plain(subscriptions[0], period)
    runs = stretches(subscriptions, period)
    monthly = monthly_lines(runs, period)
    priced = [
        PricedStretch(run, lines, _overages(run, pooled))
        for run, lines in zip(runs, monthly, strict=True)
    ]
    lines = [line for one in priced for line in one.lines()]
    if not all([subscription.plain for subscription in subscriptions]):
        lines += _closing_lines(priced, lines, period)
    billed = [part.subscription for run in runs for part in run.parts]
    return lines, _unpriced(subscriptions, billed)


def _price_plain(
    subscription: Subscription, period: Period
) -> tuple[list[Line], list[UnpricedUsage]]:
    """Returns the same for most deployments, which have nothing to split or to sum up."""
    plan, deployment_id, usage = subscription.plan, subscription.deployment_id, subscription.usage
    days = billed_days(subscription.starts_on, subscription.ends_on, period)
    if days is None:
        return [], _unpriced([subscription], ())
    share = share_of(days[2], period, plan.proration)
    lines = [plan_base_line(plan, deployment_id, share)]
    for addon in subscription.addons:
        lines.append(addon_line(addon, deployment_id, share))
    for rate in plan.rates:
        overage = overage_line(rate, deployment_id, usage, share)
        if overage is not None:
            lines.append(overage)
    if usage.keys() <= plan.resource_kinds:
        return lines, []
    return lines, _unpriced([subscription], [subscription])


def _overages(stretch: Stretch, pooled: Pooled) -> list[Line]:
    """Returns the lines of a stretch's usage: rules 1 to 5, once over all its days."""
    plan, deployment_id = stretch.plan, stretch.deployment_id
    if not plan.plain:
        return overages_on_terms(stretch, pooled)
    lines = []
    for rate in plan.rates:
        line = overage_line(rate, deployment_id, stretch.usage, stretch.share)
        if line is not None:
            lines.append(line)
    return lines


def _closing_lines(priced: list[PricedStretch], charges: list[Line], period: Period) -> list[Line]:
    """Returns the commitment's line, then the discounts': the order in which they are printed.

    They are computed the other way round: the commitment compares with what is left after
    discounts, so that no discount can undercut it.
    """
    discounts = discount_lines(priced)  # rule 6
    charged = sum([line.amount_cents for line in (*charges, *discounts)])
    return top_up_lines(priced, charged, period.days, bool(discounts)) + discounts  # rule 7


def _unpriced(
    subscriptions: Sequence[Subscription], billed: Sequence[Subscription]
) -> list[UnpricedUsage]:
    """Returns the usage of a deployment that no rate prices, or that has no day billed."""
    starts = {subscription.starts_on for subscription in billed}
    unpriced: dict[str, Decimal] = {}
    for subscription in subscriptions:
        priced = (
            subscription.plan.resource_kinds if subscription.starts_on in starts else frozenset()
        )
        for kind, used in subscription.usage.items():
            if used and kind not in priced:
                unpriced[kind] = unpriced.get(kind, ZERO) + used
    deployment_id = subscriptions[0].deployment_id
    return [UnpricedUsage(deployment_id, kind, unpriced[kind]) for kind in sorted(unpriced)]
