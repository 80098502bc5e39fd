"""The keys of the invoices table are those that stored items already have."""

from datetime import date

from invoicing.invoices.keys import (
    all_shards,
    corrected_key,
    current_key,
    done_key,
    first_day_in,
    history_of_month,
    history_partition,
    is_corrected_key,
    is_last_billed_key,
    last_billed_key,
    month_in,
    page_key,
    pages_of_attempt,
    pages_of_revision,
    pages_partition,
    period_shard,
    refused_key,
    replaced_key,
    replaced_revisions,
)
from quote_engine import Period

APRIL = Period.month("2026-04")


def test_every_shape_of_key_is_written_as_it_always_was() -> None:
    assert current_key(APRIL) == "2026-04-01"
    assert replaced_key("2026-04-01", 2) == "2026-04-01#r2"
    assert last_billed_key("2026-04") == "2026-04"
    assert corrected_key("2026-04") == "2026-04~corrected"
    assert pages_partition("acme") == "acme#pages"
    assert page_key("2026-04-01", 2, "feb1a71e", 3) == "2026-04-01#r0002#feb1a71e#0003"
    assert history_partition("acme") == "acme#history"
    assert done_key(APRIL, 1, "issue") == "2026-04-01#r0001#issue"
    moment = "2026-05-02T01:00:00+00:00"
    assert refused_key(APRIL, moment, "be72") == f"2026-04-01#{moment}#be72"


def test_a_replaced_invoice_finds_its_pages_by_the_day_that_its_key_begins_with() -> None:
    assert pages_of_revision("2026-04-01#r1", 1) == "2026-04-01#r0001#"
    assert pages_of_attempt("2026-04-01#r1", 1, "feb1a71e") == "2026-04-01#r0001#feb1a71e#"
    assert page_key("2026-04-01", 1, "feb1a71e", 2).startswith(
        pages_of_attempt("2026-04-01#r1", 1, "feb1a71e")
    )


def test_what_an_item_is_shows_in_its_key() -> None:
    assert is_last_billed_key("2026-04")
    assert not is_last_billed_key("2026-04-01")
    assert not is_last_billed_key("2026-04-01#r1")
    assert not is_last_billed_key("2026-04~corrected")
    assert is_corrected_key("2026-04~corrected")
    for key in ("2026-04", "2026-04-01", "2026-04-01#r1"):
        assert not is_corrected_key(key)
    assert month_in("2026-04~corrected") == APRIL
    for key in ("2026-04-01", "2026-04-01#r12"):
        assert month_in(key) == APRIL
        assert first_day_in(key) == date(2026, 4, 1)


def test_who_billed_late_usage_sorts_in_front_of_the_month_and_nothing_else_begins_alike() -> None:
    keys = sorted(["2026-04-01#r1", "2026-04-01", "2026-04", "2026-03-01", "2026-05-01"])
    assert keys == ["2026-03-01", "2026-04", "2026-04-01", "2026-04-01#r1", "2026-05-01"]
    assert done_key(APRIL, 1, "pay").startswith(history_of_month(APRIL))


def test_a_tenant_stays_in_its_shard() -> None:
    # crc32 of the id, modulo 16: a tenant that moved would be listed twice.
    assert period_shard("pilot", "2026-04") == "2026-04#02"
    assert len(set(all_shards("2026-04"))) == 16
    assert period_shard("acme", "2026-04") in all_shards("2026-04")


def test_a_mark_sorts_behind_the_month_and_begins_like_no_invoice() -> None:
    keys = sorted(["2026-04~corrected", "2026-04-01#r12", "2026-04-01", "2026-05", "2026-04"])
    assert keys == ["2026-04", "2026-04-01", "2026-04-01#r12", "2026-04~corrected", "2026-05"]
    for prefix in (current_key(APRIL), replaced_revisions("2026-04-01"), history_of_month(APRIL)):
        assert not corrected_key("2026-04").startswith(prefix)
