"""The cost of a month-end's start for each tenant: listing it, and sending its message."""

from dataclasses import dataclass

from benchmarks.dynamodb.capacity import READ_UNIT, started
from benchmarks.dynamodb.item_size import item_bytes
from benchmarks.harness.results import InvalidBenchmark
from benchmarks.harness.timing import Case, Effort, interleaved
from benchmarks.scale.measured.canned import answer_all
from benchmarks.workloads.subject import RUN_AT
from benchmarks.workloads.workload import PERIOD
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.dynamodb import connection
from invoicing.month_end.send_messages import ENTRIES, aws_client, send_messages
from invoicing.month_end.start import TENANTS_PER_PAGE, MonthEndRun
from local.environment import REGION

QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/000000000000/rollup"
IDS = [f"tenant-{number:07}" for number in range(TENANTS_PER_PAGE)]
US_IN_A_MS = 1_000


@dataclass(frozen=True, slots=True)
class StartCost:
    """CPU milliseconds for a full page of tenants, and the read units of one tenant in it."""

    list_ms: float
    send_ms: float
    list_units: float


def _list_page(accounts: AccountsTable) -> None:
    (page,) = accounts.tenant_ids(None, TENANTS_PER_PAGE)
    if page != IDS:
        raise InvalidBenchmark("start: the listing is not the page it was given")


def _send_page(run: MonthEndRun) -> None:
    sent = send_messages(QUEUE_URL, (run.message(tenant_id) for tenant_id in IDS))
    if sent != len(IDS):
        raise InvalidBenchmark(f"start: {sent} messages of {len(IDS)} were sent")


def start_cost(effort: Effort) -> StartCost:
    """Measures the start's own code over canned answers: one full page, one batch a call."""
    listed = [
        {"pk": {"S": tenant_id}, "sk": {"S": "tenant"}, "kind": {"S": "tenant"}}
        for tenant_id in IDS
    ]
    page = {"Items": listed, "Count": len(IDS), "ScannedCount": len(IDS)}
    sent = [{"Id": str(n), "MessageId": "M" * 36, "MD5OfMessageBody": "0" * 32} for n in range(10)]
    connection.cache_clear()
    restorers = (
        answer_all(connection().client, page),
        answer_all(aws_client("sqs"), {"Successful": sent[:ENTRIES], "Failed": []}),
    )
    try:
        cases = [
            Case("list", _list_page, AccountsTable("AccountsTable")),
            Case("send", _send_page, MonthEndRun("benchmark", RUN_AT, PERIOD, force=False)),
        ]
        measured_us = interleaved(cases, effort)
    finally:
        for restore in restorers:
            restore()
        connection.cache_clear()
    listing, sending = (min(measured_us[case.name]) / US_IN_A_MS for case in cases)
    # An index is read without asking for consistency, which halves its units.
    page_units = started(sum(map(item_bytes, listed)), READ_UNIT) / 2
    return StartCost(listing, sending, page_units / len(IDS))
