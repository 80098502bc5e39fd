"""`monthend issue`, `pay`, `void` and `history`: what people do to reviewed invoices."""

from typing import Annotated

import typer

from cli.invoices.change_invoice import Named, change_invoice
from cli.invoices.show_lifecycle import history_table, with_identities
from cli.month_end.issue_month import MonthWords, issue_month
from cli.stack.global_options import Chosen
from cli.terminal.arguments import invoice_name
from cli.terminal.errors import BadInput
from cli.terminal.output import show
from invoicing.invoices.invoice_history import history_json
from invoicing.invoices.lifecycle import Action
from invoicing.invoices.lifecycle_table import LifecycleTable

InvoiceId = Annotated[str, typer.Argument(metavar="TENANT.YYYY-MM")]
Revision = Annotated[int | None, typer.Option(min=1, help="the revision that was reviewed")]
Fingerprint = Annotated[str | None, typer.Option(help="or the fingerprint that was reviewed")]
Reason = Annotated[str | None, typer.Option(help="kept in the history")]
NeededReason = Annotated[str, typer.Option(help="kept in the history")]


def issue(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    context: typer.Context,
    invoice_id: Annotated[str | None, typer.Argument(metavar="TENANT.YYYY-MM")] = None,
    revision: Revision = None,
    fingerprint: Fingerprint = None,
    reason: Annotated[
        str | None, typer.Option(help="kept in the history; needed for a held draft")
    ] = None,
    period: Annotated[str | None, typer.Option(help="all drafts of a month instead")] = None,
    reviewed: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="with --period: the report's digest")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=REASON", help="with --period: issue a held one; repeatable"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="with --period: do not ask")] = False,
) -> None:
    """Issue a draft, or all drafts of a month, as reviewed.

    Without a revision or a digest, what there is is shown, and you are asked.
    """
    named = Named(revision, fingerprint, reason)
    words = MonthWords(override or (), reviewed, yes)
    if (invoice_id is None) == (period is None):
        raise BadInput("give either an invoice or --period")
    if period is not None:
        if named.any_given:
            raise BadInput("--period: goes with --reviewed, --override and --yes alone")
        issue_month(context.obj, period, words)
    elif invoice_id is not None:
        if words.any_given:
            raise BadInput("--reviewed, --override and --yes: go with --period alone")
        change_invoice(context.obj, Action.ISSUE, invoice_id, named)


def pay(
    context: typer.Context,
    invoice_id: InvoiceId,
    revision: Revision = None,
    fingerprint: Fingerprint = None,
    reason: Reason = None,
) -> None:
    """Mark an issued invoice as paid."""
    change_invoice(context.obj, Action.PAY, invoice_id, Named(revision, fingerprint, reason))


def void(
    context: typer.Context,
    invoice_id: InvoiceId,
    reason: NeededReason,
    revision: Revision = None,
    fingerprint: Fingerprint = None,
) -> None:
    """Void a draft or an issued invoice. It stays readable; a forced run bills its month anew."""
    change_invoice(context.obj, Action.VOID, invoice_id, Named(revision, fingerprint, reason))


def history(context: typer.Context, invoice_id: InvoiceId) -> None:
    """Who did what to an invoice and when, also what was refused, and what each run changed."""
    chosen: Chosen = context.obj
    tenant_id, period = invoice_name(invoice_id)
    table = LifecycleTable(chosen.connect().settings.invoices_table)
    revisions = table.revisions(tenant_id, period)
    if not revisions:
        raise BadInput(f"no invoice of {tenant_id}, {period.start.isoformat()}")
    done = list(table.history(tenant_id, period))
    answer = history_json(f"{tenant_id}.{period.label}", revisions, done)
    body = with_identities(answer, done)
    show(chosen.as_json, body, lambda: history_table(body))
