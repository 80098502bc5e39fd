"""The hourly sweep of a month's end: who is due and has no invoice gets a message once more."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import ends_at, refuse_open_period
from invoicing.foundation.parallel import OutOfTime, TimeLimit
from invoicing.foundation.settings import Settings
from invoicing.month_end.dispatch import send_messages
from invoicing.month_end.month_ends_table import RunRecord
from invoicing.month_end.month_reader import ListedMonth, MonthReader, TenantCheck
from invoicing.month_end.report import MonthReport, month_report
from invoicing.month_end.report_json import stored_report_json
from invoicing.month_end.start import MonthEndRun, month_to_bill
from quote_engine import Period

# A tenant is late six hours after the first run for everybody; without one, six hours after the
# hour at which the schedule's own default, 03:00, would have started it.
LATE_AFTER, UNSTARTED_LATE_AFTER = timedelta(hours=6), timedelta(hours=9)
BY_SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found and did.

    `missing` and `failed` are how many tenants were due and had no invoice before it sent them a
    message; of a sweep that ran out of time (no `report`), of those that it had looked at.
    """

    run_id: str
    period: Period
    missing: int
    failed: int
    late: int
    started: bool
    sent: int
    report: MonthReport | None

    @property
    def metrics(self) -> dict[str, int]:
        """What alarms are raised on."""
        return {
            "tenants_missing": self.missing,
            "tenants_failed": self.failed,
            "tenants_missing_late": self.late,
            "run_not_started": 0 if self.started else 1,
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sweeps one month's end, over the deployed tables and queue."""

    books: MonthReader
    queue_url: str
    zone: ZoneInfo

    @classmethod
    def over(cls, settings: Settings) -> "Sweep":
        """The sweep of a deployment."""
        return cls(MonthReader.over(settings), settings.rollup_queue_url, settings.zone)

    def sweep(self, at: datetime, limit: TimeLimit) -> Swept:
        """Sweeps the month before the moment, which becomes the time of the messages' run.

        A message may still be on the queue from before: it makes one more that is skipped. The
        report is stored as it was before the messages; of a month too large for the limit, what
        was looked at has its messages, and the next sweep goes on with less to look at.
        Raises PeriodStillOpen.
        """
        period = month_to_bill(at, self.zone)
        refuse_open_period(period, at, self.zone)
        run = MonthEndRun(f"sweep-{at:%Y-%m-%dT%H:%M:%SZ}", at, period, force=False)
        listing, looks, sent, complete = self.books.listing(period), [], [], True
        try:
            for found in self.books.looks(listing, limit):
                looks += found
                sent += self._send(run, found)
        except OutOfTime:
            complete = False
        if sent:
            listing = replace(listing, runs=(*listing.runs, self._record(run, sent)))
        report = month_report(listing, looks, at)
        if complete:
            self.books.month_ends.store_report(
                period, stored_report_json(report) | {"stored": True}
            )
        return self._swept(run, report, listing, len(sent), complete)

    def _send(self, run: MonthEndRun, looks: list[TenantCheck]) -> list[str]:
        due = [look.tenant_id for look in looks if look.due and look.invoice is None]
        if due:
            send_messages(self.queue_url, (run.message(tenant_id) for tenant_id in due))
        return due

    def _record(self, run: MonthEndRun, sent: list[str]) -> RunRecord:
        kept = RunRecord(run.run_id, run.run_at, BY_SWEEP, run.force, len(sent), tuple(sent))
        self.books.month_ends.record(run.period, kept)
        return kept

    def _swept(
        self,
        run: MonthEndRun,
        report: MonthReport,
        listing: ListedMonth,
        sent: int,
        complete: bool,
    ) -> Swept:
        missing, failed = len(report.missing), len(report.failed)
        late = run.run_at >= late_from(listing, self.zone)
        return Swept(
            run_id=run.run_id,
            period=run.period,
            missing=missing,
            failed=failed,
            late=missing + failed if late else 0,
            started=any(each.full for each in listing.runs),
            sent=sent,
            report=report if complete else None,
        )


def swept_json(swept: Swept) -> dict[str, Any]:
    """What the sweep found and did, as its log shows it."""
    return {
        "run_id": swept.run_id,
        "period": swept.period.label,
        **swept.metrics,
        "sent": swept.sent,
        "complete": swept.report is not None,
    }


def late_from(listing: ListedMonth, zone: ZoneInfo) -> datetime:
    """From which moment on (UTC) a tenant without an invoice is late."""
    full = [run.run_at for run in listing.runs if run.full]
    if full:
        return min(full) + LATE_AFTER
    return ends_at(listing.period, zone) + UNSTARTED_LATE_AFTER
