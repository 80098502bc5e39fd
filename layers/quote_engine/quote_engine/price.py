"""The order of operations, from usage to a quote (docs/money-rules.md numbers the steps)."""

from decimal import getcontext, setcontext

from quote_engine.by_deployment import by_deployment
from quote_engine.deployment import price_deployment
from quote_engine.models import QuoteRequest
from quote_engine.pooled import pooled_lines
from quote_engine.quote import Line, Quote, UnpricedUsage
from quote_engine.rounding import EXACT
from quote_engine.tax import tax_line


def price(request: QuoteRequest) -> Quote:
    """Returns the quote of a tenant's period, in cents. The same request gives the same bytes."""
    lines: list[Line] = []
    unpriced: list[UnpricedUsage] = []
    subtotal = tax_cents = 0
    callers_context = getcontext()
    setcontext(EXACT)
    try:
        pooled = pooled_lines(request) if request.pooled else {}
        for subscriptions in by_deployment(request):
            priced, without_rate = price_deployment(subscriptions, request.period, pooled)
            lines += priced
            unpriced += without_rate
        lines += request.adjustments
        if lines:
            subtotal = sum([line.amount_cents for line in lines])
            tax = tax_line(subtotal, request.tax)  # rule 8
            tax_cents = tax.amount_cents
            lines.append(tax)
    finally:
        setcontext(callers_context)
    total = subtotal + tax_cents  # rule 9
    return Quote(request.currency, tuple(lines), subtotal, tax_cents, total, tuple(unpriced))
