"""Stretches: the days of a deployment on one plan, however its subscriptions are cut."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from quote_engine.models import Plan, Subscription
from quote_engine.period import Period
from quote_engine.proration import Share, billed_days, share_of

_DAY = timedelta(days=1)


class StretchPart(NamedTuple):
    """A subscription with a day in the period: its first and last day there, and how many."""

    subscription: Subscription
    first: date
    last: date
    days: int


class Stretch(NamedTuple):
    """Subscriptions of a deployment at equal plans with no day between; in order of start.

    `days` and `usage` are those of all of them. `share` is the part of a month that its prices
    and allowances are for: a whole one if the plan is not prorated.
    """

    deployment_id: str
    plan: Plan
    parts: tuple[StretchPart, ...]
    days: int
    share: Share
    usage: Mapping[str, Decimal]


def stretches(subscriptions: Iterable[Subscription], period: Period) -> list[Stretch]:
    """Returns the stretches of one deployment's subscriptions, which are in order of start."""
    runs: list[list[StretchPart]] = []
    for subscription in subscriptions:
        days = billed_days(subscription.starts_on, subscription.ends_on, period)
        if days is None:
            continue
        part = StretchPart(subscription, *days)
        if runs and _goes_on(runs[-1][-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    return [_stretch(run, period) for run in runs]


def _goes_on(before: StretchPart, part: StretchPart) -> bool:
    """Whether nothing that the engine sees of the plan changes, and no day is left out."""
    same_plan = before.subscription.plan == part.subscription.plan
    return same_plan and before.last + _DAY == part.first


def _stretch(parts: list[StretchPart], period: Period) -> Stretch:
    first = parts[0].subscription
    plan = first.plan
    if len(parts) == 1:
        days, usage = parts[0].days, first.usage
    else:
        days, usage = sum([part.days for part in parts]), _usage(parts)
    share = share_of(days, period, plan.proration)
    return Stretch(first.deployment_id, plan, tuple(parts), days, share, usage)


def _usage(parts: list[StretchPart]) -> Mapping[str, Decimal]:
    usage: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for kind, used in part.subscription.usage.items():
            usage[kind] += used
    return usage
