"""GET /quotes/{id}: a stored quote, for its tenant or for the caller who asked for it."""

import re

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import Event, Response, api, not_there, ok, query_parameters
from invoicing.foundation.settings import settings
from invoicing.pricing.quotes import StoredQuote
from invoicing.pricing.quotes_table import QuoteNotFound, QuotesTable

QUOTE_ID = re.compile("[0-9a-f]{32}")

logger = Logger(service="get_quote")


def _may_read(caller: Caller, quote: StoredQuote) -> bool:
    if quote.tenant_id is not None:
        return caller.may_see(quote.tenant_id)
    return caller.is_admin or (caller.subject != "" and caller.subject == quote.subject)


@api(logger, may=lambda _caller: True, answers={QuoteNotFound: not_there("quote")})
def handler(event: Event, caller: Caller) -> Response:
    """Answers the quote; one that is not the caller's gets a 404."""
    query_parameters(event, frozenset())
    quote_id = (event.get("pathParameters") or {}).get("id") or ""
    if not QUOTE_ID.fullmatch(quote_id):
        raise not_there("quote")
    quote = QuotesTable(settings().accounts_table).get(quote_id)
    if not _may_read(caller, quote):
        raise not_there("quote")
    return ok(quote.as_json)
