"""Many workers on one (tenant, period) at once, on a store with real concurrency."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from string import ascii_uppercase
from threading import Barrier
from uuid import uuid4

from pynamodb.exceptions import TransactWriteError

from invoicing.accounts.account import Segment, Tenant
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation.audit import Actor
from invoicing.invoices.billed_usage import NOTHING_BILLED
from invoicing.invoices.invoice import Invoice, Issue, Revision, new_invoice
from invoicing.invoices.invoices_table import InvoiceAlreadyExists, InvoiceChanged
from invoicing.invoices.lifecycle import (
    Action,
    ChangeRefused,
    ChangeRequest,
    InvoiceChange,
)
from invoicing.invoices.lifecycle_table import LifecycleTable
from invoicing.month_end.rollup import RollupOutcome, RollupResult
from invoicing.month_end.rollup_message import RollupMessage
from quote_engine import Period, Plan, QuoteRequest, Subscription, price
from tests.e2e.conftest import Deployed

WORKERS = 16
JUNE = Period.month("2025-06")
# Before the forced runs: one that began before a void is refused.
BEFORE = datetime(2026, 5, 1, 2, tzinfo=UTC)


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


@dataclass
class Lettered:
    """A tenant whose June is issued, voided and made again, by many at once."""

    deployed: Deployed
    issued: list[str] = field(default_factory=list)

    def issue(self) -> None:
        """Issues whatever stands, and notes its number."""
        self.issued.append(self._change(Action.ISSUE, Issue(BEFORE, date(2026, 5, 15))))

    def void(self) -> None:
        """Voids whatever stands."""
        self._change(Action.VOID, None)

    def force(self) -> None:
        """Makes June again, with more usage."""
        hours = {"droplet_hours": Decimal(5000)}
        self.deployed.rollup.pricing.usage.add("lettered", "lettered", date(2025, 6, 30), hours)
        self.deployed.rollup.roll_up(message("lettered", "2025-06", force=True))

    def _change(self, action: Action, issue: Issue | None) -> str:
        revision = self.deployed.rollup.invoices.get("lettered", JUNE).header.revision
        request = ChangeRequest(revision=revision, reason="race")
        # A person of its own each time: nobody repeats what another thread did.
        change = InvoiceChange(action, request, Actor(uuid4().hex, "Racer"), BEFORE, issue)
        table = LifecycleTable(self.deployed.rollup.settings.invoices_table)
        return table.change("lettered", JUNE, change).number

    def stored(self) -> list[str]:
        """Returns the numbers of all issued documents that are stored, the first one first."""
        documents = [
            (int(item["revision"]["N"]), item["number"]["S"])
            for item in self.deployed.raw_invoices()
            if item["tenant_id"]["S"] == "lettered" and "issued_at" in item
        ]
        return [number for _, number in sorted(documents)]


def _unless_too_late(deed: Callable[[], None]) -> None:
    """Does a deed, unless others were quicker. The queue, or a person, would try again."""
    with suppress(InvoiceChanged, ChangeRefused, TransactWriteError):
        deed()


def test_issues_voids_and_forced_runs_at_once_issue_no_number_twice(deployed: Deployed) -> None:
    accounts = deployed.rollup.pricing.accounts.name
    TenantsTable(accounts).put(Tenant("lettered", "Lettered", "9001", "gst"))
    first, last = date(2025, 6, 1), date(2025, 6, 30)
    segment = Segment("lettered", "lettered", first, last, "studio", 1)
    SubscriptionsTable(accounts).put(segment)
    deployed.rollup.roll_up(message("lettered", "2025-06"))
    june = Lettered(deployed)
    deeds = (june.force, june.issue, june.force, june.void)
    for _ in range(5):
        at_once(lambda worker: _unless_too_late(deeds[worker % len(deeds)]))
        # Whatever came of it, the month is issued and made again once more.
        for deed in (june.force, june.issue, june.void, june.force):
            _unless_too_late(deed)
    stored = june.stored()
    assert len(stored) >= 5
    # Every letter once and in a row, however many drafts came between.
    letters = ("", *ascii_uppercase[1:])[: len(stored)]
    assert stored == [f"2506-9001{letter}" for letter in letters]
    assert sorted(june.issued) == stored
