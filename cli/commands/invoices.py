"""`monthend invoices` and `monthend invoice`: what has been billed."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.stack.global_options import Chosen
from cli.stack.pages import every_page
from cli.terminal.arguments import invoice_name, month, tenant_id
from cli.terminal.errors import BadInput
from cli.terminal.output import show
from cli.terminal.tables import invoice_table, invoices_table
from cli.terminal.text import counted
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.invoices.invoice import Header, InvoiceStatus, header_json, invoice_json
from invoicing.invoices.invoice_lists_table import HeaderFilter, InvoiceLists
from invoicing.invoices.invoices_table import InvoiceNotFound, InvoicesTable

HEADERS_A_READ = 200


def invoices(
    context: typer.Context,
    period: Annotated[str | None, typer.Option(help="a month, such as 2026-04")] = None,
    tenant: Annotated[str | None, typer.Option(help="a tenant's id")] = None,
    status: Annotated[InvoiceStatus | None, typer.Option(help="a state")] = None,
) -> None:
    """List current invoices."""
    chosen: Chosen = context.obj
    whose = None if tenant is None else tenant_id("--tenant", tenant)
    wanted = HeaderFilter(whose, None if period is None else month(period), status)
    lists = InvoiceLists(chosen.connect().settings.invoices_table)

    def read(after: str | None) -> tuple[Sequence[Header], str | None]:
        page = lists.page(wanted, HEADERS_A_READ, after)
        return page.headers, page.next_position

    headers = [header_json(header) for page in every_page(read) for header in page]
    title = counted(len(headers), "invoice") + ("" if period is None else f" of {period}")
    summary = "" if headers else "No invoices."
    show(chosen.as_json, {"invoices": headers}, lambda: invoices_table(headers, title), summary)


def invoice(
    context: typer.Context,
    invoice_id: Annotated[str, typer.Argument(metavar="TENANT.YYYY-MM")],
    revision: Annotated[int | None, typer.Option(min=1, help="a replaced revision")] = None,
) -> None:
    """Show one invoice."""
    chosen: Chosen = context.obj
    whose, period = invoice_name(invoice_id)
    stack = chosen.connect()
    try:
        stored = InvoicesTable(stack.settings.invoices_table).get(whose, period, revision)
        name = stack.accounts.account(whose).tenant.name
    except (InvoiceNotFound, UnknownTenant) as error:
        raise BadInput(str(error)) from error
    body = invoice_json(stored)
    show(chosen.as_json, body, lambda: invoice_table(body, name))
