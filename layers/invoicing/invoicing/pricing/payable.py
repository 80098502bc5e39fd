"""The price of a request whose amounts an invoice can hold."""

from invoicing.usage.usage_table import InvalidUsage
from quote_engine import Quote, QuoteRequest, price
from quote_engine.limits import MOST_CENTS


def payable(request: QuoteRequest) -> Quote:
    """Returns the request's quote.

    Raises InvalidUsage, naming the dearest usage, if its sums have more digits than are stored.
    Only plans and usage that were stored before there were limits come so far.
    """
    quote = price(request)
    if abs(quote.subtotal_cents) < MOST_CENTS and abs(quote.total_cents) < MOST_CENTS:
        return quote
    usage = [line for line in quote.lines if line.resource_kind]
    dearest = max(usage, key=lambda line: abs(line.amount_cents))
    raise InvalidUsage(
        f"usage of {dearest.deployment_id}, {dearest.resource_kind}: too dear for an invoice "
        f"({len(str(abs(dearest.amount_cents)))} digits of cents); correct the usage "
        "(`monthend usage correct`) or move the deployment to a plan without that conversion"
    )
