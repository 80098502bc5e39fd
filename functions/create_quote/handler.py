"""POST /quotes: the price of a plan, add-ons and expected usage, stored to be read again."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.accounts.accounts_table import UnknownTenant
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    json_body,
    json_response,
    not_there,
    query_parameters,
    received_at,
    scoped_tenant,
)
from invoicing.foundation.settings import settings
from invoicing.pricing.quotes import QuoteBody, Quotes, read_quote_body
from invoicing.pricing.quotes_table import QuotesTable
from invoicing.pricing.tenant_month import Pricing

logger = Logger(service="create_quote")


def _quotes() -> Quotes:
    config = settings()
    return Quotes(Pricing.over(config), config)


def _for_caller(body: QuoteBody, caller: Caller) -> QuoteBody:
    """Returns the body for the caller's own tenant; a caller without one asks as a prospect."""
    if body.tenant_id is None and not caller.tenant_ids:
        return body
    tenant_id = scoped_tenant(caller, body.tenant_id)
    if tenant_id is not None and not caller.may_see(tenant_id):
        raise not_there("tenant")
    return body.model_copy(update={"tenant_id": tenant_id})


@api(logger, may=lambda _caller: True, answers={UnknownTenant: not_there("tenant")})
def handler(event: Event, caller: Caller) -> Response:
    """Answers the quote with its id; refuses it whole if a price or tax cannot be found."""
    query_parameters(event, frozenset())
    body = _for_caller(read_quote_body(json_body(event)), caller)
    quote = _quotes().quote(body, caller.subject, received_at(event))
    QuotesTable(settings().accounts_table).put(quote)
    logger.info("quote given", extra={"quote_id": quote.quote_id, "tenant_id": quote.tenant_id})
    return json_response(HTTPStatus.CREATED, quote.as_json)
