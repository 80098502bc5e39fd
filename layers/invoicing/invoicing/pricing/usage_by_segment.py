"""Which of a period's usage belongs to which subscription of a deployment."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from invoicing.accounts.account import Segment
from invoicing.invoices.billed_usage import Quantities, SegmentUsage, is_segment, segment_key
from invoicing.usage.usage_table import EXACT, UsageTotal
from quote_engine import Period, UnpricedUsage

type Days = Callable[[str], Mapping[str, Quantities]]
"""Reads a deployment's usage of the period, day by day (`2026-04-01`)."""


def by_segment(
    segments: Sequence[Segment],
    totals: Mapping[str, UsageTotal],
    period: Period,
    days: Days,
) -> SegmentUsage:
    """The usage of each segment and, under the deployment alone, what belongs to none.

    A segment of the whole period takes the period's total, in one read. Where one begins or ends
    on the way, each gets what was used on its own days: a subscription that ended on the 10th
    bills nothing of the 25th, however many segments it had.
    """
    usage: dict[str, Quantities] = {segment_key(entry): {} for entry in segments}
    mine: dict[str, list[Segment]] = defaultdict(list)
    for entry in segments:
        mine[entry.deployment_id].append(entry)
    for name in sorted(totals):
        if name not in mine:
            usage[name] = totals[name].quantities
        elif mine[name][0].covers(period):
            usage[segment_key(mine[name][0])] = totals[name].quantities
        else:
            usage |= _by_day(name, mine[name], days(name))
    return usage


def _by_day(
    deployment_id: str, segments: Sequence[Segment], days: Mapping[str, Quantities]
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


def outside_segments(usage: SegmentUsage) -> tuple[UnpricedUsage, ...]:
    """Usage that no segment takes: after an end, before a start, or between two segments."""
    return tuple(
        UnpricedUsage(key, kind, quantity)
        for key in sorted(usage)
        if not is_segment(key)
        for kind, quantity in sorted(usage[key].items())
        if quantity
    )
