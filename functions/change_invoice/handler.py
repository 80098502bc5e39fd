"""POST /invoices/{id}/issue, /pay and /void: what a person does to a reviewed invoice."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    bad_request,
    json_body,
    json_response,
    not_there,
    query_parameters,
    received_at,
)
from invoicing.api.paths import invoice_in_path
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice import Issue, header_document
from invoicing.invoices.invoices_table import InvoiceNotFound
from invoicing.invoices.lifecycle import (
    Action,
    Actor,
    Change,
    InvalidOrder,
    Refused,
    held_document,
    read_order,
)
from invoicing.invoices.lifecycle_table import LifecycleTable

logger = Logger(service="change_invoice")


def _change(event: Event, caller: Caller) -> Change:
    action = Action(event["resource"].rpartition("/")[2])
    at = received_at(event)
    issue = Issue.at(at, settings()) if action is Action.ISSUE else None
    try:
        order = read_order(action, json_body(event))
    except InvalidOrder as error:
        raise bad_request(error.reasons) from error
    return Change(action, order, Actor(caller.subject, caller.name), at, issue)


@api(logger, may=lambda caller: caller.is_admin)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the header as it is now; a conflict answers 409 with the one that stands."""
    query_parameters(event, frozenset())
    tenant_id, period = invoice_in_path(event)
    change = _change(event, caller)
    about = {"action": change.action, "invoice_id": f"{tenant_id}.{period.label}"}
    try:
        header = LifecycleTable(settings().invoices_table).change(tenant_id, period, change)
    except InvoiceNotFound as error:
        raise not_there("invoice") from error
    except Refused as error:
        logger.info("refused", extra=about | {"reason": str(error), "by": caller.subject})
        more = {"current": header_document(error.current), **held_document(error)}
        raise Problem(HTTPStatus.CONFLICT, str(error), more=more) from error
    logger.info("done", extra=about | {"revision": header.revision, "by": caller.subject})
    return json_response(HTTPStatus.OK, header_document(header))
