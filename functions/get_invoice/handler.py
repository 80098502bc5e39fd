"""GET /invoices/{id}: one invoice with its lines, or a replaced revision of it."""

import re

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import Event, Response, api, bad_request, not_there, ok, query_parameters
from invoicing.api.paths import invoice_in_path
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice import invoice_json
from invoicing.invoices.invoices_table import InvoiceNotFound, InvoicesTable

REVISION = re.compile("[1-9][0-9]{0,3}")

logger = Logger(service="get_invoice")


def _revision(event: Event) -> int | None:
    text = query_parameters(event, frozenset(("revision",))).get("revision")
    if text is None:
        return None
    if not REVISION.fullmatch(text):
        raise bad_request({"revision": "must be a whole number from 1 to 9999"})
    return int(text)


@api(
    logger,
    may=lambda caller: caller.may_read,
    answers={InvoiceNotFound: not_there("invoice")},
)
def handler(event: Event, caller: Caller) -> Response:
    """Answers the invoice; one that is not the caller's gets a 404."""
    revision = _revision(event)
    tenant_id, period = invoice_in_path(event)
    if not caller.may_see(tenant_id):
        raise not_there("invoice")
    invoice = InvoicesTable(settings().invoices_table).get(tenant_id, period, revision)
    return ok(invoice_json(invoice))
