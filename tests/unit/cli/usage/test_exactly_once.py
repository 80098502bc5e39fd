"""A row is what it says, not where it stands: files count once, however they are rearranged."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.usage.usage_event import UsageOutcome
from tests.unit.cli.usage.ledger import HEADER, Ledger, import_as_6b321da, import_file

OWNERS = {"web": "acme", "db": "acme", "shop": "kauri", "pilot": "pilot"}
KINDS = ("hours", "egress_gb")
QUANTITIES = ("0", "1", "2.5", "0.000000000001", "7")
ROWS = st.lists(
    st.builds(
        lambda *fields: ",".join((fields[0], fields[1], fields[2], fields[2], fields[3])),
        st.sampled_from(sorted(OWNERS)),
        st.sampled_from(KINDS),
        st.sampled_from(["2026-04-04", "2026-04-05"]),
        st.sampled_from(QUANTITIES),
    ),
    min_size=1,
    max_size=12,
)


def file_of(rows: Sequence[str]) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def sums(rows: Sequence[str]) -> Mapping[tuple[str, str, str], Decimal]:
    """What the rows of single days say, by deployment, day and kind."""
    said: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        deployment_id, kind, day, _, quantity = row.split(",")
        said[deployment_id, day, kind] += Decimal(quantity)
    return said


def outcomes(counts: Counter[UsageOutcome]) -> dict[str, int]:
    return {str(outcome): count for outcome, count in counts.items() if count}


@settings(deadline=None)
@given(rows=ROWS, seed=st.integers(0, 10**6), blanks=st.integers(0, 3), bom=st.booleans())
def test_neither_order_nor_name_nor_blanks_matter(
    rows: list[str], seed: int, blanks: int, bom: bool
) -> None:
    ledger = Ledger(OWNERS)
    assert outcomes(import_file(ledger, file_of(rows)).counts) == {"accepted": len(rows)}
    assert ledger.totals == sums(rows)
    moved = [*rows, *[""] * blanks, *[",,,,"] * blanks]
    random.Random(seed).shuffle(moved)
    text = "\ufeff" * bom + "\r\n" * blanks + file_of(moved)
    again = import_file(ledger, text, f"a copy of {seed}.csv")
    assert outcomes(again.counts) == {"duplicate": len(rows)}
    assert ledger.totals == sums(rows)


@settings(deadline=None)
@given(
    rows=ROWS,
    old_broke=st.none() | st.integers(0, 12),
    new_broke=st.lists(st.integers(0, 12), max_size=3),
    seed=st.integers(0, 10**6),
)
def test_what_an_earlier_version_counted_of_a_file_is_not_counted_again(
    rows: list[str], old_broke: int | None, new_broke: list[int], seed: int
) -> None:
    ledger = Ledger(OWNERS, breaks_after=old_broke)
    import_as_6b321da(ledger, rows)
    shuffled = random.Random(seed).sample(rows, len(rows))
    for broke in new_broke:
        ledger.breaks_after = broke
        import_file(ledger, file_of(shuffled))
    ledger.breaks_after = None
    report = import_file(ledger, file_of(shuffled))
    assert set(outcomes(report.counts)) <= {"accepted", "duplicate"}
    assert report.counts.total() == len(rows)
    assert ledger.totals == sums(rows)
    assert outcomes(import_file(ledger, file_of(rows)).counts) == {"duplicate": len(rows)}
    assert ledger.totals == sums(rows)


TWENTY = [
    f"{name},hours,2026-04-{day:02},2026-04-{day:02},1"
    for day in range(1, 11)
    for name in ("web", "shop")
]


@pytest.mark.parametrize(
    "rearranged",
    [
        [*TWENTY[1::-1], *TWENTY[2:]],
        ["", *TWENTY],
        ["", "", *TWENTY],
        [f"{row},,," for row in TWENTY],
        [row.replace(",1", ",1.000") if row.endswith(",1") else row for row in TWENTY[::-1]],
    ],
    ids=["rows of two tenants swapped", "a blank line more", "two", "spreadsheet", "1.000"],
)
@pytest.mark.parametrize("name", ["april.csv", "a copy of april.csv", "-"])
def test_twenty_rows_stay_twenty(rearranged: list[str], name: str) -> None:
    for earlier in (False, True):
        ledger = Ledger(OWNERS)
        if earlier:
            import_as_6b321da(ledger, TWENTY, name.replace(" ", "-"))
        else:
            import_file(ledger, file_of(TWENTY))
        counts = import_file(ledger, file_of(rearranged), name.replace(" ", "-")).counts
        assert outcomes(counts) == {"duplicate": 20}
        assert sum(ledger.totals.values()) == 20


def test_equal_keys_are_one_event_of_their_sum_and_overlapping_runs_too() -> None:
    rows = [
        "web,hours,2026-04-01,2026-04-03,1.5",
        "web,hours,2026-04-03,2026-04-04,0.000000000001",
        "web,hours,2026-04-03,2026-04-03,2",
    ]
    ledger = Ledger(OWNERS)
    assert outcomes(import_file(ledger, file_of(rows)).counts) == {"accepted": 6}
    assert ledger.totals == {
        ("web", "2026-04-01", "hours"): Decimal("1.5"),
        ("web", "2026-04-02", "hours"): Decimal("1.5"),
        ("web", "2026-04-03", "hours"): Decimal("3.500000000001"),
        ("web", "2026-04-04", "hours"): Decimal("0.000000000001"),
    }
    assert sorted(key for _, key in ledger.recorded)[2] == (
        # SHA-256 of "web\nhours", by sha256sum.
        "monthend-import#2026-04-03:69c30e1d4c244efeb8f0e64a1013e755"
    )
    assert outcomes(import_file(ledger, file_of(rows[::-1])).counts) == {"duplicate": 6}


def test_another_sum_is_a_conflict_and_the_first_stands() -> None:
    ledger = Ledger(OWNERS)
    import_file(ledger, file_of(["web,hours,2026-04-01,2026-04-01,5"]))
    report = import_file(
        ledger, file_of(["web,hours,2026-04-01,2026-04-01,5", "web,hours,2026-04-01,2026-04-01,2"])
    )
    assert outcomes(report.counts) == {"conflict": 2}
    assert [problem.line for problem, _ in report.listed.in_order] == [2, 3]
    assert ledger.totals == {("web", "2026-04-01", "hours"): 5}


def test_a_file_that_adds_says_so_by_its_source() -> None:
    ledger = Ledger(OWNERS)
    row = ["web,hours,2026-04-01,2026-04-01,5"]
    import_as_6b321da(ledger, row)
    for _ in range(2):
        import_file(ledger, file_of(row), source="second-meter")
    assert ledger.totals == {("web", "2026-04-01", "hours"): 10}


def test_an_old_import_of_other_rows_is_a_conflict_of_that_tenants_day_alone() -> None:
    ledger = Ledger(OWNERS)
    old = ["web,hours,2026-04-01,2026-04-01,5", "shop,hours,2026-04-01,2026-04-01,1"]
    import_as_6b321da(ledger, old)
    new = [
        "web,hours,2026-04-01,2026-04-01,6",
        "db,hours,2026-04-01,2026-04-01,2",
        "db,hours,2026-04-02,2026-04-02,2",
        "shop,hours,2026-04-01,2026-04-01,1",
        "shop,egress_gb,2026-04-01,2026-04-01,3",
    ]
    report = import_file(ledger, file_of(new))
    assert outcomes(report.counts) == {"conflict": 2, "accepted": 2, "duplicate": 1}
    assert [problem.line for problem, _ in report.listed.in_order] == [2, 3]
    assert "imported before with other rows" in report.listed.in_order[0][0].reason
    assert ledger.totals == sums([*old, new[2], new[4]])
    again = import_file(ledger, file_of(new))
    assert outcomes(again.counts) == {"conflict": 2, "duplicate": 3}


def test_old_ids_are_found_a_thousand_lines_beyond_the_file_and_no_further() -> None:
    row = "web,hours,2026-04-01,2026-04-01,5"
    for blanks, again in ((1000, "duplicate"), (1001, "accepted")):
        ledger = Ledger(OWNERS)
        # The row stood on line 1,002 or 1,003; the file has two lines by now.
        import_as_6b321da(ledger, [*["nobody,hours,2026-04-01,2026-04-01,1"] * blanks, row])
        assert outcomes(import_file(ledger, file_of([row])).counts) == {again: 1}


def test_nothing_is_looked_up_where_nothing_is_counted_or_all_is_known() -> None:
    ledger = Ledger(OWNERS)
    import_file(ledger, file_of(TWENTY))
    assert ledger.ids_read == 0
    import_file(ledger, file_of(TWENTY))
    # The ids of today: one for each of twenty events.
    assert ledger.ids_read == 20
    # One more row of one tenant's day: twenty-one of today, and 22 + 1,000 lines of that day.
    import_file(ledger, file_of([*TWENTY, "db,hours,2026-04-01,2026-04-01,1"]))
    assert ledger.ids_read == 20 + 21 + 1022


def test_a_row_that_cannot_be_read_spoils_its_sum_so_that_it_can_be_mended() -> None:
    ledger = Ledger(OWNERS)
    rows = [
        "web,hours,2026-04-01,2026-04-02,5",
        "web,hours,2026-04-01,2026-04-01,x",
        "db,hours,2026-04-01,2026-04-01,1",
    ]
    report = import_file(ledger, file_of(rows))
    assert outcomes(report.counts) == {"accepted": 2, "rejected": 2}
    told = [(problem.line, events, problem.reason) for problem, events in report.listed.in_order]
    assert told == [
        (
            2,
            1,
            "quantity: not counted, since another row of this deployment, kind and day is faulty",
        ),
        (3, 1, "quantity: must be a decimal string such as 12.5"),
    ]
    rows[1] = rows[1].replace("x", "2")
    assert outcomes(import_file(ledger, file_of(rows)).counts) == {"accepted": 2, "duplicate": 2}
    assert ledger.totals["web", "2026-04-01", "hours"] == 7


def test_days_beyond_the_ninety_are_rejected_by_their_number() -> None:
    ledger = Ledger(OWNERS)
    # Received at 10:00 on 1 May in Sydney: noon of 31 January is 89 days and 22 hours ago, and
    # noon of 2 May is 26 hours ahead.
    report = import_file(ledger, file_of(["web,hours,2026-01-29,2026-05-04,1"]))
    told = [(events, problem.reason) for problem, events in report.listed.in_order]
    assert sorted(told) == [
        (2, "occurred_at: more than 90 days ago"),
        (3, "occurred_at: more than 24 hours ahead"),
    ]
    assert outcomes(report.counts) == {"accepted": 91, "rejected": 5}


def test_a_sum_with_too_many_digits_is_rejected_with_all_of_its_lines() -> None:
    ledger = Ledger(OWNERS)
    row = f"web,hours,2026-04-01,2026-04-01,{'9' * 12}"
    report = import_file(ledger, file_of([row, row]))
    assert outcomes(report.counts) == {"rejected": 2}
    assert [problem.line for problem, _ in report.listed.in_order] == [2, 3]
    assert (
        report.listed.in_order[0][0].reason == "quantity: has more than 12 digits before the point"
    )


def test_what_was_left_of_an_old_import_stays_counted_though_the_whole_sum_is_another() -> None:
    ledger = Ledger(OWNERS, breaks_after=1)
    rows = ["web,hours,2026-04-01,2026-04-01,5", "web,hours,2026-04-01,2026-04-01,2"]
    import_as_6b321da(ledger, rows)
    ledger.breaks_after = None
    for outcome in ("accepted", "duplicate", "duplicate"):
        counts = outcomes(import_file(ledger, file_of(rows)).counts)
        assert counts == (
            {"duplicate": 1, "accepted": 1} if outcome == "accepted" else {outcome: 2}
        )
        assert ledger.totals == {("web", "2026-04-01", "hours"): 7}


def test_a_row_counted_since_is_no_conflict_when_an_old_row_is_changed() -> None:
    ledger = Ledger(OWNERS, breaks_after=1)
    rows = ["web,hours,2026-04-01,2026-04-01,5", "db,hours,2026-04-01,2026-04-01,2"]
    import_as_6b321da(ledger, rows)
    ledger.breaks_after = None
    import_file(ledger, file_of(rows))
    changed = [rows[0].replace(",5", ",6"), rows[1]]
    report = import_file(ledger, file_of(changed))
    assert outcomes(report.counts) == {"conflict": 1, "duplicate": 1}
    assert [problem.line for problem, _ in report.listed.in_order] == [2]
    assert ledger.totals == sums(rows)


def test_a_row_long_past_is_rejected_by_its_own_days() -> None:
    report = import_file(Ledger(OWNERS), file_of(["web,hours,0001-01-01,0001-01-03,1"]))
    [(problem, days)] = report.listed.in_order
    assert (days, problem.reason) == (3, "occurred_at: more than 90 days ago")
