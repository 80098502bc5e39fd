"""Which of a period's usage belongs to which subscription of a deployment."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from invoicing.accounts import Subscription
from invoicing.billed import Quantities, SegmentUsage, segment_key
from invoicing.usage_table import EXACT, UsageTotal

type Days = Callable[[str], Mapping[str, Quantities]]
"""Reads a deployment's usage of the period, day by day (`2026-04-01`)."""


def by_segment(
    segments: Sequence[Subscription], totals: Mapping[str, UsageTotal], days: Days
) -> SegmentUsage:
    """The usage of each segment and, under the deployment alone, what belongs to none.

    A deployment with one segment gives it the month's total, in one read. After a change of plan
    each segment gets what was used on its own days.
    """
    usage: dict[str, Quantities] = {}
    number = Counter(entry.deployment_id for entry in segments)
    for entry in segments:
        if number[entry.deployment_id] == 1:
            total = totals.get(entry.deployment_id)
            usage[segment_key(entry)] = total.quantities if total else {}
    for name in sorted(totals.keys() | number.keys()):
        if number[name] == 0:
            usage[name] = totals[name].quantities
        elif number[name] > 1:
            mine = [entry for entry in segments if entry.deployment_id == name]
            usage |= _by_day(name, mine, days(name))
    return usage


def _by_day(
    deployment_id: str, segments: Sequence[Subscription], days: Mapping[str, Quantities]
) -> SegmentUsage:
    usage: dict[str, dict[str, Decimal]] = {segment_key(entry): {} for entry in segments}
    outside: dict[str, Decimal] = defaultdict(Decimal)
    for day, quantities in days.items():
        on = date.fromisoformat(day)
        active = [segment_key(entry) for entry in segments if entry.active_on(on)]
        used = usage[active[0]] if active else outside
        for kind, quantity in quantities.items():
            used[kind] = EXACT.add(used.get(kind, Decimal(0)), quantity)
    return usage | ({deployment_id: outside} if outside else {})
