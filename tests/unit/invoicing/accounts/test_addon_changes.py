"""Changes of add-ons: they begin and end within their segment, and no day is lost or added."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.accounts.account import InvalidAccount, Segment, read_segment, stored_segment_json
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.deployments import Deployment, NotRunning, changed_from, ended_on
from invoicing.accounts.subscription_form import ChangeForm, Pins
from quote_engine import Discount

JANUARY = Segment("acme", "web", date(2026, 1, 10), None, "studio", 1)
PINS = Pins(lambda _kind, _code: 1)

type Written = tuple[str, str | None, str | None]


def started(*addons: Written, ends_on: date | None = None) -> Deployment:
    """The deployment `web` with one segment from 10 January."""
    choices = tuple(
        AddonChoice(
            code,
            1,
            starts_on=date.fromisoformat(first) if first else None,
            ends_on=date.fromisoformat(last) if last else None,
        )
        for code, first, last in addons
    )
    return Deployment("acme", "web", (replace(JANUARY, ends_on=ends_on, addons=choices),))


def change(deployment: Deployment, day: str, *addons: dict[str, Any], **terms: Any) -> Deployment:
    """Changes the deployment as `POST .../changes` does."""
    form = ChangeForm.model_validate({"from": day, "addons": addons} | terms)
    return changed_from(deployment, form.first_day, lambda later: PINS.changed(form, later))


def keep_addons(deployment: Deployment, day: str, **terms: Any) -> Deployment:
    """Changes other terms, and says nothing of add-ons."""
    form = ChangeForm.model_validate({"from": day} | terms)
    return changed_from(deployment, form.first_day, lambda later: PINS.changed(form, later))


def written(deployment: Deployment) -> list[list[Written]]:
    """The add-ons of each segment, with a quantity before the code if it is not 1."""
    return [
        [
            (
                choice.code if choice.quantity == 1 else f"{choice.quantity} {choice.code}",
                choice.starts_on.isoformat() if choice.starts_on else None,
                choice.ends_on.isoformat() if choice.ends_on else None,
            )
            for choice in segment.addons
        ]
        for segment in deployment.segments
    ]


STORAGE = ("storage", None, None)


@pytest.mark.parametrize(
    ("before", "addons", "after"),
    [
        # One is added.
        ([], [{"code": "storage"}], [("storage", "2026-04-16", None)]),
        # One goes on while another is added.
        (
            [STORAGE],
            [{"code": "storage"}, {"code": "ip"}],
            [("ip", "2026-04-16", None), STORAGE],
        ),
        # One is dropped.
        ([STORAGE], [], [("storage", None, "2026-04-15")]),
        # Another quantity.
        (
            [STORAGE],
            [{"code": "storage", "quantity": 2}],
            [("storage", None, "2026-04-15"), ("2 storage", "2026-04-16", None)],
        ),
        # Another version.
        (
            [STORAGE],
            [{"code": "storage", "version": 2}],
            [("storage", None, "2026-04-15"), ("storage", "2026-04-16", None)],
        ),
        # What would begin on that day or later is replaced by the list.
        ([("ip", "2026-05-01", None)], [], []),
        ([("ip", "2026-04-16", None)], [{"code": "storage"}], [("storage", "2026-04-16", None)]),
        (
            [("ip", "2026-05-01", "2026-05-31")],
            [{"code": "ip", "starts_on": "2026-05-02"}],
            [("ip", "2026-05-02", None)],
        ),
        # What ended before it stays.
        (
            [("ip", None, "2026-04-14")],
            [{"code": "ip"}],
            [("ip", None, "2026-04-14"), ("ip", "2026-04-16", None)],
        ),
        # What ended on the day before goes on.
        ([("ip", None, "2026-04-15")], [{"code": "ip"}], [("ip", None, None)]),
        # The list says how long: an end that it does not repeat is gone.
        ([("ip", None, "2026-06-30")], [{"code": "ip"}], [("ip", None, None)]),
        (
            [("ip", None, "2026-06-30")],
            [{"code": "ip", "ends_on": "2026-05-31"}],
            [("ip", None, "2026-05-31")],
        ),
        # Days of its own.
        (
            [],
            [{"code": "ip", "starts_on": "2026-05-01", "ends_on": "2026-05-31"}],
            [("ip", "2026-05-01", "2026-05-31")],
        ),
    ],
)
def test_a_change_of_addons_alone_begins_no_segment(
    before: list[Written], addons: list[dict[str, Any]], after: list[Written]
) -> None:
    changed = change(started(*before), "2026-04-16", *addons)
    assert written(changed) == [after]
    # The same change once more does nothing.
    assert change(changed, "2026-04-16", *addons) == changed


def test_from_the_first_day_of_the_segment_there_is_no_day_before() -> None:
    changed = change(started(STORAGE), "2026-01-10", {"code": "ip"})
    assert written(changed) == [[("ip", None, None)]]


@pytest.mark.parametrize(("before", "addons"), [([], []), ([STORAGE], [{"code": "storage"}])])
def test_a_change_that_is_undone_on_its_day_leaves_nothing(
    before: list[Written], addons: list[dict[str, Any]]
) -> None:
    web = started(*before)
    changed = change(web, "2026-04-16", {"code": "ip"}, {"code": "storage", "quantity": 3})
    assert change(changed, "2026-04-16", *addons) == web


def test_other_terms_begin_a_segment_and_the_addons_go_on_over_it() -> None:
    before = started(("ip", None, "2026-05-31"), ("storage", "2026-02-01", None))
    both = [
        [("ip", None, None), ("storage", "2026-02-01", None)],
        [("ip", None, "2026-05-31"), ("storage", None, None)],
    ]
    assert written(keep_addons(before, "2026-04-16", discounts=[{"percent": "10"}])) == both
    assert written(keep_addons(before, "2026-04-16", minimum_commitment="40.00")) == both
    assert written(keep_addons(before, "2026-04-16", plan="growth")) == both
    # An add-on of one part alone stands in that part alone.
    parts = started(("ip", None, "2026-04-15"), ("storage", "2026-04-16", None))
    assert written(keep_addons(parts, "2026-04-16", plan="growth")) == [
        [("ip", None, None)],
        [("storage", None, None)],
    ]


def test_other_terms_and_addons_in_one_change_begin_a_segment() -> None:
    changed = change(started(STORAGE), "2026-04-16", {"code": "ip"}, plan="growth")
    assert written(changed) == [[STORAGE], [("ip", None, None)]]
    # The plan that it has already is no other term.
    same = change(started(STORAGE), "2026-04-16", {"code": "ip"}, plan="studio")
    assert written(same) == [[("ip", "2026-04-16", None), ("storage", None, "2026-04-15")]]


def test_a_change_of_addons_lasts_until_the_segments_own_end() -> None:
    split = keep_addons(started(STORAGE), "2026-04-16", minimum_commitment="40.00")
    changed = change(split, "2026-03-01", {"code": "ip"})
    assert written(changed) == [
        [("ip", "2026-03-01", None), ("storage", None, "2026-02-28")],
        [STORAGE],
    ]


def test_an_end_cuts_what_runs_longer_and_drops_what_begins_after_it() -> None:
    before = started(
        ("ip", None, "2026-06-30"), ("storage", "2026-05-01", None), ("tape", None, "2026-02-28")
    )
    assert written(ended_on(before, date(2026, 4, 30))) == [
        [("ip", None, None), ("tape", None, "2026-02-28")]
    ]
    assert written(ended_on(before, date(2026, 5, 1))) == [
        [("ip", None, None), ("storage", "2026-05-01", None), ("tape", None, "2026-02-28")]
    ]


@pytest.mark.parametrize(
    ("addon", "fault"),
    [
        ({"starts_on": "2026-04-15"}, "addons.0.starts_on: must not be before 2026-04-16"),
        ({"ends_on": "2026-04-15"}, "addons.0.ends_on: must not be before 2026-04-16"),
        ({"ends_on": "2026-07-01"}, "addons.0.ends_on: must not be after 2026-06-30"),
        ({"starts_on": "2026-07-01"}, "addons.0.starts_on: must not be after 2026-06-30"),
    ],
)
def test_days_of_a_change_lie_between_its_day_and_the_segments_end(
    addon: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InvalidAccount, match=fault):
        change(started(ends_on=date(2026, 6, 30)), "2026-04-16", {"code": "ip"} | addon)


def test_changes_that_leave_over_200_entries_are_refused() -> None:
    web = started()
    for n in range(200):
        day = date(2026, 2, 1) + timedelta(days=n)
        web = change(web, day.isoformat(), {"code": "storage", "quantity": n + 1})
    [segment] = web.segments
    assert len(segment.addons) == 200
    with pytest.raises(InvalidAccount, match="divide it into two segments"):
        change(web, "2027-01-01", {"code": "ip"})
    # A change of other terms divides it, and then there is room.
    divided = keep_addons(web, "2026-12-01", discounts=[{"amount": "1.00"}])
    assert [len(segment.addons) for segment in divided.segments] == [200, 1]
    change(divided, "2027-01-01", {"code": "ip"})


FIRST = date(2026, 1, 1)
HORIZON = 60
CODES = ("ip", "storage")


@dataclass
class Ledger:
    """The oracle: the plan and the add-ons of each billed day, and the segments' first days."""

    plans: dict[date, str]
    addons: dict[date, dict[str, int]]
    begins: set[date] = field(default_factory=lambda: {FIRST})

    def until(self, day: date) -> date:
        """The last day of the segment that has this day."""
        later = [first for first in self.begins if first > day]
        return min(later) - timedelta(days=1) if later else max(self.plans)

    def end(self, day: date) -> None:
        self.plans = {billed: plan for billed, plan in self.plans.items() if billed <= day}
        self.addons = {billed: had for billed, had in self.addons.items() if billed <= day}
        self.begins = {first for first in self.begins if first <= day}

    def legal(self, day: date, wanted: list[dict[str, Any]]) -> bool:
        """Whether all lie between the day and the segment's end, with no code twice on a day."""
        until = self.until(day)
        taken: list[tuple[str, date]] = []
        for addon in wanted:
            first, last = addon["starts_on"] or day, addon["ends_on"] or until
            if not day <= first <= last <= until:
                return False
            taken += [(addon["code"], one) for one in days_between(first, last)]
        return len(set(taken)) == len(taken)

    def change(self, day: date, plan: str | None, wanted: list[dict[str, Any]] | None) -> None:
        until = self.until(day)
        if plan is not None and plan != self.plans[day]:
            self.begins.add(day)
            self.plans |= dict.fromkeys(days_between(day, until), plan)
        if wanted is None:
            return
        self.addons |= {billed: {} for billed in days_between(day, until)}
        for addon in wanted:
            for billed in days_between(addon["starts_on"] or day, addon["ends_on"] or until):
                self.addons[billed][addon["code"]] = addon["quantity"]


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def day_by_day(segments: Iterable[Segment], days: list[date]) -> dict[date, dict[str, int]]:
    """The add-ons of each billed day, as stored."""
    return {
        day: {choice.code: choice.quantity for choice in segment.addons if choice.active_on(day)}
        for segment in segments
        for day in days
        if segment.active_on(day)
    }


offsets = st.sampled_from([None, None, None, -1, 0, 5, 20])
wishes = st.fixed_dictionaries(
    {
        "code": st.sampled_from(CODES),
        "quantity": st.sampled_from([1, 1, 2]),
        "starts_on": offsets,
        "ends_on": offsets,
    }
)
wish_lists = st.lists(wishes, max_size=3) | st.lists(
    wishes, max_size=2, unique_by=lambda wish: str(wish["code"])
)
steps = st.tuples(
    st.sampled_from(["change"] * 5 + ["end"]),
    # Few days, so that changes often meet.
    st.sampled_from(range(0, HORIZON, 5)),
    st.sampled_from([None, None, None, "studio", "growth"]),
    st.none() | wish_lists,
)


@given(st.lists(steps, max_size=10))
def test_after_any_changes_each_day_has_the_addons_last_given_to_it(
    history: list[tuple[str, int, str | None, list[dict[str, Any]] | None]],
) -> None:
    horizon = days_between(FIRST, FIRST + timedelta(days=HORIZON - 1))
    ledger = Ledger(dict.fromkeys(horizon, "studio"), {day: {} for day in horizon})
    whole = replace(JANUARY, starts_on=FIRST, ends_on=horizon[-1])
    web = Deployment("acme", "web", (whole,))
    for action, number, plan, wishes_of_step in history:
        day = horizon[number]
        if day not in ledger.plans:
            with pytest.raises(NotRunning):
                ended_on(web, day)
            continue
        if action == "end":
            web = ended_on(web, day)
            ledger.end(day)
        else:
            wanted = None if wishes_of_step is None else [on_days(day, w) for w in wishes_of_step]
            web = _changed(web, day, plan, wanted, ledger)
        assert day_by_day(web.segments, horizon) == ledger.addons
        assert {segment.starts_on for segment in web.segments} == ledger.begins
        assert_in_one_form(web.segments)


def on_days(day: date, wish: dict[str, Any]) -> dict[str, Any]:
    """The wish with its days counted from this day."""
    dates = {
        name: None if wish[name] is None else day + timedelta(days=wish[name])
        for name in ("starts_on", "ends_on")
    }
    return wish | dates


def in_json(addon: dict[str, Any]) -> dict[str, Any]:
    """The add-on as a request has it."""
    days = {name: addon[name] for name in ("starts_on", "ends_on")}
    return addon | {name: day and day.isoformat() for name, day in days.items()}


def _changed(
    web: Deployment,
    day: date,
    plan: str | None,
    wanted: list[dict[str, Any]] | None,
    ledger: Ledger,
) -> Deployment:
    terms: dict[str, Any] = {"from": day.isoformat()}
    terms |= {} if plan is None else {"plan": plan}
    terms |= {} if wanted is None else {"addons": [in_json(addon) for addon in wanted]}
    form = ChangeForm.model_validate(terms)
    if wanted is not None and not ledger.legal(day, wanted):
        with pytest.raises(InvalidAccount, match=r"^addons\."):
            changed_from(web, day, lambda later: PINS.changed(form, later))
        return web
    ledger.change(day, plan, wanted)
    return changed_from(web, day, lambda later: PINS.changed(form, later))


def assert_in_one_form(segments: Iterable[Segment]) -> None:
    """No entry without a day, none that goes on as another, no date that says nothing."""
    for segment in segments:
        first, last = segment.starts_on, segment.ends_on
        for choice in segment.addons:
            assert choice.starts_on is None or choice.starts_on > first
            assert choice.ends_on is None or last is None or choice.ends_on < last
            assert (choice.starts_on or first) <= (choice.ends_on or last or date.max)
        for before, after in pairwise(segment.addons):
            assert (before.code, before.starts_on or first) < (
                after.code,
                after.starts_on or first,
            )
            if (before.code, before.quantity) == (after.code, after.quantity):
                assert before.ends_on is not None
                assert after.starts_on is not None
                assert (after.starts_on - before.ends_on).days > 1
        stored = stored_segment_json(segment)
        assert read_segment("acme", "web", first.isoformat(), stored) == segment


def test_discounts_are_other_terms() -> None:
    discounted = replace(JANUARY, discounts=(Discount(Decimal(10)),))
    web = Deployment("acme", "web", (discounted,))
    same = change(web, "2026-04-16", {"code": "ip"}, discounts=[{"percent": "10"}])
    assert written(same) == [[("ip", "2026-04-16", None)]]
    other = change(web, "2026-04-16", {"code": "ip"}, discounts=[])
    assert written(other) == [[], [("ip", None, None)]]
