"""One change of an invoice's state, as reviewed, by the person at the command line."""

from dataclasses import dataclass
from datetime import UTC, datetime

from rich.table import Table

from cli.invoices.show_lifecycle import standing_table, state_line
from cli.stack.caller import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.arguments import invoice_name
from cli.terminal.ask import confirmed, someone_is_there
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import show
from cli.terminal.show import invoice_table, print_table
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
    """What the person says was reviewed, if they do, and why it is done."""

    revision: int | None
    fingerprint: str | None
    reason: str | None

    @property
    def any_given(self) -> bool:
        """Whether anything is said at all."""
        return self != Named(None, None, None)

    def request(self, action: Action) -> ChangeRequest:
        """The order; raises BadInput for a faulty option."""
        given = {
            "revision": self.revision,
            "fingerprint": self.fingerprint,
            "reason": self.reason,
        }
        try:
            # What is not said is left out.
            said = {name: each for name, each in given.items() if each is not None}
            return read_change_request(action, said)
        except InvalidChangeRequest as error:
            raise BadInput(f"--{error}") from error


def change_invoice(chosen: Chosen, action: Action, invoice_id: str, named: Named) -> None:
    """Makes the change and shows the invoice; raises NotAllowed with what stands instead."""
    tenant_id, period = invoice_name(invoice_id)
    asks = named.revision is None and named.fingerprint is None
    if asks and (chosen.as_json or not someone_is_there()):
        raise BadInput(NOT_NAMED)
    # What cannot be an order at all is refused before anything is read.
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
        document = {"refused": str(error), "current": standing}
        show(chosen.as_json, document, lambda: standing_table(standing))
        raise NotAllowed(f"{invoice_id}: {error}") from error
    document = header_json(header)
    show(chosen.as_json, document, Table, state_line(document))


def _reviewed(
    stack: Stack, tenant_id: str, period: Period, action: Action, named: Named
) -> ChangeRequest:
    """Shows the invoice; if the person agrees, the order names the very revision shown."""
    found = InvoicesTable(stack.settings.invoices_table).get(tenant_id, period)
    name = stack.accounts.account(tenant_id).tenant.name
    print_table(invoice_table(invoice_json(found), name))
    revision = found.header.revision
    if not confirmed(f"{action.title()} revision {revision} as shown?"):
        raise NotAllowed(f"{found.header.id}: nothing was done")
    return Named(revision, named.fingerprint, named.reason).request(action)


def _change(stack: Stack, action: Action, request: ChangeRequest) -> InvoiceChange:
    at = datetime.now(UTC)
    issue = Issue.at(at, stack.settings) if action is Action.ISSUE else None
    return InvoiceChange(action, request, caller(stack), at, issue)
