"""GST: computed once, on the taxable part of the tenant's subtotal."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, get_args

from quote_engine.quote import Line
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text

type TaxTreatment = Literal["gst", "gst_free"]

TAX_TREATMENTS: tuple[TaxTreatment, ...] = get_args(TaxTreatment.__value__)

_GST_DOLLARS_PER_CENT = Decimal("0.001")
"""10 % (GST Act s 9-70) of one hundredth of a dollar."""


def tax_line(cents: Mapping[TaxTreatment, int]) -> Line:
    """Returns the tenant's tax line, rounded once (GST Act s 9-90, total invoice rule).

    `cents` are the sums of the lines by their treatment; a treatment that no line has is absent.
    The text says of which part the tax is, if it is not of the whole.
    """
    taxable = cents.get("gst")
    if taxable is None:
        return _line("GST-free", 0)
    part = f" of {cents_text(taxable)}" if len(cents) > 1 else ""
    return _line(f"GST 10%{part}", round_cents(taxable * _GST_DOLLARS_PER_CENT))


def _line(description: str, cents: int) -> Line:
    return Line("tax", description, None, None, "1", "", cents_text(cents), cents)
