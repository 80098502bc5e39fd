"""The review's rules, each at its threshold and one cent short of it."""

import re
from decimal import Decimal

import pytest

from invoicing.invoices.review import (
    HOLDING,
    ReviewRule,
    amount,
    findings,
    flags_text,
    own_flags,
    read_flags,
    stopped,
)
from local.template import ROOT
from quote_engine import Line, LineKind, UnpricedUsage

# Thresholds as documented: a mover moves by at least 100.00 and by at least half of last month's
# total; a line is huge from 10,000.00 on.


def line(kind: LineKind, cents: int) -> Line:
    """A line of this kind, for this many cents."""
    return Line(kind, kind, "web", None, "1", "unit", "1", cents)


@pytest.mark.parametrize(
    ("before", "now", "rules"),
    [
        (20_000, 20_000, []),
        (20_000, 30_000, ["moved"]),
        (20_000, 29_999, []),
        (20_000, 10_000, ["moved"]),
        (20_000, 10_001, []),
        # Half of it, but less than 100.00.
        (19_999, 29_998, []),
        # 100.00, but less than half of it.
        (20_001, 30_001, []),
        (20_001, 30_002, ["moved"]),
        (1_000, 11_000, ["moved"]),
        (0, 9_999, []),
        (0, 10_000, ["moved"]),
        (0, 0, []),
        (1, 0, ["zero_after_nonzero"]),
        (50_000, 0, ["zero_after_nonzero"]),
        (-5_000, 0, ["zero_after_nonzero"]),
        # From a credit to a bill and back.
        (-6_000, 4_000, ["moved"]),
        (6_000, -4_000, ["moved"]),
        (None, 0, ["new"]),
        (None, 5_000_000, ["new"]),
    ],
)
def test_a_total_is_compared_with_last_months(
    before: int | None, now: int, rules: list[str]
) -> None:
    assert [finding.rule for finding in findings(now, {}, before)] == rules


@pytest.mark.parametrize(
    ("lines", "unpriced", "flags"),
    [
        ([line("plan_base", 5_000), line("tax", 500)], 0, {}),
        ([line("plan_base", 0)], 0, {}),
        ([line("plan_base", 999_999)], 0, {}),
        ([line("overage", 1_000_000)], 0, {"huge_line": 1_000_000}),
        ([line("overage", 1_000_000), line("addon", 2_000_000)], 0, {"huge_line": 2_000_000}),
        ([line("plan_base", 999_999), line("tax", 1_000_000)], 0, {}),
        ([line("plan_base", 100), line("discount", -100)], 0, {}),
        ([line("plan_base", 100), line("adjustment", -100)], 0, {}),
        ([line("plan_base", 100), line("overage", -1)], 0, {"negative_line": -1}),
        ([line("addon", -3), line("overage", -7), line("minimum", 99)], 0, {"negative_line": -7}),
        (
            [line("adjustment", -2_000_000), line("tax", -200_000)],
            0,
            {"huge_line": -2_000_000, "negative_total": -2_200_000},
        ),
        ([line("adjustment", -1)], 0, {"negative_total": -1}),
        ([line("plan_base", 5_000)], 2, {"unpriced_usage": 2}),
    ],
)
def test_an_invoice_by_itself(lines: list[Line], unpriced: int, flags: dict[str, int]) -> None:
    usage = [UnpricedUsage("web", f"kind-{n}", Decimal(1)) for n in range(unpriced)]
    total = sum(line.amount_cents for line in lines)
    assert own_flags(lines, usage, total) == flags


def test_the_same_kind_twice_is_one_kind() -> None:
    usage = [UnpricedUsage("web", "gpu", Decimal(1)), UnpricedUsage("web", "gpu", Decimal(2))]
    assert own_flags([], usage, 0) == {"unpriced_usage": 1}


def test_usage_that_was_taken_back_is_nothing_to_look_at() -> None:
    usage = [UnpricedUsage("web", "gpu", Decimal(-1), "2026-03")]
    # The flag is there all the same: a month's report reads the invoices that have it.
    assert own_flags([], usage, 0) == {"unpriced_usage": 0}
    assert findings(100, {ReviewRule.UNPRICED_USAGE: 0}, 100) == ()


def test_flags_are_kept_as_a_few_words_and_ordinary_invoices_have_none() -> None:
    flags = {ReviewRule.UNPRICED_USAGE: 2, ReviewRule.HUGE_LINE: -1_200_000}
    assert flags_text(flags) == "huge_line=-1200000 unpriced_usage=2"
    assert read_flags(flags_text(flags)) == flags
    assert flags_text({}) is None
    assert read_flags(None) == {}


def test_what_is_found_is_said_in_words() -> None:
    flags = {
        ReviewRule.UNPRICED_USAGE: 1,
        ReviewRule.NEGATIVE_LINE: -7,
        ReviewRule.NEGATIVE_TOTAL: -123_456,
    }
    details = {finding.rule: finding.detail for finding in findings(-123_456, flags, 20_000)}
    assert details == {
        ReviewRule.MOVED: "-1,234.56 after 200.00 last month (-1,434.56)",
        ReviewRule.UNPRICED_USAGE: "usage of 1 kind is billed nothing",
        ReviewRule.NEGATIVE_LINE: "a line of -0.07",
        ReviewRule.NEGATIVE_TOTAL: "the total is -1,234.56",
    }
    [zero] = findings(0, {}, 20_000)
    assert zero.detail == "nothing after 200.00 last month"
    assert stopped(20_000).detail == "nothing to invoice after 200.00 last month"
    assert amount(100) == "1.00"


def test_new_and_stopped_hold_nothing_back() -> None:
    assert set(ReviewRule) - HOLDING == {ReviewRule.NEW, ReviewRule.STOPPED}
    assert not stopped(1).holds


def test_the_rules_are_documented_with_whether_they_hold() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (holds|listed) \|$", text, re.MULTILINE))
    assert rows == {rule: "holds" if rule in HOLDING else "listed" for rule in ReviewRule}
