"""Follows a run to its end by the month's report and the queue; nothing is counted twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.month_end.closed_month import report_now
from cli.month_end.start_run import StartedRun
from cli.stack.queues import depth
from cli.stack.stack import Stack
from cli.terminal.errors import NotAllowed
from cli.terminal.tables import console
from invoicing.month_end.report import MonthReport
from quote_engine import Period

POLL_SECONDS = 2.0
# A failed message comes again after six minutes; waiting longer than this is pointless.
STALLED_SECONDS = 600.0
# With an empty queue no tenant is worked on; Lambda retries the start for three minutes.
STRANDED_SECONDS = 240.0
# SQS reports a queue's depth with a delay; new messages usually show within this time.
QUIET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Where a run stands; only the tenants that it is for are counted."""

    started: bool
    invoiced: int
    failing: int
    waiting: int
    queued: int

    @property
    def total(self) -> int:
        """How many tenants are due."""
        return self.invoiced + self.failing + self.waiting

    @property
    def busy(self) -> bool:
        """Whether the queue holds more than the failed messages, which come again."""
        return self.queued > self.failing


def look_of(report: MonthReport, run: StartedRun, queued: int) -> RunProgress:
    """Where the run stands according to the month's report.

    A tenant counts as failing once this run has tried it; an earlier run's note says nothing.
    """
    named = run.request.tenant_ids
    meant = frozenset(named) if named is not None else None

    def is_meant(tenant_id: str) -> bool:
        return meant is None or tenant_id in meant

    failed = [failure for failure in report.failed if is_meant(failure.tenant_id)]
    failing = sum(failure.run_id == run.run_id for failure in failed)
    missing = sum(map(is_meant, report.missing))
    return RunProgress(
        started=any(record.run_id == run.run_id for record in report.runs),
        invoiced=sum(is_meant(invoice.header.tenant_id) for invoice in report.invoices),
        failing=failing,
        waiting=missing + len(failed) - failing,
        queued=queued,
    )


@dataclass(slots=True)
class Follower:
    """Judges each look at a run, until everybody is invoiced or has failed."""

    run: StartedRun
    _seen: RunProgress | None = None
    _changed_at: float = field(default_factory=monotonic)
    _busy_at: float = field(default_factory=monotonic)

    def is_over(self, look: RunProgress) -> bool:
        """Whether the run has done all it can; raises NotAllowed if nothing happens any more.

        A forced run changes invoices that exist already. Only the queue shows that it has done so:
        the queue has to be quiet for a while.
        """
        now = monotonic()
        if look.busy:
            self._busy_at = now
        if look != self._seen:
            self._seen, self._changed_at = look, now
        quiet = not self.run.request.force or now - self._busy_at >= QUIET_SECONDS
        if look.started and not look.waiting and quiet:
            return True
        unchanged = now - self._changed_at
        if unchanged > (STALLED_SECONDS if look.queued else STRANDED_SECONDS):
            state = f"{look.waiting} tenants still wait" if look.started else "it has not started"
            hint = (
                "" if look.queued else ", and the queue is empty: see the log of start_month_end"
            )
            minutes = int(unchanged // 60)
            raise NotAllowed(f"nothing happens for {minutes} minutes: {state}{hint}")
        return False


def follow(stack: Stack, period: Period, run: StartedRun) -> MonthReport:
    """Waits for the run's end and returns the month's report; a person who watches sees a bar."""
    sqs, follower = stack.client("sqs"), Follower(run)
    with _bar() as update:
        while True:
            began = monotonic()
            report = report_now(stack, period)
            look = look_of(report, run, depth(sqs, stack.settings.rollup_queue_url))
            update(look)
            if follower.is_over(look):
                return report
            # A large month's report takes a while: at most half of the time goes into reading it.
            sleep(max(POLL_SECONDS, monotonic() - began))


@contextmanager
def _bar() -> Iterator[Callable[[RunProgress], None]]:
    output = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    hidden = not output.is_terminal
    with Progress(*columns, console=output, transient=True, disable=hidden) as bar:
        task = bar.add_task("starting", total=None)

        def update(look: RunProgress) -> None:
            done = look.invoiced + look.failing
            description = (
                f"{look.invoiced:,} invoiced, {look.failing:,} failing, {look.queued:,} queued"
            )
            bar.update(task, description=description, total=look.total, completed=done)

        yield update
