"""Assigns a period's usage to the segments of each deployment's subscriptions."""

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
    """Returns each segment's usage and, under the deployment's id alone, usage outside them all.

    A segment of the whole period takes the period's total, which needs no read of days. If one
    begins or ends within the period, each gets the usage of its own days: a subscription that
    ended on the 10th bills nothing for the 25th, however many segments it had.
    """
    usage: dict[str, Quantities] = {segment_key(segment): {} for segment in segments}
    by_deployment: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_deployment[segment.deployment_id].append(segment)
    for deployment_id in sorted(totals):
        if deployment_id not in by_deployment:
            usage[deployment_id] = totals[deployment_id].quantities
        elif by_deployment[deployment_id][0].covers(period):
            usage[segment_key(by_deployment[deployment_id][0])] = totals[deployment_id].quantities
        else:
            usage |= _by_day(deployment_id, by_deployment[deployment_id], days(deployment_id))
    return usage


def _by_day(
    deployment_id: str, segments: Sequence[Segment], days: Mapping[str, Quantities]
) -> SegmentUsage:
    usage: dict[str, dict[str, Decimal]] = {segment_key(segment): {} for segment in segments}
    outside: dict[str, Decimal] = defaultdict(Decimal)
    for day, quantities in days.items():
        date_of_use = date.fromisoformat(day)
        active = [segment_key(segment) for segment in segments if segment.active_on(date_of_use)]
        used = usage[active[0]] if active else outside
        for kind, quantity in quantities.items():
            used[kind] = EXACT.add(used.get(kind, Decimal(0)), quantity)
    return usage | ({deployment_id: outside} if outside else {})


def outside_segments(usage: SegmentUsage) -> tuple[UnpricedUsage, ...]:
    """Returns usage that no segment takes: after an end, before a start or between segments."""
    return tuple(
        UnpricedUsage(key, kind, quantity)
        for key in sorted(usage)
        if not is_segment(key)
        for kind, quantity in sorted(usage[key].items())
        if quantity
    )
