"""GET /invoices: headers of the invoices that the caller may see, page by page."""

import json
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    bad_request,
    ok,
    query_parameters,
    scoped_tenant,
)
from invoicing.api.paging import LIMIT, next_cursor, page_after, page_limit
from invoicing.foundation.settings import settings
from invoicing.invoices.invoice import InvoiceStatus, header_json
from invoicing.invoices.invoice_lists_table import HeaderFilter, HeaderPage, InvoiceLists
from quote_engine import Period

PARAMETERS = frozenset(("period", "status", "tenant_id", "limit", "cursor"))

logger = Logger(service="list_invoices")


def _status(text: str) -> InvoiceStatus:
    try:
        return InvoiceStatus(text)
    except ValueError:
        raise ValueError(f"must be one of {', '.join(InvoiceStatus)}") from None


READERS = {"period": Period.month, "status": _status, "limit": page_limit}


def _read(query: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, text in query.items():
        try:
            values[name] = READERS.get(name, str)(text)
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise bad_request(errors)
    return values


def _scope(query: dict[str, str], tenant_id: str | None) -> str:
    """Returns what a cursor is bound to: the tenant whose list it is (or all), and the filters."""
    return json.dumps([tenant_id, query.get("period"), query.get("status")])


def _page(caller: Caller, query: dict[str, str]) -> tuple[HeaderPage, str]:
    values = _read(query)
    tenant_id = scoped_tenant(caller, values.get("tenant_id"))
    scope = _scope(query, tenant_id)
    after = page_after(query, scope)
    if tenant_id is not None and not caller.may_see(tenant_id):
        # Answer as for a tenant without invoices: nobody learns that this one exists.
        return HeaderPage((), None), scope
    wanted = HeaderFilter(tenant_id, values.get("period"), values.get("status"))
    lists = InvoiceLists(settings().invoices_table)
    return lists.page(wanted, values.get("limit", LIMIT), after), scope


@api(logger, may=lambda caller: caller.may_read)
def handler(event: Event, caller: Caller) -> Response:
    """Answers `{"invoices": [header...], "next_cursor": str|null}`."""
    page, scope = _page(caller, query_parameters(event, PARAMETERS))
    body = {
        "invoices": [header_json(header) for header in page.headers],
        "next_cursor": next_cursor(page.next_position, scope),
    }
    return ok(body)
