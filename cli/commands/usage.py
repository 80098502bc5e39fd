"""`monthend usage ...`: metered usage."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.stack.global_options import Chosen, Command
from cli.terminal.arguments import deployment_id, event_source, moment, month, tenant_id
from cli.terminal.errors import BadInput, ExitCode
from cli.terminal.output import complain, show
from cli.usage.correct_import import correct_import
from cli.usage.correct_usage import correct_usage
from cli.usage.correction_words import CorrectionWords
from cli.usage.import_report import (
    NOT_COUNTED,
    import_json,
    import_summary,
    too_late_warning,
)
from cli.usage.input_file import opened
from cli.usage.listed_lines import lines_table
from cli.usage.months_of_usage import month_of_deployment, months_of_tenant
from cli.usage.run_import import ImportOrder, run_import
from cli.usage.show_usage import show_usage
from invoicing.foundation.billing_calendar import period_of

usage = typer.Typer(rich_markup_mode=None, help="Metered usage.")

AGAIN = "run the same command again: what was counted is a duplicate then"


@usage.command("import", cls=Command)
def import_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv|-")],
    received_at: Annotated[
        str | None,
        typer.Option(help="judge the age of events by this moment (now); see docs/cli.md"),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="count rows for days under this name, beside what is counted under others",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="read and judge, write nothing; whether a month's total has room is not known, "
            "nor what others count in the meantime",
        ),
    ] = False,
) -> None:
    """Count the usage of a CSV file, exactly once; again is safe, and so is breaking off."""
    chosen: Chosen = context.obj
    now = datetime.now(UTC)
    received = now if received_at is None else moment("--received-at", received_at)
    event_source("--source", source)
    with opened(file) as input_file:
        stack = chosen.connect()
        order = ImportOrder(received, received_at is not None, source, dry_run)
        report = run_import(stack, input_file, order)
    body = import_json(report)
    show(chosen.as_json, body, lambda: lines_table(body["rows"]), import_summary(report))
    if warning := too_late_warning(report, now, stack.zone):
        complain(warning)
    if report.broken_off is not None:
        complain(f"monthend: broken off: {report.broken_off}; {AGAIN}")
    if report.broken_off is not None or NOT_COUNTED & report.counts.keys():
        raise typer.Exit(ExitCode.REFUSED)


@usage.command("show", cls=Command)
def show_command(
    context: typer.Context,
    deployment: Annotated[str | None, typer.Argument(metavar="DEPLOYMENT")] = None,
    tenant: Annotated[str | None, typer.Option(help="all deployments of a tenant instead")] = None,
    period: Annotated[str | None, typer.Option(help="a month (the current one)")] = None,
) -> None:
    """Show what is counted in a month, day by day, with its corrections and imports."""
    chosen: Chosen = context.obj
    wanted = None if period is None else month(period)
    if deployment is not None and tenant is None:
        name = deployment_id("DEPLOYMENT", deployment)
        stack = chosen.connect()
        body = month_of_deployment(stack, name, wanted or period_of(datetime.now(UTC), stack.zone))
        show_usage(chosen.as_json, body, [body])
    elif tenant is not None and deployment is None:
        whose = tenant_id("--tenant", tenant)
        stack = chosen.connect()
        body = months_of_tenant(stack, whose, wanted or period_of(datetime.now(UTC), stack.zone))
        show_usage(chosen.as_json, body, body["deployments"])
    else:
        raise BadInput("give either a deployment or --tenant")


@usage.command("correct", cls=Command)
def correct_command(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="kept with the correction")],
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE.csv|-", help="take a whole import back")
    ] = None,
    deployment: Annotated[str | None, typer.Option(help="whose usage")] = None,
    kind: Annotated[str | None, typer.Option(help="of a day: the resource kind")] = None,
    day: Annotated[str | None, typer.Option(help="of a day: such as 2026-10-14")] = None,
    event: Annotated[str | None, typer.Option(help="of an event: its id")] = None,
    source: Annotated[str | None, typer.Option(help="of an event or a file: its source")] = None,
    expect: Annotated[str | None, typer.Option(help="what stands now")] = None,
    quantity: Annotated[str | None, typer.Option(help="what is to stand")] = None,
    named: Annotated[
        str | None, typer.Option("--id", help="names this correction; a repeat changes nothing")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="of a file: change nothing, and say what would be")
    ] = False,
) -> None:
    """Take back what was counted wrongly: of a day, of an event, or by a whole file.

    Without --expect, what stands is shown, and you are asked.
    """
    options = (deployment, kind, day, event, source, expect, quantity)
    words = CorrectionWords.named(named, reason, options)
    if file is not None:
        if not correct_import(context.obj, file, words, dry_run):
            raise typer.Exit(ExitCode.REFUSED)
    elif dry_run:
        raise BadInput("--dry-run: goes with FILE.csv alone")
    else:
        correct_usage(context.obj, words)
