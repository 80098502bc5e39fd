"""Changes an invoice's state, as reviewed, for the person at the command line."""

from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from cli.invoices.show_lifecycle import standing_table, state_line
from cli.stack.caller_identity import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.arguments import invoice_name
from cli.terminal.ask import confirmed, someone_is_there
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import show
from cli.terminal.tables import invoice_table, print_table
from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.invoices import lifecycle
from invoicing.invoices.invoice import Issue, header_json, invoice_json
from invoicing.invoices.invoices_table import InvoiceNotFound, InvoicesTable
from invoicing.invoices.lifecycle import (
    Action,
    ChangeRequest,
    InvalidChangeRequest,
    InvoiceChange,
    read_change_request,
)
from invoicing.invoices.lifecycle_table import LifecycleTable
from quote_engine import Period

NOT_NAMED = "--revision or --fingerprint: name what was reviewed"


@dataclass(frozen=True, slots=True)
class Named:
    """The options of a change: what was reviewed, if the person says so, and the reason."""

    revision: int | None
    fingerprint: str | None
    reason: str | None

    @property
    def any_given(self) -> bool:
        """Whether any of the options is given."""
        return self != Named(None, None, None)

    def request(self, action: Action) -> ChangeRequest:
        """The request for this change; raises BadInput for a faulty option."""
        options = {
            "revision": self.revision,
            "fingerprint": self.fingerprint,
            "reason": self.reason,
        }
        try:
            # Options that are not given are left out.
            present = {name: value for name, value in options.items() if value is not None}
            return read_change_request(action, present)
        except InvalidChangeRequest as error:
            raise BadInput(f"--{error}") from error


def change_invoice(chosen: Chosen, action: Action, invoice_id: str, named: Named) -> None:
    """Makes the change and shows the invoice.

    If the change is refused, shows how the invoice stands instead and raises NotAllowed.
    """
    tenant_id, period = invoice_name(invoice_id)
    asks = named.revision is None and named.fingerprint is None
    if asks and (chosen.as_json or not someone_is_there()):
        raise BadInput(NOT_NAMED)
    # A faulty request is refused before anything is read.
    request = None if asks else named.request(action)
    stack = chosen.connect()
    try:
        request = request or _reviewed(stack, tenant_id, period, action, named)
        change = _change(stack, action, request)
        table = LifecycleTable(stack.settings.invoices_table)
        header = table.change(tenant_id, period, change)
    except (InvoiceNotFound, UnknownTenant) as error:
        raise BadInput(str(error)) from error
    except lifecycle.ChangeRefused as error:
        standing = header_json(error.current)
        body = {"refused": str(error), "current": standing}
        show(chosen.as_json, body, lambda: standing_table(standing))
        raise NotAllowed(f"{invoice_id}: {error}") from error
    body = header_json(header)
    show(chosen.as_json, body, Table, state_line(body))


def _reviewed(
    stack: Stack, tenant_id: str, period: Period, action: Action, named: Named
) -> ChangeRequest:
    """Shows the invoice and asks; the request names the very revision shown.

    Raises NotAllowed if the person does not agree.
    """
    invoice = InvoicesTable(stack.settings.invoices_table).get(tenant_id, period)
    name = stack.accounts.account(tenant_id).tenant.name
    print_table(invoice_table(invoice_json(invoice), name))
    revision = invoice.header.revision
    if not confirmed(f"{action.title()} revision {revision} as shown?"):
        raise NotAllowed(f"{invoice.header.id}: nothing was done")
    return Named(revision, named.fingerprint, named.reason).request(action)


def _change(stack: Stack, action: Action, request: ChangeRequest) -> InvoiceChange:
    at = datetime.now(UTC)
    issue = Issue.at(at, stack.settings) if action is Action.ISSUE else None
    return InvoiceChange(action, request, caller(stack), at, issue)
