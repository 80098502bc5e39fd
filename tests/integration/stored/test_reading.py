"""Everything that commit 6b321da stored is read."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from invoicing.accounts.account import Segment
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.invoices.billed_usage import terms_of
from invoicing.invoices.billing_history_table import BillingHistoryTable
from invoicing.invoices.invoice import refuse_inconsistent
from invoicing.invoices.invoice_history import history_json
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.month_reader import MonthReader
from invoicing.month_end.uninvoiced_table import UninvoicedTable
from invoicing.pricing.quotes_table import QuotesTable
from invoicing.usage.metering import Metering
from invoicing.usage.usage_event import UsageOutcome
from invoicing.usage.usage_events_table import UsageEventsTable
from quote_engine import Discount, Period
from tests.integration.stored.conftest import OldBooks
from tests.integration.stored.contents import (
    CURRENT,
    INVOICES,
    TABLES,
    StoredRevision,
    stored_items,
    stored_terms,
)

APRIL, MAY, JUNE = (Period.month(f"2026-{month:02}") for month in (4, 5, 6))
UTC_ZONE = ZoneInfo("UTC")


def test_the_tables_hold_what_was_stored_and_nothing_else(books: OldBooks) -> None:
    for table in TABLES:
        found = sorted(books.stack.raw_items(table), key=repr)
        assert found == sorted(stored_items(table), key=repr)


def test_every_account_is_read(books: OldBooks) -> None:
    ids = [name for page in books.stack.accounts.tenant_ids(None, 1000) for name in page]
    assert len(ids) == 25
    accounts = {tenant_id: books.stack.accounts.account(tenant_id) for tenant_id in ids}
    assert sum(len(account.segments) for account in accounts.values()) == 48
    free = {name for name, account in accounts.items() if account.tenant.tax == "gst_free"}
    assert free == {"acme", "cove"}
    assert accounts["pilot"].tenant.account_number == "1001"
    assert accounts["redgum"].unsubscribed == {"redgum-lab"}


def test_segments_keep_their_terms(books: OldBooks) -> None:
    account = books.stack.accounts.account
    first, second = date(2026, 4, 1), date(2026, 4, 16)
    assert account("grevillea").segments == (
        Segment("grevillea", "grevillea", first, date(2026, 4, 15), "studio", 1),
        Segment(
            *("grevillea", "grevillea", second, None, "studio", 1, ()),
            discounts=(Discount(percent=Decimal(10)), Discount(amount=Decimal("5.00"))),
        ),
    )
    possum = [segment.addons for segment in account("possum").segments]
    load_balancer = AddonChoice("load_balancer", 1, 1)
    assert possum == [
        (load_balancer, AddonChoice("storage_50gb", 1, 2)),
        (load_balancer, AddonChoice("storage_50gb", 1, 3)),
    ]
    ironbark = account("ironbark").segments
    terms = [(each.plan_code, each.plan_version, each.minimum_commitment) for each in ironbark]
    assert terms == [
        ("meter", 1, Decimal("100.00")),
        ("meter", 2, Decimal("100.00")),
        ("meter", 2, Decimal("62.00")),
        ("workshop", 1, Decimal("93.00")),
    ]


def test_records_keep_their_versions(books: OldBooks) -> None:
    tenants, subscriptions = TenantsTable("accounts"), SubscriptionsTable("accounts")
    assert [tenants.get(name).version for name in ("pilot", "acme")] == [1, 2]  # type: ignore[union-attr]
    stored = subscriptions.get("wattle", "wattle")
    assert stored is not None
    assert (stored.version, len(stored.record.segments)) == (2, 2)
    assert books.stack.accounts.owners(["wattle", "redgum-lab"]) == {
        "wattle": "wattle",
        "redgum-lab": "redgum",
    }


def test_the_catalogue_has_equal_plans_of_two_versions(books: OldBooks) -> None:
    plans, addons = PriceVersions("accounts", PLANS), PriceVersions("accounts", ADDONS)
    codes = ("flat", "fleet", "growth", "kinds", "meter", "studio", "workshop")
    first, second = (plans.several([(code, n) for code in codes]) for n in (1, 2))
    assert [each.record for each in first] == [each.record for each in second]
    prices = [str(each.record.price) for each in first]
    assert prices == ["50.00", "20.00", "120.00", "10.00", "0.00", "50.00", "0.00"]
    kinds = first[3].record
    assert [(rate.resource_kind, rate.model) for rate in kinds.rates] == [
        ("egress_mb", "per_unit"),
        ("emails", "package"),
        ("licence_days", "per_unit"),
        ("render_jobs", "graduated"),
        ("snapshot_gb", "volume"),
        ("vm_hours", "per_unit"),
    ]
    newest = plans.newest("studio")
    assert newest is not None
    assert (newest.version, newest.record.price) == (3, Decimal("55.00"))
    assert [each.record.price for each in addons.several([("storage_50gb", 1)])] == [
        Decimal("7.50")
    ]


def test_every_revision_is_read(books: OldBooks) -> None:
    found = []
    for each in INVOICES:
        period = Period.month(each.label)
        invoice = books.stack.invoices.get(each.tenant_id, period, each.revision)
        refuse_inconsistent(invoice)
        header = invoice.header
        amounts = header.subtotal_cents, header.tax_cents, header.total_cents
        state = header.revision, header.number, header.status.value
        found.append(StoredRevision(header.tenant_id, header.period.label, *state, *amounts))
    assert found == list(INVOICES)


def test_an_invoice_on_three_pages_is_read_whole(books: OldBooks) -> None:
    assert books.item("saltbush", "2026-04-01")["pages"] == {"N": "3"}
    invoice = books.invoice("saltbush", "2026-04")
    assert [line.kind for line in invoice.lines] == [*["plan_base", "overage"] * 8, "tax"]
    assert len(invoice.billed.segments) == 8
    assert {used["droplet_hours"] for used in invoice.billed.usage.values()} == {Decimal(1500)}


def test_unpriced_usage_and_flags_are_read(books: OldBooks) -> None:
    unpriced = books.invoice("quokka", "2026-04").unpriced
    assert sorted((each.resource_kind, each.quantity) for each in unpriced) == [
        ("droplet_hours", Decimal(10)),
        ("tape_hours", Decimal(9)),
    ]
    listed = {each.header.tenant_id: each for each in books.stack.lists.whole_period(APRIL)}
    assert {name: dict(each.flags) for name, each in listed.items() if each.flags} == {
        "quokka": {"unpriced_usage": 2}
    }


def test_a_month_lists_its_current_invoices(books: OldBooks) -> None:
    for label in ("2026-03", "2026-04", "2026-05", "2026-06"):
        listed = books.stack.lists.whole_period(Period.month(label))
        assert [(each.header.tenant_id, each.header.number) for each in listed] == [
            (each.tenant_id, each.number) for each in CURRENT if each.label == label
        ]


def test_the_history_of_an_invoice_is_read(books: OldBooks) -> None:
    revisions = books.lifecycle.revisions("wren", APRIL)
    done = books.lifecycle.history("wren", APRIL)
    entries = history_json("wren.2026-04", revisions, done)["entries"]
    columns = ("action", "outcome", "revision", "by", "reason")
    assert [tuple(entry[name] for name in columns) for entry in entries] == [
        ("create", "done", 1, "run run-of-april", None),
        ("replace", "done", 2, "run forced-run-of-april", None),
        ("issue", "done", 2, "finance", None),
        ("issue", "refused", 2, "boss", None),
        ("void", "done", 2, "finance", "wrong hours"),
    ]
    # 100 hours at a cent, and a tenth of that.
    assert [change["cents"] for change in entries[1]["changes"]] == [100, 10]
    assert entries[3]["detail"] == "issued already, by finance at 2026-05-03T00:00:00+00:00"


def test_the_billing_history_is_read(books: OldBooks) -> None:
    history = BillingHistoryTable("invoices", UTC_ZONE).around("pilot", JUNE)
    assert [(month.period.label, month.status) for month in history.months] == [
        ("2026-03", "paid"),
        ("2026-04", "paid"),
        ("2026-05", "issued"),
    ]
    last = books.item("pilot", "2026-05-01")["attempt"]["S"]
    assert history.last_billed_by == {"2026-04": last}
    billed = {each.month.period.label: each.billed_so_far for each in history.late_candidates}
    assert {label: usage["pilot 2026-01-10"] for label, usage in billed.items()} == {
        "2026-03": {"droplet_hours": Decimal(2200)},
        "2026-04": {"droplet_hours": Decimal(2200)},
        "2026-05": {"droplet_hours": Decimal(1000)},
    }


def test_the_digests_of_terms_are_those_that_were_stored(books: OldBooks) -> None:
    """To the digit: by another digest no month that has late usage could be made again."""
    found = {
        f"{each.tenant_id}.{each.label}": terms_of(
            books.invoice(each.tenant_id, each.label).billed.segments, Period.month(each.label)
        )
        for each in CURRENT
    }
    assert found == stored_terms()
    # The digest of a month is that of the invoice that billed its late usage.
    late = {
        f"{each.tenant_id}.{label}": billed.terms
        for each in CURRENT
        for label, billed in books.invoice(each.tenant_id, each.label).billed.late.items()
    }
    assert late == {
        "acme.2026-04": "d761544297df70c4",
        "ibis.2026-04": "19dfb4ddf61d42ea",
        "kauri.2026-04": "3539e30b3dd3a7a9",
        "lyrebird.2026-04": "ee805c2a4fca574a",
        "mulga.2026-04": "cc74a0ebebdcec55",
        "pilot.2026-04": "1675ec5dbb375bac",
        "redgum.2026-04": "543000b5d90df226",
    }
    assert late.items() <= found.items()


def test_the_accounts_still_have_the_terms_that_were_invoiced(books: OldBooks) -> None:
    """Read from the accounts, the segments of a month have the digest of its invoice."""
    for each in CURRENT:
        period = Period.month(each.label)
        segments = books.stack.accounts.account(each.tenant_id).segments
        active = [segment for segment in segments if segment.active_in(period)]
        invoiced = {segment.starts_on for segment in books.invoice(*each[:2]).billed.segments}
        if invoiced == {segment.starts_on for segment in active}:
            assert terms_of(active, period) == stored_terms()[f"{each[0]}.{each[1]}"], each


def test_runs_and_the_stored_report_are_read(books: OldBooks) -> None:
    month_ends = MonthEndsTable("accounts")
    runs = [(run.run_id, run.by, run.force, run.named) for run in month_ends.runs(APRIL)]
    assert runs == [
        ("run-of-april", "schedule", False, ()),
        ("forced-run-of-april", "finance", True, ("saltbush", "wattle", "wren")),
    ]
    report = month_ends.stored_report(APRIL)
    assert report is not None
    assert report["invoiced"] == {"draft": 24, "issued": 1, "paid": 0, "void": 0}


def test_a_months_report_is_made_of_old_invoices(books: OldBooks) -> None:
    listing = MonthReader.over(books.settings).listing(APRIL)
    statuses = Counter(listed.header.status.value for listed in listing.invoices)
    assert statuses == {"draft": 9, "issued": 11, "paid": 3, "void": 2}
    assert listing.unlisted == ()


def test_the_note_of_a_failure_is_read(books: OldBooks) -> None:
    note = UninvoicedTable("invoices", "accounts").read(["nobody"], APRIL).failures["nobody"]
    assert note.reason == "UnknownTenant: tenant nobody is not in the accounts table"
    assert note.sent_at == datetime(2026, 5, 1, 3, 0, 1, tzinfo=UTC)


def test_a_quote_is_read(books: OldBooks) -> None:
    [quote_id] = [
        item["pk"]["S"].removeprefix("quote#")
        for item in stored_items("accounts")
        if item["sk"]["S"] == "quote"
    ]
    quote = QuotesTable("accounts").get(quote_id)
    assert (quote.tenant_id, quote.as_json["total_cents"]) == ("pilot", 7064)


def test_an_event_that_was_counted_is_not_counted_again(books: OldBooks) -> None:
    metering = Metering(books.stack.accounts, UsageEventsTable("usage"), UTC_ZONE)
    sent = {
        "id": "e-1",
        "source": "collector-1",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": "720",
        "occurred_at": "2026-04-10T12:00:00Z",
    }
    [result] = metering.record([sent], datetime(2026, 4, 13, tzinfo=UTC))
    assert result.outcome is UsageOutcome.DUPLICATE
    # 3 x 720 metered, 40 and 10 late.
    total = books.stack.usage.totals(["pilot"], APRIL)["pilot"]
    assert total.quantities == {"droplet_hours": Decimal(2210)}
