"""`monthend usage ...`: metered usage."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.stack.global_options import Chosen, Command
from cli.terminal.arguments import moment
from cli.terminal.errors import ExitCode
from cli.terminal.output import complain, progress, show
from cli.usage.usage_file import Rows, read_usage
from cli.usage.usage_import import (
    NOT_COUNTED,
    import_json,
    import_summary,
    import_table,
    import_usage,
    too_late_warning,
)
from invoicing.usage.metering import Metering
from invoicing.usage.usage_events_table import UsageEventsTable

usage = typer.Typer(rich_markup_mode=None, help="Metered usage.")


@usage.command("import", cls=Command)
def import_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv")],
    received_at: Annotated[
        str | None,
        typer.Option(help="judge the age of events by this moment (now); see docs/cli.md"),
    ] = None,
) -> None:
    """Count the usage of a CSV file, exactly once; again is safe, and so is breaking off."""
    chosen: Chosen = context.obj
    now = datetime.now(UTC)
    received = now if received_at is None else moment("--received-at", received_at)
    stack = chosen.connect()
    events = UsageEventsTable(stack.settings.usage_table, forgets=received_at is None)
    metering = Metering(stack.accounts, events, stack.zone)

    def rows() -> Rows:
        return read_usage(file, stack.zone)

    with progress("events", lambda: sum(1 for _ in rows())) as advance:
        report = import_usage(metering, rows(), received, stack.zone, advance)
    body = import_json(report)
    show(chosen.as_json, body, lambda: import_table(report), import_summary(report))
    if warning := too_late_warning(report, now, stack.zone):
        complain(warning)
    if NOT_COUNTED & report.counts.keys():
        raise typer.Exit(ExitCode.REFUSED)
