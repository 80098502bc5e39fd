"""Old invoices are issued, paid, voided and refused as those of today are."""

from decimal import Decimal

import pytest

from invoicing.invoices.invoices_table import InvoiceAlreadyExists
from invoicing.invoices.lifecycle import Action, ChangeRefused
from invoicing.month_end.rollup import RollupOutcome
from invoicing.usage.usage_table import InvalidUsage
from quote_engine import Period
from tests.integration.stored.conftest import OldBooks
from tests.integration.stored.contents import CURRENT

APRIL = Period.month("2026-04")
CLOSED = [each for each in CURRENT if each.status in ("issued", "paid")]
DRAFTS = [each for each in CURRENT if each.status == "draft"]


def test_issued_and_paid_ones_stay_byte_equal_under_force(books: OldBooks) -> None:
    before = books.stack.raw_items("invoices")
    for each in CLOSED:
        result = books.run(each.tenant_id, each.label, force=True)
        reason = "paid: it stays" if each.status == "paid" else "issued: void it first"
        assert (result.outcome, result.reason) == (RollupOutcome.REFUSED, reason), each
    assert books.stack.raw_items("invoices") == before


def test_without_force_every_invoice_stays_as_it_is(books: OldBooks) -> None:
    before = books.stack.raw_items("invoices")
    for each in CURRENT:
        assert books.run(each.tenant_id, each.label).outcome is RollupOutcome.SKIPPED
    assert books.stack.raw_items("invoices") == before


def test_an_old_draft_is_issued_and_paid_at_the_amount_that_was_reviewed(books: OldBooks) -> None:
    draft = books.item("wattle", "2026-04-01")
    books.change(Action.ISSUE, "wattle", "2026-04")
    books.change(Action.PAY, "wattle", "2026-04")
    paid = books.item("wattle", "2026-04-01")
    changed = {"status", "issued_at", "due_on"}
    assert {name: paid[name] for name in draft if name not in changed} == {
        name: draft[name] for name in draft if name not in changed
    }
    assert {name: paid[name]["S"] for name in changed} == {
        "status": "paid",
        "issued_at": "2026-12-01T03:00:00+00:00",
        "due_on": "2026-12-15",
    }
    history = [entry.action for entry in books.lifecycle.history("wattle", APRIL)]
    assert history == ["issue", "pay"]


def test_every_old_draft_can_be_issued(books: OldBooks) -> None:
    for each in DRAFTS:
        header = books.change(Action.ISSUE, each.tenant_id, each.label)
        assert (header.status, header.number) == ("issued", each.number)
        assert header.total_cents == each.total_cents


def test_an_old_paid_invoice_is_not_voided(books: OldBooks) -> None:
    with pytest.raises(ChangeRefused, match="a paid invoice: cannot void"):
        books.change(Action.VOID, "pilot", "2026-04")


def test_a_voided_month_is_made_again_and_what_was_replaced_stays_readable(
    books: OldBooks,
) -> None:
    for tenant_id, revision, amounts in (
        # 1,600 hours used: 112 of them over, at a cent.
        ("wren", 2, (5112, 511, 5623)),
        ("plover", 1, (5000, 500, 5500)),
    ):
        void = books.item(tenant_id, "2026-04-01")
        assert books.run(tenant_id, "2026-04", force=True).outcome is RollupOutcome.REPLACED
        header = books.invoice(tenant_id, "2026-04").header
        assert (header.status, header.revision) == ("draft", revision + 1)
        assert books.amounts(tenant_id, "2026-04") == amounts
        kept = books.item(tenant_id, f"2026-04-01#r{revision}")
        # All of it but the shard, which would list it.
        moved = {"period_start", "period_shard"}
        assert {name: void[name] for name in void if name not in moved} == {
            name: kept[name] for name in kept if name not in moved
        }


@pytest.mark.parametrize(
    ("tenant_id", "number"),
    [
        # Issued as B after a draft without a letter, and void.
        ("wren", "2604-1024C"),
        # Void as the first document; the draft B after it was repriced.
        ("lory", "2604-1021B"),
        # Void before it was ever issued.
        ("plover", "2604-1025"),
        # A draft from the start.
        ("snipe", "2604-1022"),
    ],
)
def test_a_month_goes_on_after_its_highest_issued_letter(
    books: OldBooks, tenant_id: str, number: str
) -> None:
    for _ in range(3):
        books.stack.usage.add(tenant_id, tenant_id, APRIL.start, {"droplet_hours": Decimal(5000)})
        assert books.run(tenant_id, "2026-04", force=True).outcome is RollupOutcome.REPLACED
        assert books.invoice(tenant_id, "2026-04").header.number == number
    assert books.change(Action.ISSUE, tenant_id, "2026-04").number == number


def test_an_issued_invoice_on_several_pages_is_voided_and_made_again(books: OldBooks) -> None:
    old = books.invoice("saltbush", "2026-04")
    books.change(Action.VOID, "saltbush", "2026-04")
    assert books.run("saltbush", "2026-04", force=True).outcome is RollupOutcome.REPLACED
    # Eight times 50.00 and 12 hours at a cent; 50 late hours are April's own again.
    assert books.amounts("saltbush", "2026-04") == (40146, 4015, 44161)
    kept = books.stack.invoices.get("saltbush", APRIL, 2)
    assert (kept.lines, kept.billed) == (old.lines, old.billed)
    assert len(books.lifecycle.revisions("saltbush", APRIL)) == 3


@pytest.mark.parametrize(
    ("tenant_id", "kind", "quantity"),
    [("mulga", "render_jobs", "100"), ("ibis", "droplet_hours", "1488")],
)
def test_a_voided_month_leaves_to_the_old_invoice_after_it_what_that_one_bills(
    books: OldBooks, tenant_id: str, kind: str, quantity: str
) -> None:
    books.change(Action.VOID, tenant_id, "2026-04")
    assert books.run(tenant_id, "2026-04", force=True).outcome is RollupOutcome.REPLACED
    usage = books.invoice(tenant_id, "2026-04").billed.usage
    assert {str(used[kind]) for used in usage.values()} == {quantity}


def test_a_voided_month_is_not_made_again_on_other_terms_under_an_old_invoice(
    books: OldBooks,
) -> None:
    """Ibis has lost its discount since, and May billed late usage of April with it."""
    key = {"pk": {"S": "ibis"}, "sk": {"S": "sub#ibis#2026-04-01"}}
    document = '{"plan_code": "studio", "plan_version": 1, "addons": [], "ends_on": null}'
    books.stack.dynamodb.put_item(TableName="accounts", Item=key | {"document": {"S": document}})
    books.change(Action.VOID, "ibis", "2026-04")
    refusal = r"invoice ibis\.2026-05 bills late usage of 2026-04 by other subscriptions"
    with pytest.raises(InvalidUsage, match=refusal):
        books.run("ibis", "2026-04", force=True)


def test_an_old_invoice_is_the_only_one_of_its_month(books: OldBooks) -> None:
    invoice = books.invoice("heron", "2026-04")
    with pytest.raises(InvoiceAlreadyExists):
        books.stack.invoices.create(invoice)
