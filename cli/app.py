"""The command line: what each command takes, and what the shell is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.catalogue_file import CatalogueRefused
from cli.documents import Fault
from cli.errors import BadInput, CommandError, ExitCode, aws_fault
from cli.inputs import read_load
from cli.load import Loader
from cli.output import complain, progress, show
from cli.quotes import read_request
from cli.report import any_refused, load_document, load_summary, load_table
from cli.show import invoice_table, invoices_table, lines_table
from cli.stack import Stack, connect
from cli.usage_file import read_usage
from cli.usage_import import (
    NOT_COUNTED,
    LastingUsageEvents,
    import_document,
    import_summary,
    import_table,
    import_usage,
)
from invoicing.accounts_table import AccountsTable, UnknownTenant
from invoicing.invoice import InvoiceStatus, header_document, invoice_document
from invoicing.invoice_lists_table import HeaderFilter, InvoiceLists
from invoicing.invoices_table import InvoiceNotFound, InvoicesTable
from invoicing.metering import Metering
from invoicing.usage_event import RFC_3339
from invoicing.usage_events_table import UsageEventsTable
from quote_engine import InvalidRequest, Period, price, quote_document

PROGRAM = "monthend"
GLOBAL_FLAG, GLOBAL_OPTION = "--json", "--stack"
HEADERS_A_READ = 200


class AnywhereGroup(TyperGroup):
    """`--json` and `--stack` may stand anywhere, not just before the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, anywhere(args))


def anywhere(words: list[str]) -> list[str]:
    """The words, with the global options first."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word == GLOBAL_FLAG or word.startswith(f"{GLOBAL_OPTION}="):
            front.append(word)
        elif word == GLOBAL_OPTION:
            front += [word, *(value for value in [next(remaining, None)] if value is not None)]
        else:
            rest.append(word)
    return front + rest


app = typer.Typer(
    name=PROGRAM,
    cls=AnywhereGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
usage = typer.Typer(rich_markup_mode=None, help="Metered usage.")
app.add_typer(usage, name="usage")


class Chosen:
    """The global options of this run."""

    def __init__(self, stack: str | None, as_json: bool) -> None:
        self._stack = stack
        self.as_json = as_json

    def connect(self) -> Stack:
        """The stack that the command works on."""
        return connect(self._stack)


@app.callback()
def options(
    context: typer.Context,
    stack: Annotated[
        str | None,
        typer.Option(help="CloudFormation stack, with your own AWS credentials (the local one)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Month-end invoicing from the command line. --stack and --json may stand anywhere.

    Exit codes: 0 fine, 1 something was refused and is listed, 2 usage or bad input, 3 AWS or the
    stack is not reachable.
    """
    context.obj = Chosen(stack, as_json)


def _refuse_all(faults: tuple[Fault, ...], as_json: bool) -> None:
    for fault in faults:
        complain(f"{fault.place}: {fault.reason}")
    complain("The catalogue is refused as a whole; nothing was written.")
    if as_json:
        rows = [{"place": fault.place, "reason": fault.reason} for fault in faults]
        show(as_json, {"catalogue_refused": rows}, lambda: load_table([]))
    raise typer.Exit(ExitCode.REFUSED)


@app.command()
def load(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER...")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="read and check, write nothing")
    ] = False,
) -> None:
    """Store a catalogue and customers from YAML or CSV; again is safe."""
    chosen: Chosen = context.obj
    try:
        wanted = read_load(paths)
    except CatalogueRefused as refused:
        _refuse_all(refused.faults, chosen.as_json)
        return
    loader = Loader(AccountsTable(chosen.connect().accounts_table), dry_run)
    with progress("rows", lambda: wanted.size) as advance:
        rows = loader.load(wanted, advance)
    document = load_document(rows, dry_run)
    show(chosen.as_json, document, lambda: load_table(rows), load_summary(rows, dry_run))
    if any_refused(rows):
        raise typer.Exit(ExitCode.REFUSED)


def _moment(text: str) -> datetime:
    if not RFC_3339.fullmatch(text):
        raise BadInput(
            f"--received-at: must be a time with a zone, such as 2026-05-01T00:00:00Z, not {text}"
        )
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--received-at: {error}") from error


@usage.command("import")
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
    received = _moment(received_at) if received_at else datetime.now(UTC)
    stack = chosen.connect()
    events = LastingUsageEvents if received_at else UsageEventsTable
    metering = Metering(AccountsTable(stack.accounts_table), events(stack.usage_table), stack.zone)

    def total() -> int:
        return sum(1 for _ in read_usage(file, stack.zone))

    with progress("events", total) as advance:
        report = import_usage(metering, read_usage(file, stack.zone), received, advance)
    document = import_document(report)
    show(chosen.as_json, document, lambda: import_table(report), import_summary(report))
    if NOT_COUNTED & report.counts.keys():
        raise typer.Exit(ExitCode.REFUSED)


def _period(label: str) -> Period:
    try:
        return Period.month(label)
    except ValueError as error:
        raise BadInput(str(error)) from error


@app.command()
def invoices(
    context: typer.Context,
    period: Annotated[str | None, typer.Option(help="a month, such as 2026-04")] = None,
    tenant: Annotated[str | None, typer.Option(help="a tenant's id")] = None,
    status: Annotated[InvoiceStatus | None, typer.Option(help="a state")] = None,
) -> None:
    """List current invoices."""
    chosen: Chosen = context.obj
    wanted = HeaderFilter(tenant, _period(period) if period else None, status)
    lists = InvoiceLists(chosen.connect().invoices_table)
    headers: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = lists.page(wanted, HEADERS_A_READ, after)
        headers += map(header_document, page.headers)
        after = page.next_position
        if after is None:
            break
    title = f"{len(headers)} invoices" + (f" of {period}" if period else "")
    show(chosen.as_json, {"invoices": headers}, lambda: invoices_table(headers, title))


@app.command()
def invoice(
    context: typer.Context,
    invoice_id: Annotated[str, typer.Argument(metavar="TENANT.YYYY-MM")],
    revision: Annotated[int | None, typer.Option(min=1, help="a replaced revision")] = None,
) -> None:
    """Show one invoice."""
    chosen: Chosen = context.obj
    tenant_id, dot, label = invoice_id.rpartition(".")
    if not (tenant_id and dot):
        raise BadInput(f"an invoice is TENANT.YYYY-MM, such as pilot.2026-04, not {invoice_id}")
    period = _period(label)
    stack = chosen.connect()
    try:
        found = InvoicesTable(stack.invoices_table).get(tenant_id, period, revision)
        name = AccountsTable(stack.accounts_table).account(tenant_id).tenant.name
    except (InvoiceNotFound, UnknownTenant) as error:
        raise BadInput(str(error)) from error
    document = invoice_document(found)
    show(chosen.as_json, document, lambda: invoice_table(document, name))


@app.command()
def quote(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="REQUEST.json|-")],
) -> None:
    """Price a request as an invoice would be; no AWS is needed."""
    try:
        request = read_request(file)
    except InvalidRequest as error:
        for fault in error.faults:
            complain(f"{file}: {fault}")
        raise typer.Exit(ExitCode.BAD_INPUT) from error
    priced = price(request)
    for left in priced.unpriced:
        complain(
            f"{left.deployment_id}: no rate for {left.quantity:f} {left.resource_kind}; not billed"
        )
    document = quote_document(request, priced)
    title = f"Quote for {request.period.start:%B %Y}"
    show(context.obj.as_json, document, lambda: lines_table(document, title))


def main(words: list[str] | None = None) -> int:
    """Runs a command; the exit code. Errors are one line on standard error."""
    try:
        code = app(args=words, prog_name=PROGRAM, standalone_mode=False) or ExitCode.FINE
    except TyperException as error:
        complain(f"{PROGRAM}: {error.format_message()}")
        return ExitCode.BAD_INPUT
    except CommandError as error:
        complain(f"{PROGRAM}: {error}")
        return error.exit_code
    except Exception as error:
        fault = aws_fault(error)
        if fault is None:
            raise
        complain(f"{PROGRAM}: {fault}")
        return ExitCode.NOT_REACHABLE
    if code == ExitCode.INTERRUPTED:
        complain(
            f"{PROGRAM}: stopped; run the same command again, nothing is stored or counted twice"
        )
    return int(code)
