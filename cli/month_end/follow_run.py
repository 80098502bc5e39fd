"""Follows a run to its end, from the month's report and the queue: nothing is counted twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic, sleep

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli.month_end.month import report_now
from cli.month_end.start_run import StartedRun
from cli.stack.queues import depth
from cli.stack.stack import Stack
from cli.terminal.errors import NotAllowed
from cli.terminal.show import console
from invoicing.month_end.report import MonthReport
from quote_engine import Period

POLL_SECONDS = 2.0
# A message that fails comes again after six minutes; whoever waits longer waits for nothing.
STALLED_SECONDS = 600.0
# With nothing on the queue nobody works on them; Lambda tries the start again for three minutes.
STRANDED_SECONDS = 240.0
# SQS tells the depth of a queue late; what came meanwhile shows within this time, as a rule.
QUIET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Where a run stands; tenants are those that it is for."""

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
        """Whether the queue holds more than the messages that have failed and come again."""
        return self.queued > self.failing


def look_of(report: MonthReport, run: StartedRun, queued: int) -> RunProgress:
    """Where the run stands by the month's report.

    A tenant counts as failing once this run has tried it: a note of a run before says nothing.
    """
    named = run.request.tenant_ids
    meant = frozenset(named) if named is not None else None

    def is_meant(tenant_id: str) -> bool:
        return meant is None or tenant_id in meant

    failed = [each for each in report.failed if is_meant(each.tenant_id)]
    failing = sum(each.run_id == run.run_id for each in failed)
    missing = sum(map(is_meant, report.missing))
    return RunProgress(
        started=any(each.run_id == run.run_id for each in report.runs),
        invoiced=sum(is_meant(each.header.tenant_id) for each in report.invoices),
        failing=failing,
        waiting=missing + len(failed) - failing,
        queued=queued,
    )


@dataclass(slots=True)
class Follower:
    """Looks until everybody is invoiced or has failed."""

    run: StartedRun
    _seen: RunProgress | None = None
    _changed_at: float = field(default_factory=monotonic)
    _busy_at: float = field(default_factory=monotonic)

    def is_over(self, look: RunProgress) -> bool:
        """Whether the run has done all it can; raises NotAllowed if nothing happens any more.

        A forced run changes invoices that are there already. That it has done so shows only in
        the queue: it has to be quiet for a while.
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
            what = f"{look.waiting} tenants still wait" if look.started else "it has not started"
            told = (
                "" if look.queued else ", and the queue is empty: see the log of start_month_end"
            )
            minutes = int(unchanged // 60)
            raise NotAllowed(f"nothing happens for {minutes} minutes: {what}{told}")
        return False


def follow(stack: Stack, period: Period, run: StartedRun) -> MonthReport:
    """The month's report when the run is over; shows a bar while a person watches."""
    sqs, follower = stack.client("sqs"), Follower(run)
    with _bar() as update:
        while True:
            began = monotonic()
            report = report_now(stack, period)
            look = look_of(report, run, depth(sqs, stack.settings.rollup_queue_url))
            update(look)
            if follower.is_over(look):
                return report
            # A large month's report takes a while: no more than half of the time goes into it.
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
            told = f"{look.invoiced:,} invoiced, {look.failing:,} failing, {look.queued:,} queued"
            bar.update(task, description=told, total=look.total, completed=done)

        yield update
