"""Many workers on one (tenant, period) at once, on a store with real concurrency."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from threading import Barrier

from pynamodb.exceptions import TransactWriteError

from invoicing.accounts.account import Tenant
from invoicing.invoices.billed_usage import NOTHING_BILLED
from invoicing.invoices.invoice import Invoice, Revision, new_invoice
from invoicing.invoices.invoices_table import InvoiceAlreadyExists, InvoiceChanged
from invoicing.month_end.rollup import RollupOutcome, RollupResult
from invoicing.month_end.rollup_message import RollupMessage
from quote_engine import Period, Plan, QuoteRequest, Subscription, price
from tests.e2e.conftest import Deployed

WORKERS = 16
JUNE = Period.month("2025-06")


def message(tenant_id: str, period: str, *, force: bool = False) -> RollupMessage:
    """Returns a rollup message of a run by hand."""
    return RollupMessage(
        version=1,
        tenant_id=tenant_id,
        period=period,
        run_id="race",
        run_at=datetime(2026, 5, 1, 3, tzinfo=UTC),
        force=force,
    )


def at_once[T](work: Callable[[int], T]) -> list[T]:
    """Starts sixteen workers at the same moment; returns their results."""
    start = Barrier(WORKERS)

    def worker(number: int) -> T:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(WORKERS) as threads:
        return list(threads.map(worker, range(WORKERS)))


def _roll_up(deployed: Deployed, rollup_message: RollupMessage, _worker: int) -> RollupResult:
    return deployed.rollup.roll_up(rollup_message)


def test_sixteen_workers_write_one_invoice_and_agree(deployed: Deployed) -> None:
    for period in ("2025-10", "2025-11", "2025-12"):
        rollup_message = message("acme", period)
        results = at_once(partial(_roll_up, deployed, rollup_message))
        assert Counter(result.outcome for result in results) == {"rolled": 1, "skipped": 15}
        headers = {result.header for result in results}
        assert len(headers) == 1
        stored = deployed.rollup.invoices.get("acme", Period.month(period))
        assert headers == {stored.header}


def test_sixteen_forced_workers_replace_a_draft_once(deployed: Deployed) -> None:
    deployed.rollup.roll_up(message("acme", "2025-09"))
    deployed.rollup.pricing.usage.add(
        "acme", "acme-dispatch", date(2025, 9, 30), {"droplet_hours": Decimal(5000)}
    )

    def force(_: int) -> RollupResult | None:
        try:
            return deployed.rollup.roll_up(message("acme", "2025-09", force=True))
        except (InvoiceChanged, TransactWriteError):
            # As on the queue: the message fails, comes again, and finds nothing left to change.
            return None

    outcomes = Counter(result.outcome for result in at_once(force) if result)
    assert outcomes[RollupOutcome.REPLACED] == 1
    assert outcomes.keys() <= {RollupOutcome.REPLACED, RollupOutcome.SKIPPED}
    current = deployed.rollup.invoices.get("acme", Period.month("2025-09")).header
    assert current.revision == 2
    retried = deployed.rollup.roll_up(message("acme", "2025-09", force=True))
    assert (retried.outcome, retried.header) == ("skipped", current)


def _large_invoice(tenant_id: str, dollars: int) -> Invoice:
    plan = Plan("flat", "Flat", Decimal(dollars), "none", ())
    subscriptions = tuple(
        Subscription(f"deployment-{n:05}", date(2025, 1, 1), None, plan, (), {})
        for n in range(4999)
    )
    request = QuoteRequest(JUNE, "AUD", "gst", subscriptions)
    tenant = Tenant(tenant_id, "Large", "9000", "gst")
    return new_invoice(tenant, request, price(request), Revision(1, None), NOTHING_BILLED)


def test_sixteen_large_invoices_at_once_leave_one_whole_and_no_orphans(
    deployed: Deployed,
) -> None:
    invoices = [_large_invoice("large", dollars) for dollars in range(1, WORKERS + 1)]

    def create(number: int) -> bool:
        try:
            deployed.rollup.invoices.create(invoices[number])
        except InvoiceAlreadyExists:
            return False
        return True

    won = at_once(create)
    assert won.count(True) == 1
    stored = deployed.rollup.invoices.get("large", JUNE)
    assert stored == invoices[won.index(True)]
    pages = [i for i in deployed.raw_invoices() if i["tenant_id"]["S"] == "large#pages"]
    [header] = [i for i in deployed.raw_invoices() if i["tenant_id"]["S"] == "large"]
    attempt = header["attempt"]["S"]
    assert len(pages) == int(header["pages"]["N"]) - 1
    assert all(attempt in page["period_start"]["S"] for page in pages)


def test_5000_lines_are_read_and_listed_over_http(deployed: Deployed) -> None:
    invoice = _large_invoice("larger", 7)
    deployed.rollup.invoices.create(invoice)
    token = deployed.local.token("admin")
    answer = deployed.call("/invoices/larger.2025-06", token).json
    assert len(answer["lines"]) == 5000
    assert sum(line["amount_cents"] for line in answer["lines"]) == answer["total_cents"]
    # 4,999 times $7.00 is $34,993.00, and GST $3,499.30.
    assert answer["total_cents"] == 3849230
    listed = deployed.call("/invoices?tenant_id=larger", token).json["invoices"]
    assert [entry["total_cents"] for entry in listed] == [3849230]


def test_readers_during_a_large_write_see_all_of_it_or_nothing(deployed: Deployed) -> None:
    invoice = _large_invoice("largest", 3)
    token = deployed.local.token("admin")

    def read_or_write(number: int) -> set[int]:
        if number == 0:
            deployed.rollup.invoices.create(invoice)
            return set()
        seen = set()
        for _ in range(4):
            answer = deployed.call("/invoices/largest.2025-06", token)
            seen.add(len(answer.json["lines"]) if answer.status == 200 else answer.status)
        return seen

    assert set().union(*at_once(read_or_write)) <= {404, 5000}


def test_a_second_revision_is_a_number_of_its_own(deployed: Deployed) -> None:
    current = deployed.rollup.invoices
    draft = _large_invoice("numbered", 2)
    current.create(draft)
    again = replace(draft.header, revision=2, number="2506-9000B")
    current.replace(current.stored("numbered", JUNE), Invoice(again, draft.lines))
    numbers = {
        item["number"]["S"]
        for item in deployed.raw_invoices()
        if item["tenant_id"]["S"] == "numbered"
    }
    assert numbers == {"2506-9000", "2506-9000B"}
