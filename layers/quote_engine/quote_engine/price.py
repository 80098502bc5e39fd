"""The order of operations, from usage to a quote (docs/money-rules.md numbers the steps)."""

from decimal import getcontext, setcontext

from quote_engine.by_deployment import by_deployment
from quote_engine.deployment import price_deployment
from quote_engine.models import QuoteRequest
from quote_engine.pooled import pooled_lines
from quote_engine.quote import Line, Quote, UnpricedUsage
from quote_engine.rounding import EXACT
from quote_engine.tax import TaxTreatment, tax_line


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
        cents = _cents_by_treatment(request, lines)
        lines += [adjustment.line for adjustment in request.adjustments]
        if lines:
            subtotal = sum(cents.values())
            tax = tax_line(cents)  # rule 8
            tax_cents = tax.amount_cents
            lines.append(tax)
    finally:
        setcontext(callers_context)
    total = subtotal + tax_cents  # rule 9
    return Quote(request.currency, tuple(lines), subtotal, tax_cents, total, tuple(unpriced))


def _cents_by_treatment(request: QuoteRequest, charges: list[Line]) -> dict[TaxTreatment, int]:
    """Returns the sums of charges and adjustments, for each treatment that one of them has."""
    cents: dict[TaxTreatment, int] = {}
    if charges:
        cents[request.tax] = sum([line.amount_cents for line in charges])
    for adjustment in request.adjustments:
        treatment = adjustment.tax or request.tax
        cents[treatment] = cents.get(treatment, 0) + adjustment.amount_cents
    return cents
