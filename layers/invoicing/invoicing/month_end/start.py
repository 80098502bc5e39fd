"""The start of a month-end: which period, which tenants, and how far this invocation got."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.billing_calendar import period_before, refuse_future, refuse_open_period
from invoicing.foundation.settings import Settings
from invoicing.month_end.month_ends_table import MonthEndsTable, RunRecord
from invoicing.month_end.rollup_message import MESSAGE_VERSION, RollupMessage
from invoicing.month_end.send_messages import send_messages
from invoicing.month_end.start_event import StartRequest
from quote_engine import Period

TENANTS_PER_PAGE = 1000
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class MonthEndRun:
    """One run: its id, its own time, its period, and whether it is forced or dry."""

    run_id: str
    run_at: datetime
    period: Period
    force: bool
    dry_run: bool = False

    def message(self, tenant_id: str) -> RollupMessage:
        """Returns the rollup message for one tenant."""
        return RollupMessage(
            version=MESSAGE_VERSION,
            tenant_id=tenant_id,
            period=self.period.label,
            run_id=self.run_id,
            run_at=self.run_at,
            force=self.force,
            dry_run=self.dry_run,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages this invocation sent, and the tenant after which the next continues."""

    sent: int
    after: str | None

    @property
    def complete(self) -> bool:
        """Whether every tenant has been sent a message."""
        return self.after is None


def month_end(
    request: StartRequest, settings: Settings, *, run_id: str, now: datetime
) -> MonthEndRun:
    """Returns the requested run; without a period, it is for the month of `month_to_bill`.

    Raises PeriodStillOpen for a period that is not over yet at the run's own time, and
    TimeInFuture for a time in the future.
    """
    run_at, zone = request.time or now, settings.zone
    refuse_future(run_at, now)
    period = Period.month(request.period) if request.period else month_to_bill(run_at, zone)
    refuse_open_period(period, run_at, zone)
    name = request.run_id or run_id
    return MonthEndRun(name, run_at, period, request.force, request.dry_run)


def month_to_bill(run_at: datetime, zone: ZoneInfo) -> Period:
    """Returns the previous month by the billing zone or by UTC, whichever is later.

    At 03:00 UTC on 1 May it is still April in Los Angeles. The month is then April, which is
    refused because it is not over. Billing March once more, in silence, would look like a
    month-end that worked.
    """
    months = (period_before(run_at, zone), period_before(run_at, UTC_ZONE))
    return max(months, key=lambda period: period.start)


def record_run(run: MonthEndRun, request: StartRequest, month_ends: MonthEndsTable) -> None:
    """Records who started which run, for the month's report; a continuation is recorded already.

    A dry run leaves nothing behind but its log.
    """
    if run.dry_run or request.after is not None:
        return
    named = None if request.tenant_ids is None else sorted(set(request.tenant_ids))
    tenants = None if named is None else len(named)
    record = RunRecord(run.run_id, run.run_at, request.by, run.force, tenants, tuple(named or ()))
    month_ends.record(run.period, record)


def send_month_end(
    run: MonthEndRun,
    tenant_pages: Iterator[list[str]],
    queue_url: str,
    out_of_time: Callable[[], bool],
) -> Progress:
    """Sends a message per tenant, page by page, until all are sent or time runs out.

    Named tenants are one page and never continued (the caller's `out_of_time` stays false): a
    continuation would go on with the next tenant of all, named or not.

    Raises whatever the listing or the queue raises: a run is never called complete in error.
    """
    sent = 0
    for tenant_ids in tenant_pages:
        sent += send_messages(queue_url, (run.message(tenant_id) for tenant_id in tenant_ids))
        if tenant_ids and out_of_time():
            return Progress(sent, after=tenant_ids[-1])
    return Progress(sent, after=None)


def pages_of_tenants(request: StartRequest, accounts: AccountsTable) -> Iterator[list[str]]:
    """Returns the named tenants, or all tenants, page by page."""
    if request.tenant_ids is not None:
        return iter([sorted(set(request.tenant_ids))])
    return accounts.tenant_ids(request.after, TENANTS_PER_PAGE)
