"""The changes between two revisions are exactly the lines that read differently."""

import pytest

from invoicing.invoices.line_changes import line_changes
from quote_engine import Line


def line(kind: str, description: str, cents: int, deployment: str | None = "d-1") -> Line:
    """A line; all overage is of one resource kind."""
    resource = "hours" if kind == "overage" else None
    return Line(kind, description, deployment, resource, "1", "", "1.00", cents)  # type: ignore[arg-type]


BASE = line("plan_base", "Studio", 5000)
DISK = line("addon", "Addon: disk", 750)
DISK_PART = line("addon", "Addon: disk for 21/30 days", 525)
LAMP = line("addon", "Addon: lamp", 100)
OVER = line("overage", "672 hours", 672)
MORE = line("overage", "700 hours", 700)
LATE = line("adjustment", "Adjustment for 2026-03: hours (2 used, 1 invoiced)", 1)
LATER = line("adjustment", "Adjustment for 2026-03: hours (3 used, 1 invoiced)", 2)
OTHER = line("adjustment", "Adjustment for 2026-02: hours (9 used, 1 invoiced)", 8)
TAX = line("tax", "GST", 642, None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([BASE, OVER, TAX], [BASE, OVER, TAX], []),
        ([BASE, OVER], [OVER, BASE], []),
        ([BASE, OVER], [BASE, MORE], [(OVER, MORE)]),
        ([BASE], [BASE, OVER], [(None, OVER)]),
        ([BASE, OVER], [BASE], [(OVER, None)]),
        ([BASE, BASE], [BASE], [(BASE, None)]),
        ([DISK], [DISK_PART], [(DISK, DISK_PART)]),
        ([DISK], [LAMP], [(DISK, None), (None, LAMP)]),
        ([LATE], [LATER], [(LATE, LATER)]),
        ([LATE], [OTHER, LATE], [(None, OTHER)]),
        ([OVER], [line("overage", "672 hours", 672, "d-2")], None),
        ([], [], []),
    ],
)
def test_changes(
    before: list[Line], after: list[Line], expected: list[tuple[Line | None, Line | None]] | None
) -> None:
    changes = [(change.before, change.after) for change in line_changes(before, after)]
    if expected is None:
        # Another deployment's line is another line, however alike.
        expected = [(before[0], None), (None, after[0])]
    assert changes == expected


def test_the_changes_explain_the_difference_of_the_sums() -> None:
    before, after = [BASE, DISK, OVER, LATE, TAX], [BASE, LAMP, MORE, LATER, OTHER]
    cents = sum(change.cents for change in line_changes(before, after))
    assert cents == sum(line.amount_cents for line in after) - sum(
        line.amount_cents for line in before
    )
