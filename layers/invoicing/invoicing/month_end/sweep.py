"""The hourly sweep of a month's end: a tenant due without an invoice gets another message."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import refuse_open_period
from invoicing.foundation.settings import Settings
from invoicing.foundation.time_limit import OutOfTime, TimeLimit
from invoicing.month_end.lateness import late_from
from invoicing.month_end.month_ends_table import RunRecord
from invoicing.month_end.month_reader import ListedMonth, MonthReader, TenantCheck
from invoicing.month_end.report import MonthReport, month_report
from invoicing.month_end.report_json import stored_report_json
from invoicing.month_end.send_messages import send_messages
from invoicing.month_end.start import MonthEndRun, month_to_bill
from quote_engine import Period

BY_SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found and did.

    `missing` and `failed` are how many tenants were due and had no invoice before it sent them a
    message. If the sweep ran out of time (no `report`), they cover the tenants it had checked.
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
        """The metrics on which alarms are raised."""
        return {
            "tenants_missing": self.missing,
            "tenants_failed": self.failed,
            "tenants_missing_late": self.late,
            "run_not_started": 0 if self.started else 1,
        }


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sweeps one month's end, over the deployed tables and queue."""

    reader: MonthReader
    queue_url: str
    zone: ZoneInfo

    @classmethod
    def over(cls, settings: Settings) -> "Sweep":
        """Returns the sweep of a deployment."""
        return cls(MonthReader.over(settings), settings.rollup_queue_url, settings.zone)

    def sweep(self, at: datetime, limit: TimeLimit) -> Swept:
        """Sweeps the month before `at`, which becomes the time of the messages' run.

        An earlier message may still be on the queue: one of the two is then skipped. The report is
        stored as it was before the messages. In a month too large for the limit, the tenants
        checked so far have their messages, and the next sweep has fewer tenants to check.
        Raises PeriodStillOpen.
        """
        period = month_to_bill(at, self.zone)
        refuse_open_period(period, at, self.zone)
        run = MonthEndRun(f"sweep-{at:%Y-%m-%dT%H:%M:%SZ}", at, period, force=False)
        listing, checks, sent, complete = self.reader.listing(period), [], [], True
        try:
            for batch in self.reader.checks(listing, limit):
                checks += batch
                sent += self._send(run, batch)
        except OutOfTime:
            complete = False
        if sent:
            listing = replace(listing, runs=(*listing.runs, self._record(run, sent)))
        report = month_report(listing, checks, at)
        if complete:
            self.reader.month_ends.store_report(
                period, stored_report_json(report) | {"stored": True}
            )
        return self._swept(run, report, listing, len(sent), complete)

    def _send(self, run: MonthEndRun, checks: list[TenantCheck]) -> list[str]:
        due = [check.tenant_id for check in checks if check.due and check.invoice is None]
        if due:
            send_messages(self.queue_url, (run.message(tenant_id) for tenant_id in due))
        return due

    def _record(self, run: MonthEndRun, sent: list[str]) -> RunRecord:
        record = RunRecord(run.run_id, run.run_at, BY_SWEEP, run.force, len(sent), tuple(sent))
        self.reader.month_ends.record(run.period, record)
        return record

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
            started=any(record.full for record in listing.runs),
            sent=sent,
            report=report if complete else None,
        )


def swept_json(swept: Swept) -> dict[str, Any]:
    """Returns what the sweep found and did, as its log shows it."""
    return {
        "run_id": swept.run_id,
        "period": swept.period.label,
        **swept.metrics,
        "sent": swept.sent,
        "complete": swept.report is not None,
    }
