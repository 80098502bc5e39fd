"""GST: computed once, on the tenant's whole subtotal."""

from decimal import Decimal
from typing import assert_never

from quote_engine.models import TaxTreatment
from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text

_GST_DOLLARS_PER_CENT = Decimal("0.001")
"""10 % (GST Act s 9-70) of one hundredth of a dollar."""


def tax_line(subtotal_cents: int, treatment: TaxTreatment) -> Line:
    """Returns the tenant's tax line, rounded once (GST Act s 9-90, total invoice rule)."""
    match treatment:
        case "gst":
            return _line("GST 10%", round_cents(subtotal_cents * _GST_DOLLARS_PER_CENT))
        case "gst_free":
            return _line("GST-free", 0)
        case _:
            assert_never(treatment)


def _line(description: str, cents: int) -> Line:
    return Line("tax", description, None, None, "1", "", cents_text(cents), cents)
