"""A deployment's subscription over time: segments of days, each with its own terms."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from invoicing.accounts.account import InvalidAccount, Segment
from invoicing.accounts.addons import DAY

MOST_SEGMENTS = 200


class NotRunning(InvalidAccount):
    """No segment of the deployment includes this day."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A tenant's deployment and its segments, in order of their first day."""

    tenant_id: str
    deployment_id: str
    segments: tuple[Segment, ...]


def first_overlap(segments: Iterable[Segment]) -> tuple[Segment, Segment] | None:
    """Returns the first two segments that share a day (both dates are billed), or None.

    In order of first day, two neighbours share a day if any two segments do.
    """
    for earlier, later in pairwise(sorted(segments, key=lambda segment: segment.starts_on)):
        if earlier.ends_on is None or earlier.ends_on >= later.starts_on:
            return earlier, later
    return None


def segment_for(segments: Iterable[Segment], day: date, plan: str) -> Segment | None:
    """Returns the stored segment whose versions a segment from this day keeps, or None.

    It is the one that includes the day. If there is none, a first day may have been moved: then it
    is the nearest one on the same plan.
    """
    stored = list(segments)
    for segment in stored:
        if segment.active_on(day):
            return segment
    same_plan = [segment for segment in stored if segment.plan_code == plan]
    return min(same_plan, key=lambda segment: abs(segment.starts_on - day), default=None)


def with_segments(deployment: Deployment, segments: Iterable[Segment]) -> Deployment:
    """Returns the deployment with these segments too; each replaces one with its first day.

    Raises InvalidAccount when two would share a day, or when there would be too many.
    """
    by_day = {segment.starts_on: segment for segment in deployment.segments}
    by_day |= {segment.starts_on: segment for segment in segments}
    in_order = tuple(by_day[day] for day in sorted(by_day))
    if overlap := first_overlap(in_order):
        earlier, later = overlap
        raise InvalidAccount(
            f"starts_on: {later.starts_on} overlaps the subscription from {earlier.starts_on}"
        )
    if len(in_order) > MOST_SEGMENTS:
        raise InvalidAccount(f"deployment_id: has more than {MOST_SEGMENTS} segments")
    return replace(deployment, segments=in_order)


def changed_from(
    deployment: Deployment, day: date, change: Callable[[Segment], Segment]
) -> Deployment:
    """Returns the deployment with new terms from this day to the end of the segment it is in.

    That segment then ends on the day before; a segment that begins on this very day is changed as
    a whole. `change` takes the segment from this day on and returns it with the new terms. If only
    the add-ons differ, the segment goes on, and its add-ons begin and end within it. The same
    terms change nothing. Raises NotRunning, and InvalidAccount for too many segments or add-ons.
    """
    running = _running(deployment, day)
    later = running.between(day, running.ends_on)
    changed = change(later)
    if changed == later:
        return deployment
    if running.starts_on == day:
        return with_segments(deployment, [changed])
    earlier = running.between(running.starts_on, day - DAY)
    if changed == replace(later, addons=changed.addons):
        return with_segments(deployment, [_as_one(earlier, changed)])
    return with_segments(deployment, [earlier, changed])


def _as_one(earlier: Segment, later: Segment) -> Segment:
    """Returns both as one segment, in which each add-on keeps its days."""
    last, first = earlier.ends_on, later.starts_on
    ended = [replace(choice, ends_on=choice.ends_on or last) for choice in earlier.addons]
    begun = [replace(choice, starts_on=choice.starts_on or first) for choice in later.addons]
    return replace(earlier, ends_on=later.ends_on, addons=(*ended, *begun))


def ended_on(deployment: Deployment, day: date) -> Deployment:
    """Returns the deployment with this as its last billed day, with nothing that begins after it.

    Raises NotRunning.
    """
    running = _running(deployment, day)
    ending = running.between(running.starts_on, day)
    earlier = (segment for segment in deployment.segments if segment.starts_on < ending.starts_on)
    return replace(deployment, segments=(*earlier, ending))


def _running(deployment: Deployment, day: date) -> Segment:
    for segment in deployment.segments:
        if segment.active_on(day):
            return segment
    raise NotRunning(f"no subscription of {deployment.deployment_id} runs on {day}")
