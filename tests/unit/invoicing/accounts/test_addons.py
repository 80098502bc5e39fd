"""Add-ons of a segment: their days, the form they are kept in, and what a month sees of them."""

from dataclasses import replace
from datetime import date

import pytest

from invoicing.accounts.account import (
    Account,
    InvalidAccount,
    Segment,
    Tenant,
    read_segment,
    stored_segment_json,
)
from invoicing.accounts.addons import AddonChoice
from invoicing.invoices.billed_usage import terms_of
from quote_engine import Period

APRIL = Period.month("2026-04")
SEGMENT = Segment("acme", "web", date(2026, 1, 10), date(2026, 6, 30), "studio", 1)

type Days = tuple[str | None, str | None]
type Written = tuple[str, str | None, str | None]


def entry(code: str, first: str | None, last: str | None, quantity: int = 1) -> AddonChoice:
    starts_on = date.fromisoformat(first) if first else None
    return AddonChoice(code, 1, quantity, starts_on, date.fromisoformat(last) if last else None)


def with_addons(*addons: Written) -> Segment:
    """The segment of 10 January to 30 June with these add-ons, by code, first and last day."""
    return replace(SEGMENT, addons=tuple(entry(*addon) for addon in addons))


def written(segment: Segment) -> list[Written]:
    return [
        (
            choice.code if choice.quantity == 1 else f"{choice.quantity} {choice.code}",
            choice.starts_on.isoformat() if choice.starts_on else None,
            choice.ends_on.isoformat() if choice.ends_on else None,
        )
        for choice in segment.addons
    ]


@pytest.mark.parametrize(
    ("days", "fault"),
    [
        (("2026-01-09", None), "addons.0.starts_on: must not be before 2026-01-10"),
        (("2026-07-01", None), "addons.0.starts_on: must not be after 2026-06-30"),
        ((None, "2026-01-09"), "addons.0.ends_on: must not be before 2026-01-10"),
        ((None, "2026-07-01"), "addons.0.ends_on: must not be after 2026-06-30"),
        (("2026-04-16", "2026-04-15"), "addons.0.ends_on: must not be before starts_on"),
    ],
)
def test_days_lie_within_the_segment(days: Days, fault: str) -> None:
    with pytest.raises(InvalidAccount, match=fault):
        with_addons(("storage", *days))


@pytest.mark.parametrize(
    ("first", "second", "day"),
    [
        ((None, None), (None, None), "2026-01-10"),
        ((None, None), ("2026-04-16", None), "2026-04-16"),
        ((None, "2026-04-16"), ("2026-04-16", None), "2026-04-16"),
        (("2026-02-01", "2026-06-01"), ("2026-03-01", "2026-03-02"), "2026-03-01"),
        (("2026-02-01", None), ("2026-02-01", "2026-02-01"), "2026-02-01"),
    ],
)
def test_a_code_stands_once_a_day(first: Days, second: Days, day: str) -> None:
    for addons, n in (((first, second), 1), ((second, first), 0)):
        # The one that begins later is named; of two that begin together, the second.
        named = 1 if first[0] == second[0] else n
        with pytest.raises(
            InvalidAccount, match=rf"^addons\.{named}: storage stands twice on {day};"
        ):
            with_addons(*(("storage", *days) for days in addons))


def test_the_last_day_of_the_calendar_is_a_day() -> None:
    always = replace(SEGMENT, ends_on=None)
    last = entry("storage", "9999-12-31", "9999-12-31")
    before = entry("storage", None, "9999-12-30")
    assert replace(always, addons=(before, last)).addons == (entry("storage", None, "9999-12-31"),)
    with pytest.raises(InvalidAccount, match=r"addons\.0: storage stands twice on 9999-12-31"):
        replace(always, addons=(last, entry("storage", None, "9999-12-31")))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        # Dates that are the segment's own say nothing.
        ([("ip", "2026-01-10", "2026-06-30")], [("ip", None, None)]),
        # By code, then first day.
        (
            [("tape", None, None), ("ip", "2026-04-16", None), ("ip", None, "2026-02-01")],
            [("ip", None, "2026-02-01"), ("ip", "2026-04-16", None), ("tape", None, None)],
        ),
        # One that goes on is one entry; a day between makes two.
        (
            [("ip", "2026-03-01", "2026-03-31"), ("ip", "2026-04-01", "2026-04-30")],
            [("ip", "2026-03-01", "2026-04-30")],
        ),
        (
            [
                ("ip", None, "2026-03-31"),
                ("ip", "2026-04-01", "2026-04-15"),
                ("ip", "2026-04-16", None),
            ],
            [("ip", None, None)],
        ),
        (
            [("ip", None, "2026-03-30"), ("ip", "2026-04-01", None)],
            [("ip", None, "2026-03-30"), ("ip", "2026-04-01", None)],
        ),
    ],
)
def test_entries_are_kept_in_one_form(given: list[Written], kept: list[Written]) -> None:
    assert written(with_addons(*given)) == kept


def test_another_quantity_or_version_is_another_entry() -> None:
    one, two = entry("ip", None, "2026-03-31"), entry("ip", "2026-04-01", None, quantity=2)
    for addons in ((one, two), (one, replace(two, quantity=1, version=2))):
        assert replace(SEGMENT, addons=addons).addons == addons


def test_a_segment_has_at_most_200_entries() -> None:
    days = [date.fromordinal(SEGMENT.starts_on.toordinal() + 2 * n) for n in range(200)]
    open_end = replace(SEGMENT, ends_on=None)
    many = tuple(AddonChoice("ip", 1, 1, day, day) for day in days)
    assert len(replace(open_end, addons=many).addons) == 200
    with pytest.raises(
        InvalidAccount, match="addons: 201 would stand in the segment from 2026-01-10"
    ):
        replace(open_end, addons=(*many, AddonChoice("tape", 1)))


def test_an_addon_without_dates_is_stored_as_before_there_were_dates() -> None:
    dated = with_addons(("ip", "2026-04-16", "2026-04-30"), ("storage", None, None))
    stored = stored_segment_json(dated)
    assert stored["addons"] == [
        {
            "code": "ip",
            "version": 1,
            "quantity": 1,
            "starts_on": "2026-04-16",
            "ends_on": "2026-04-30",
        },
        {"code": "storage", "version": 1, "quantity": 1},
    ]
    assert read_segment("acme", "web", "2026-01-10", stored) == dated


@pytest.mark.parametrize(
    ("addons", "in_april"),
    [
        # Days of other months are no part of it.
        ([("ip", None, "2026-03-31")], []),
        ([("ip", "2026-05-16", None)], []),
        # Nor is a start before it or an end after it.
        ([("ip", "2026-02-01", "2026-05-20")], [("ip", None, None)]),
        ([("ip", "2026-04-01", "2026-04-30")], [("ip", None, None)]),
        ([("ip", "2026-04-02", "2026-04-29")], [("ip", "2026-04-02", "2026-04-29")]),
        ([("ip", None, "2026-03-31"), ("ip", "2026-04-01", None)], [("ip", None, None)]),
    ],
)
def test_a_month_sees_its_own_days_alone(addons: list[Written], in_april: list[Written]) -> None:
    assert written(with_addons(*addons).billed_in(APRIL)) == in_april


def test_a_start_on_the_segments_own_first_day_is_no_part_of_a_month() -> None:
    late = replace(SEGMENT, starts_on=date(2026, 4, 16), ends_on=date(2026, 4, 20))
    addons = (entry("ip", "2026-04-16", "2026-04-20"), entry("tape", "2026-04-17", None))
    billed = replace(late, addons=addons).billed_in(APRIL)
    assert written(billed) == [("ip", None, None), ("tape", "2026-04-17", None)]
    account = Account(Tenant("acme", "Acme", "1001", "gst"), (SEGMENT, late))
    assert account.billed_in(Period.month("2026-07")) == []
    assert account.billed_in(APRIL) == [SEGMENT, late]


def test_what_begins_or_ends_in_may_leaves_the_terms_of_april_as_they_were() -> None:
    without, with_storage = SEGMENT, with_addons(("storage", None, None))
    # As commit 6b321da digested these terms.
    assert terms_of([without], APRIL) == "7ca2c4e0e6965b14"
    assert terms_of([with_storage], APRIL) == "ec75ec85fa7bc233"
    assert terms_of([with_addons(("ip", "2026-05-16", None))], APRIL) == terms_of([without], APRIL)
    for days in ((None, "2026-05-20"), (None, "2026-04-30"), ("2026-04-01", None)):
        ended = with_addons(("storage", *days))
        assert terms_of([ended], APRIL) == terms_of([with_storage], APRIL)
    for days in ((None, "2026-04-29"), ("2026-04-02", None)):
        part = with_addons(("storage", *days))
        assert terms_of([part], APRIL) not in (
            terms_of([with_storage], APRIL),
            terms_of([without], APRIL),
        )
