"""A quote as plain dictionaries for JSON, in the field names of the public contract."""

from quote_engine.fingerprint import fingerprint
from quote_engine.models import QuoteRequest
from quote_engine.quote import Line, Quote


def line_json(line: Line) -> dict[str, object]:
    """The eight fields of a line."""
    return line._asdict()


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
