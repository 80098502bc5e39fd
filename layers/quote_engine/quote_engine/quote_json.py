"""A quote as plain dictionaries for JSON, in the field names of the public contract."""

from quote_engine.fingerprint import fingerprint
from quote_engine.models import QuoteRequest
from quote_engine.quote import Line, Quote


def line_json(line: Line) -> dict[str, object]:
    """The eight fields of a line."""
    return {
        "kind": line.kind,
        "description": line.description,
        "deployment_id": line.deployment_id,
        "resource_kind": line.resource_kind,
        "quantity": line.quantity,
        "unit": line.unit,
        "unit_price": line.unit_price,
        "amount_cents": line.amount_cents,
    }


def quote_json(request: QuoteRequest, quote: Quote) -> dict[str, object]:
    """The answer of the command line: lines, sums and fingerprint."""
    return {
        "currency": quote.currency,
        "lines": [line_json(line) for line in quote.lines],
        "subtotal_cents": quote.subtotal_cents,
        "tax_cents": quote.tax_cents,
        "total_cents": quote.total_cents,
        "fingerprint": fingerprint(request, quote),
    }
