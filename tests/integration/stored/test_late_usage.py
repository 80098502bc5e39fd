"""Late usage of months that commit 6b321da invoiced goes on the next invoice, once.

Here are the months whose prices are the same by the rules of then and of today: those of one
segment, and a pool, whose usage is added up anyway.
"""

from decimal import Decimal

from invoicing.month_end.rollup import RollupOutcome
from tests.integration.stored.conftest import OldBooks


def test_a_draft_goes_on_from_what_an_old_invoice_billed(books: OldBooks) -> None:
    # Invoiced 2,160 and then 2,200 hours, all over the allowance; now 2,210.
    assert books.run("pilot", "2026-06", force=True).outcome is RollupOutcome.REPLACED
    assert books.cents("pilot", "2026-06", "adjustment") == [10]
    # 50.00 + 7.50 + 0.10, and GST.
    assert books.amounts("pilot", "2026-06") == (5760, 576, 6336)
    late = books.invoice("pilot", "2026-06").billed.late["2026-04"]
    segment = "pilot 2026-01-10"
    assert late.before == {segment: {"droplet_hours": Decimal(2200)}}
    assert late.after == {segment: {"droplet_hours": Decimal(2210)}}
    assert late.terms == "1675ec5dbb375bac"
    last = books.item("pilot", "2026-06-01")["attempt"]
    assert books.item("pilot", "2026-04")["attempt"] == last


def test_it_is_not_billed_again_after_that(books: OldBooks) -> None:
    books.run("pilot", "2026-06", force=True)
    assert books.run("pilot", "2026-06", force=True).reason == "unchanged"
    books.run("pilot", "2026-07")
    assert books.cents("pilot", "2026-07", "adjustment") == []


def test_a_discount_and_a_commitment_act_on_late_usage(books: OldBooks) -> None:
    # Invoiced up to 8,488 hours, 70.00 over, 12.00 off; now 71.00 and 12.10. The 100.00 are met.
    assert books.run("ibis", "2026-06").outcome is RollupOutcome.ROLLED
    assert books.cents("ibis", "2026-06", "adjustment") == [-10, 100]
    # June itself comes up to the commitment of 100.00; and 0.90.
    assert books.amounts("ibis", "2026-06") == (10090, 1009, 11099)


def test_late_usage_of_a_pool_is_split_by_usage(books: OldBooks) -> None:
    books.run("currawong", "2026-05")
    # 508 hours over were 5.08, for 1,000 and 500 hours 3.39 and 1.69; 608 are 6.08, for 1,000
    # and 600 hours 3.80 and 2.28.
    assert books.cents("currawong", "2026-05", "adjustment") == [41, 59]
    # Twice 20.00, 7.50 and 1.00.
    assert books.amounts("currawong", "2026-05") == (4850, 485, 5335)


def test_late_usage_of_an_invoice_on_several_pages(books: OldBooks) -> None:
    books.run("saltbush", "2026-05")
    assert books.cents("saltbush", "2026-05", "adjustment") == [50]
    assert books.amounts("saltbush", "2026-05") == (40050, 4005, 44055)


def test_a_customer_who_left_and_paid_everything_gets_no_more_invoices(books: OldBooks) -> None:
    assert books.run("redgum", "2026-06").outcome is RollupOutcome.NOTHING_TO_INVOICE
