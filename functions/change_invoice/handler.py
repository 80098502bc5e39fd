"""POST /invoices/{id}/issue, /pay and /void: a person's actions on a reviewed invoice."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    json_body,
    not_there,
    ok,
    query_parameters,
    received_at,
)
from invoicing.api.paths import invoice_in_path
from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice import Issue, header_json
from invoicing.invoices.invoices_table import InvoiceNotFound
from invoicing.invoices.lifecycle import (
    Action,
    ChangeRefused,
    InvoiceChange,
    held_json,
    read_change_request,
)
from invoicing.invoices.lifecycle_table import LifecycleTable

logger = Logger(service="change_invoice")


def _change(event: Event, caller: Caller) -> InvoiceChange:
    action = Action(event["resource"].rpartition("/")[2])
    at = received_at(event)
    issue = Issue.at(at, settings()) if action is Action.ISSUE else None
    request = read_change_request(action, json_body(event))
    return InvoiceChange(action, request, Actor(caller.subject, caller.name), at, issue)


def _conflict(error: ChangeRefused) -> Problem:
    more = {"current": header_json(error.current), **held_json(error)}
    return Problem(HTTPStatus.CONFLICT, str(error), more=more)


@api(
    logger,
    may=lambda caller: caller.is_admin,
    answers={InvoiceNotFound: not_there("invoice"), ChangeRefused: _conflict},
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the header as it is now; a conflict gets a 409 with the current header."""
    query_parameters(event, frozenset())
    tenant_id, period = invoice_in_path(event)
    change = _change(event, caller)
    about = {"action": change.action, "invoice_id": f"{tenant_id}.{period.label}"}
    try:
        header = LifecycleTable(settings().invoices_table).change(tenant_id, period, change)
    except ChangeRefused as error:
        logger.info("refused", extra=about | {"reason": str(error), "by": caller.subject})
        raise
    logger.info("done", extra=about | {"revision": header.revision, "by": caller.subject})
    return ok(header_json(header))
