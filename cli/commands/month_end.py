"""`monthend run`, `status`, `report` and `preview`: a month's end from its start to its review."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from cli.month_end.closed_month import EVERYTHING, closed_month, report_now
from cli.month_end.follow_run import follow
from cli.month_end.month_queues import queue_lines
from cli.month_end.preview_month import previews_of, unforced
from cli.month_end.show_month import show_month
from cli.month_end.show_preview import preview_summary, preview_table, worth_showing
from cli.month_end.start_run import StartedRun, run_request, start_run
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.errors import BadInput, NotAllowed, NotReachable, Stopped, aws_fault
from cli.terminal.output import progress, show
from cli.terminal.tables import console
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.preview import FAILED
from invoicing.month_end.report_json import report_json
from invoicing.month_end.rollup import RollupOutcome
from invoicing.month_end.run_request import RunRequest
from quote_engine import Period

PeriodOption = Annotated[str | None, typer.Option(help="a month (the one before this)")]
Tenants = Annotated[
    list[str] | None, typer.Option(metavar="T", help="only this tenant; repeatable")
]


def run(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    context: typer.Context,
    period: PeriodOption = None,
    tenant: Tenants = None,
    force: Annotated[bool, typer.Option("--force", help="reprice drafts, bill void ones")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what it would do")] = False,
    wait: Annotated[
        bool | None, typer.Option("--wait/--no-wait", help="until it is over (if you watch)")
    ] = None,
) -> None:
    """Run a month's end for everybody or for some; who has an invoice is skipped."""
    chosen: Chosen = context.obj
    stack, now = chosen.connect(), datetime.now(UTC)
    month = closed_month(stack, period, now)
    request = run_request(month, tenant, force)
    if dry_run:
        _preview(chosen, stack, request)
        return
    refused = _refused(stack, request, now)
    started = start_run(stack, request, now)
    if wait is None:
        wait = console(stderr=True).is_terminal
    if wait:
        _wait(chosen, stack, month, started)
        _tell(refused)
        return
    whom = "everybody" if request.tenant_ids is None else ", ".join(request.tenant_ids)
    announcement = f"Run {started.run_id} of {month.label} is started for {whom}."
    summary = f"{announcement} {_where_to_look(month)}."
    show(chosen.as_json, started.as_json | {"report": None}, Table, summary)
    _tell(refused)


def _refused(stack: Stack, request: RunRequest, at: datetime) -> list[str]:
    """Why a forced run will not make named tenants' invoices again.

    Empty for a run for everybody, whose reasons are in the log, and for a run without force.
    """
    if not request.force or request.tenant_ids is None:
        return []
    previews = previews_of(stack, Period.month(request.period), request.tenant_ids, at)
    return [
        f"{preview['tenant_id']}: {preview['reason']}"
        for preview in previews
        if preview["outcome"] == RollupOutcome.REFUSED
    ]


def _tell(refused: list[str]) -> None:
    if refused:
        raise NotAllowed(f"not made again: {'; '.join(refused)}")


def _where_to_look(period: Period) -> str:
    return f"`monthend status --period {period.label}`"


def _wait(chosen: Chosen, stack: Stack, period: Period, started: StartedRun) -> None:
    with _reporting_that_it_goes_on(chosen, started, period):
        report = follow(stack, period, started)
    body = report_json(report, EVERYTHING)
    if chosen.as_json:
        show(True, started.as_json | {"report": body}, Table)
    else:
        show_month(False, body, whole=False)
    meant = set(started.request.tenant_ids or ())
    failed = [
        failure.tenant_id for failure in report.failed if not meant or failure.tenant_id in meant
    ]
    if failed:
        raise NotAllowed(f"{len(failed)} failed; they are tried again, then they are dead letters")


@contextmanager
def _reporting_that_it_goes_on(chosen: Chosen, run: StartedRun, period: Period) -> Iterator[None]:
    """If the watching ends early, says that the run goes on, its id, and how to look at it."""
    goes_on = f"run {run.run_id} goes on: {_where_to_look(period)}"
    try:
        yield
    except BaseException as error:
        if chosen.as_json:
            show(True, run.as_json | {"report": None}, Table)
        if isinstance(error, KeyboardInterrupt):
            raise Stopped(f"stopped watching; {goes_on}") from error
        if fault := aws_fault(error):
            raise NotReachable(f"{fault}; {goes_on}") from error
        raise


def status(context: typer.Context, period: PeriodOption = None) -> None:
    """Who is invoiced, who failed and why, and who is missing."""
    _report(context.obj, period, whole=False)


def report(
    context: typer.Context,
    period: PeriodOption = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="as the last hourly sweep kept it")
    ] = False,
) -> None:
    """The whole report of a month's end: also what to review, and who started which run."""
    _report(context.obj, period, whole=True, stored=stored)


def _report(chosen: Chosen, label: str | None, *, whole: bool, stored: bool = False) -> None:
    stack = chosen.connect()
    period = closed_month(stack, label, datetime.now(UTC))
    if stored:
        body = MonthEndsTable(stack.settings.accounts_table).stored_report(period)
        if body is None:
            raise BadInput(f"--stored: no sweep has kept a report of {period.label}")
    else:
        body = report_json(report_now(stack, period), EVERYTHING)
    # Only a person sees the queues, as they are now; JSON is the report alone, as over HTTP.
    queues = () if chosen.as_json or stored else queue_lines(stack)
    show_month(chosen.as_json, body, whole=whole, more=queues)


def preview(context: typer.Context, period: PeriodOption = None, tenant: Tenants = None) -> None:
    """What a forced run would change now, tenant by tenant and line by line; writes nothing."""
    chosen: Chosen = context.obj
    stack = chosen.connect()
    month = closed_month(stack, period, datetime.now(UTC))
    _preview(chosen, stack, run_request(month, tenant, force=True))


def _preview(chosen: Chosen, stack: Stack, request: RunRequest) -> None:
    period, tenants = Period.month(request.period), request.tenant_ids or ()

    def total() -> int:
        return len(tenants) or sum(map(len, stack.accounts.tenant_ids(None, 1000)))

    with progress("tenants priced", total) as advance:
        forced = previews_of(stack, period, tenants, datetime.now(UTC), advance)
    previews = forced if request.force else [unforced(preview) for preview in forced]
    body = {"period": period.label, "previews": previews}
    title = f"{period.start:%B %Y}, {'a forced run' if request.force else 'a run'}"
    summary = preview_summary(previews)
    shown = worth_showing(previews, named=bool(tenants))
    show(chosen.as_json, body, lambda: preview_table(shown, title), summary)
    if failed := sum(preview["outcome"] == FAILED for preview in previews):
        raise NotAllowed(f"{failed} would fail")
