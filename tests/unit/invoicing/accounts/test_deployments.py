"""Segments of a deployment: changed from a day, ended, and never two on one day."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.accounts.account import InvalidAccount, Segment
from invoicing.accounts.deployments import (
    Deployment,
    NotRunning,
    changed_from,
    ended_on,
    first_overlap,
    with_segments,
)


def segment(starts_on: str, ends_on: str | None = None, plan: str = "studio") -> Segment:
    """A segment of the deployment `web`."""
    last = date.fromisoformat(ends_on) if ends_on else None
    return Segment("acme", "web", date.fromisoformat(starts_on), last, plan, 1)


def deployment(*segments: Segment) -> Deployment:
    return Deployment("acme", "web", segments)


def days(deployed: Deployment) -> list[tuple[str, str | None, str]]:
    """First day, last day and plan of each segment."""
    return [
        (
            segment.starts_on.isoformat(),
            segment.ends_on.isoformat() if segment.ends_on else None,
            segment.plan_code,
        )
        for segment in deployed.segments
    ]


def moved(running: Segment) -> Segment:
    return replace(running, plan_code="growth")


JANUARY = segment("2026-01-10")
SPLIT = deployment(segment("2026-01-10", "2026-04-15"), segment("2026-04-16", plan="growth"))


def test_a_change_ends_the_old_terms_on_the_day_before() -> None:
    changed = changed_from(deployment(JANUARY), date(2026, 4, 16), moved)
    assert days(changed) == [
        ("2026-01-10", "2026-04-15", "studio"),
        ("2026-04-16", None, "growth"),
    ]
    # The same change once more does nothing.
    assert changed_from(changed, date(2026, 4, 16), moved) == changed


def test_a_change_from_the_first_day_is_of_the_whole_segment() -> None:
    changed = changed_from(deployment(JANUARY), date(2026, 1, 10), moved)
    assert days(changed) == [("2026-01-10", None, "growth")]


def test_a_change_lasts_until_the_segments_own_end() -> None:
    changed = changed_from(SPLIT, date(2026, 2, 1), moved)
    assert days(changed) == [
        ("2026-01-10", "2026-01-31", "studio"),
        ("2026-02-01", "2026-04-15", "growth"),
        ("2026-04-16", None, "growth"),
    ]


def test_a_change_to_the_same_terms_splits_nothing() -> None:
    unchanged = deployment(JANUARY)
    assert changed_from(unchanged, date(2026, 4, 16), lambda running: running) == unchanged


def test_an_end_is_the_last_day_billed() -> None:
    ended = ended_on(deployment(JANUARY), date(2026, 6, 30))
    assert days(ended) == [("2026-01-10", "2026-06-30", "studio")]
    assert ended_on(ended, date(2026, 6, 30)) == ended
    # It may be moved to an earlier day, not to a later one.
    assert days(ended_on(ended, date(2026, 1, 10))) == [("2026-01-10", "2026-01-10", "studio")]
    with pytest.raises(NotRunning, match="no subscription of web runs on 2026-07-01"):
        ended_on(ended, date(2026, 7, 1))


def test_an_end_takes_what_would_begin_later_with_it() -> None:
    assert days(ended_on(SPLIT, date(2026, 4, 15))) == [("2026-01-10", "2026-04-15", "studio")]
    assert days(ended_on(SPLIT, date(2026, 4, 16)))[1] == ("2026-04-16", "2026-04-16", "growth")


@pytest.mark.parametrize("day", [date(2026, 1, 9), date.min])
def test_before_the_first_day_nothing_can_change(day: date) -> None:
    with pytest.raises(NotRunning):
        changed_from(SPLIT, day, moved)
    with pytest.raises(NotRunning):
        ended_on(SPLIT, day)


@pytest.mark.parametrize(
    ("segments", "overlap"),
    [
        ([("2026-01-01", "2026-01-31"), ("2026-02-01", None)], False),
        ([("2026-02-01", None), ("2026-01-01", "2026-01-31")], False),
        ([("2026-01-01", "2026-02-01"), ("2026-02-01", None)], True),
        ([("2026-01-01", None), ("2027-01-01", "2027-01-01")], True),
        ([("2026-01-01", "2026-12-31"), ("2026-03-01", "2026-03-02")], True),
        ([("2026-01-01", "2026-01-01"), ("2026-01-01", "2026-01-01")], True),
    ],
)
def test_both_dates_of_a_segment_are_its_own(
    segments: list[tuple[str, str | None]], overlap: bool
) -> None:
    both = [segment(*dates) for dates in segments]
    assert (first_overlap(both) is not None) is overlap


def test_segments_come_beside_others_or_in_their_place() -> None:
    ended = segment("2026-01-10", "2026-03-31")
    combined = with_segments(deployment(JANUARY), [segment("2026-04-01"), ended])
    assert days(combined) == [
        ("2026-01-10", "2026-03-31", "studio"),
        ("2026-04-01", None, "studio"),
    ]
    with pytest.raises(
        InvalidAccount, match="2026-03-31 overlaps the subscription from 2026-01-10"
    ):
        with_segments(combined, [segment("2026-03-31", "2026-03-31")])


def test_a_deployment_has_at_most_200_segments() -> None:
    many = [segment(f"{1900 + n}-01-01", f"{1900 + n}-01-01") for n in range(201)]
    assert len(with_segments(deployment(), many[:200]).segments) == 200
    with pytest.raises(InvalidAccount, match="more than 200"):
        with_segments(deployment(), many)


def billed_days(segments: Iterable[Segment]) -> dict[date, str]:
    """The plan of each day of 2026 that is billed."""
    year = [date.fromordinal(n) for n in range(date(2026, 1, 1).toordinal(), 739982)]
    return {
        day: segment.plan_code for segment in segments for day in year if segment.active_on(day)
    }


in_2026 = st.dates(date(2026, 1, 1), date(2026, 12, 31))
steps = st.tuples(st.sampled_from(["change", "end"]), in_2026, st.sampled_from(["a", "b"]))


@given(st.lists(steps, max_size=12))
def test_whatever_is_changed_and_ended_each_day_has_the_terms_last_given_to_it(
    history: list[tuple[str, date, str]],
) -> None:
    web, by_day = deployment(segment("2026-01-01")), billed_days([segment("2026-01-01")])
    for action, day, plan in history:
        if day not in by_day:
            with pytest.raises(NotRunning):
                ended_on(web, day)
            continue
        if action == "end":
            web = ended_on(web, day)
            by_day = {billed: terms for billed, terms in by_day.items() if billed <= day}
        else:
            # Until the end of the segment; for that the oracle looks at the deployment itself.
            [until] = [segment.ends_on for segment in web.segments if segment.active_on(day)]
            web = changed_from(web, day, partial(replace, plan_code=plan))
            changed = {billed for billed in by_day if day <= billed <= (until or date.max)}
            by_day |= dict.fromkeys(changed, plan)
        assert billed_days(web.segments) == by_day
        assert first_overlap(web.segments) is None
        assert all(
            earlier.starts_on < later.starts_on for earlier, later in pairwise(web.segments)
        )
