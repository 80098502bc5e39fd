"""Drafts and months of commit 6b321da that are priced again are priced by today's rules.

That commit priced each segment by itself: what was 57.11 for wattle is 53.75. All figures are
worked by hand from docs/money-rules.md.
"""

import pytest

from invoicing.invoices.lifecycle import Action
from invoicing.month_end.rollup import RollupOutcome
from tests.integration.stored.conftest import OldBooks
from tests.integration.stored.contents import CURRENT

PLAN, ADDON, OVERAGE = "plan_base", "addon", "overage"
MINIMUM, DISCOUNT, LATE = "minimum", "discount", "adjustment"
type Lines = list[tuple[str, int]]

# Tenant, month, the lines before tax, and subtotal, tax and total.
DRAFTS: list[tuple[str, str, Lines, tuple[int, int, int]]] = [
    # 1,080 of 1,488 hours, whenever they were used; storage for 15 of 30 days. It was 57.11.
    ("wattle", "2026-04", [(PLAN, 5000), (ADDON, 375)], (5375, 538, 5913)),
    # 512 hours over the allowance, 800 of 2,000 used before the 16th: 2.05 and 3.07. 10 % of
    # 25.00 + 3.07 is 2.81, and 5.00 for half of the month is 2.50. It was 47.16.
    (
        *("grevillea", "2026-04"),
        [(PLAN, 5000), (OVERAGE, 512), (DISCOUNT, -281), (DISCOUNT, -250)],
        (4981, 498, 5479),
    ),
    # Owed are 50.00 and 50.00, and 100 hours at 1.00 were charged. It was 150.00.
    ("ironbark", "2026-04", [(PLAN, 0), (OVERAGE, 10000)], (10000, 1000, 11000)),
    # 62.00 for 3 of 31 days is 6.00, 93.00 for 28 days is 84.00; 50 hours were charged. It was
    # 134.00.
    (
        *("ironbark", "2026-05"),
        [(PLAN, 0), (OVERAGE, 5000), (PLAN, 0), (MINIMUM, 4000)],
        (9000, 900, 9900),
    ),
    # By kind: 2.9 GB are 3; 280 emails are 3 packages of 2.50; nothing used, so the minimum; 100
    # jobs at 0.10 and 100 at 0.01; 16 GB all at 0.50; 9.95 lowered to the maximum. It was 79.94.
    (
        *("jarrah", "2026-04"),
        [(PLAN, 1000), *((OVERAGE, cents) for cents in (300, 750, 500, 1100, 800, 500))],
        (4950, 495, 5445),
    ),
    # A plan that is not prorated counts once, and so does its add-on. It was 107.50.
    ("magpie", "2026-04", [(PLAN, 5000), (ADDON, 750)], (5750, 575, 6325)),
    # The load balancer goes on over the 16th: one line. 2 and then 3 times 7.50 are two prices.
    (
        *("possum", "2026-04"),
        [(PLAN, 5000), (ADDON, 1800), (ADDON, 750), (ADDON, 1125)],
        (8675, 868, 9543),
    ),
    # Another plan from the 11th is no part of the stretch before it: as it was.
    ("lory", "2026-04", [(PLAN, 1667), (PLAN, 8000)], (9667, 967, 10634)),
    # Nor is what comes after a gap: 400 hours, 6/30 of 1,488 included. As it was.
    ("snipe", "2026-04", [(PLAN, 2500), (PLAN, 1000), (OVERAGE, 102)], (3602, 360, 3962)),
    # 20 of 30 days. As it was.
    ("quokka", "2026-04", [(PLAN, 3333)], (3333, 333, 3666)),
    # April had 1,080 hours and has 1,580 now: 92 are over. It was 5.00.
    ("lyrebird", "2026-05", [(PLAN, 5000), (ADDON, 750), (LATE, 92)], (5842, 584, 6426)),
    # One segment, and ten more late hours.
    ("pilot", "2026-06", [(PLAN, 5000), (ADDON, 750), (LATE, 10)], (5760, 576, 6336)),
]


@pytest.mark.parametrize(("tenant_id", "label", "lines", "amounts"), DRAFTS)
def test_a_forced_run_replaces_an_old_draft(
    books: OldBooks, tenant_id: str, label: str, lines: Lines, amounts: tuple[int, int, int]
) -> None:
    old = books.invoice(tenant_id, label)
    assert books.run(tenant_id, label, force=True).outcome is RollupOutcome.REPLACED
    new = books.invoice(tenant_id, label)
    assert new.header.revision == old.header.revision + 1
    assert [(line.kind, line.amount_cents) for line in new.lines if line.kind != "tax"] == lines
    assert books.amounts(tenant_id, label) == amounts
    assert books.run(tenant_id, label, force=True).reason == "unchanged"
    kept = books.stack.invoices.get(tenant_id, new.header.period, old.header.revision)
    assert (kept.header, kept.lines) == (old.header, old.lines)


def test_every_old_draft_is_replaced_even_if_no_cent_moves(books: OldBooks) -> None:
    drafts = [each for each in CURRENT if each.status == "draft"]
    outcomes = {books.run(*each[:2], force=True).outcome for each in drafts}
    assert (len(drafts), outcomes) == (13, {RollupOutcome.REPLACED})


LateMonth = tuple[str, str, list[int], tuple[int, int, int]]
# Tenant, the next month, its adjustments, and subtotal, tax and total.
LATE_MONTHS: list[LateMonth] = [
    # From 1,080 to 1,580 hours, 1,488 included. Segment by segment it would be 5.00.
    ("banksia", "2026-05", [92], (5842, 584, 6426)),
    # From 2,900 to 3,100 emails, 3,000 included: a package of 0.90. Segment by segment: nothing.
    ("petrel", "2026-05", [90], (5840, 584, 6424)),
    # From 16 to 17 GB, all at 0.50; May has billed 50 jobs already. June itself is 10.00, and 5.00
    # for the minimum of a kind that was not used. Segment by segment it would be 1.00.
    ("mulga", "2026-06", [50], (1550, 155, 1705)),
]


@pytest.mark.parametrize(("tenant_id", "label", "late", "amounts"), LATE_MONTHS)
def test_late_usage_of_an_old_invoice_is_the_difference_of_two_prices_of_today(
    books: OldBooks, tenant_id: str, label: str, late: list[int], amounts: tuple[int, int, int]
) -> None:
    april = books.item(tenant_id, "2026-04-01")
    assert books.run(tenant_id, label).outcome is RollupOutcome.ROLLED
    assert books.cents(tenant_id, label, LATE) == late
    assert books.amounts(tenant_id, label) == amounts
    assert books.item(tenant_id, "2026-04-01") == april


# Tenant, the lines of April before tax, and subtotal, tax and total.
AGAIN: list[tuple[str, Lines, tuple[int, int, int]]] = [
    # With the late usage: 1,580 hours, 92 over.
    ("banksia", [(PLAN, 5000), (ADDON, 375), (OVERAGE, 92)], (5467, 547, 6014)),
    # With the late usage: 3,100 emails.
    ("petrel", [(PLAN, 5000), (ADDON, 750), (OVERAGE, 90)], (5840, 584, 6424)),
    # Two deployments: 1,600 hours, 992 included, so 6.08 for 1,000 and 600 hours.
    (
        "currawong",
        [(PLAN, 2000), (OVERAGE, 380), (PLAN, 2000), (ADDON, 375), (OVERAGE, 228)],
        (4983, 498, 5481),
    ),
    # As jarrah: May's invoice goes on from there, and keeps the 50 jobs that it billed.
    (
        "mulga",
        [(PLAN, 1000), *((OVERAGE, cents) for cents in (300, 750, 500, 1100, 800, 500))],
        (4950, 495, 5445),
    ),
]


@pytest.mark.parametrize(("tenant_id", "lines", "amounts"), AGAIN)
def test_an_old_invoice_that_is_voided_is_made_again_by_the_rules_of_today(
    books: OldBooks, tenant_id: str, lines: Lines, amounts: tuple[int, int, int]
) -> None:
    books.change(Action.VOID, tenant_id, "2026-04")
    assert books.run(tenant_id, "2026-04", force=True).outcome is RollupOutcome.REPLACED
    found = books.invoice(tenant_id, "2026-04").lines
    assert [(line.kind, line.amount_cents) for line in found if line.kind != "tax"] == lines
    assert books.amounts(tenant_id, "2026-04") == amounts
