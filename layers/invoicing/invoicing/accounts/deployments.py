"""A deployment's subscriptions through time: segments of days, each with terms of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from invoicing.accounts.account import InvalidAccount, Segment

MOST_SEGMENTS = 200
DAY = timedelta(days=1)


class NotRunning(InvalidAccount):
    """No segment of the deployment has this day."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A tenant's deployment and its segments, in order of their first day."""

    tenant_id: str
    deployment_id: str
    segments: tuple[Segment, ...]


def first_overlap(segments: Iterable[Segment]) -> tuple[Segment, Segment] | None:
    """The first two segments that share a day (both dates of each are billed), or None.

    Of segments in order of first day, two neighbours share one if any two do.
    """
    for one, other in pairwise(sorted(segments, key=lambda each: each.starts_on)):
        if one.ends_on is None or one.ends_on >= other.starts_on:
            return one, other
    return None


def segment_for(segments: Iterable[Segment], day: date, plan: str) -> Segment | None:
    """The stored segment whose versions a segment from this day goes on with, or None.

    The one that has the day; else, for a first day that is moved, the nearest on the same plan.
    """
    found = list(segments)
    for each in found:
        if each.active_on(day):
            return each
    same = [each for each in found if each.plan_code == plan]
    return min(same, key=lambda each: abs(each.starts_on - day), default=None)


def with_segments(deployment: Deployment, segments: Iterable[Segment]) -> Deployment:
    """With these segments beside its own, each in the place of one with the same first day.

    Raises InvalidAccount when two would share a day, or there would be too many.
    """
    by_day = {each.starts_on: each for each in deployment.segments}
    by_day |= {each.starts_on: each for each in segments}
    found = tuple(by_day[day] for day in sorted(by_day))
    if overlap := first_overlap(found):
        one, other = overlap
        raise InvalidAccount(
            f"starts_on: {other.starts_on} overlaps the subscription from {one.starts_on}"
        )
    if len(found) > MOST_SEGMENTS:
        raise InvalidAccount(f"deployment_id: has more than {MOST_SEGMENTS} segments")
    return replace(deployment, segments=found)


def changed_from(
    deployment: Deployment, day: date, change: Callable[[Segment], Segment]
) -> Deployment:
    """With other terms from this day on, until the end of the segment that has it.

    That segment then ends on the day before; a segment that begins on this very day is changed as
    a whole. `change` is given the segment and answers it with the new terms; the same terms change
    nothing. Raises NotRunning.
    """
    running = _running(deployment, day)
    changed = change(running)
    if changed == running:
        return deployment
    parts = [replace(changed, starts_on=day)]
    if running.starts_on < day:
        parts.append(replace(running, ends_on=day - DAY))
    return with_segments(deployment, parts)


def ended_on(deployment: Deployment, day: date) -> Deployment:
    """With this as the last day that is billed; segments that begin later are gone.

    Raises NotRunning.
    """
    ending = replace(_running(deployment, day), ends_on=day)
    kept = (each for each in deployment.segments if each.starts_on < ending.starts_on)
    return replace(deployment, segments=(*kept, ending))


def _running(deployment: Deployment, day: date) -> Segment:
    for segment in deployment.segments:
        if segment.active_on(day):
            return segment
    raise NotRunning(f"no subscription of {deployment.deployment_id} runs on {day}")
