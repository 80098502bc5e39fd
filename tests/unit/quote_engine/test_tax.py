"""GST on an invoice whose lines are not all of one tax treatment."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import Adjustment, QuoteRequest, price
from tests.unit.quote_engine.strategies import examples
from tests.unit.quote_engine.support import request, subscription, table


def month(own: str, charges: str, *adjustments: Adjustment) -> QuoteRequest:
    """A month with these charges in dollars (`-`: none) and these adjustments."""
    charged = () if charges == "-" else (subscription(price=charges),)
    of_it: Any = {"tax": own, "adjustments": adjustments}
    return QuoteRequest(request().period, "AUD", of_it.pop("tax"), charged, **of_it)


def adjustments(text: str) -> tuple[Adjustment, ...]:
    """Reads `100.00 gst; -40.00`; one without a treatment has the request's own."""
    parts: list[Any] = [[*part.split(), None] for part in text.split("; ") if part != "-"]
    return tuple(
        Adjustment(f"late {number}", None, None, int(Decimal(part[0]) * 100), part[1])
        for number, part in enumerate(parts)
    )


@pytest.mark.parametrize(("own", "charges", "late", "gst", "says"), table("tax_of_adjustments"))
def test_an_adjustment_is_taxed_as_the_month_that_it_adjusts(
    own: str, charges: str, late: str, gst: str, says: str
) -> None:
    quote = price(month(own, charges, *adjustments(late)))
    assert (quote.tax_cents, quote.lines[-1].description) == (int(gst), says)
    assert quote.lines[-1].amount_cents == quote.tax_cents


def test_adjustments_alone_need_no_charges_and_neither_is_nothing_taxed() -> None:
    assert price(month("gst", "-")).lines == ()
    quote = price(month("gst_free", "-", *adjustments("100.00 gst")))
    assert [(line.kind, line.amount_cents) for line in quote.lines] == [
        ("adjustment", 10000),
        ("tax", 1000),
    ]
    assert quote.total_cents == 11000


amounts = st.integers(-3000, 3000)
treatments = st.sampled_from(["gst", "gst_free", None])


@examples(300)
@given(
    st.sampled_from(["gst", "gst_free"]),
    st.one_of(st.none(), st.integers(0, 9000)),
    st.lists(st.tuples(amounts, treatments), max_size=5),
)
def test_gst_is_a_tenth_of_the_lines_that_are_taxed_rounded_once(
    own: str, charges: int | None, late: list[tuple[int, Any]]
) -> None:
    dollars = "-" if charges is None else f"{charges // 100}.{charges % 100:02}"
    quote = price(month(own, dollars, *[Adjustment("late", None, None, *one) for one in late]))
    lines = [(cents, tax or own) for cents, tax in late]
    lines += [] if charges is None else [(charges, own)]
    taxed = sum(cents for cents, tax in lines if tax == "gst")
    gst = (abs(taxed) + 5) // 10 * (1 if taxed >= 0 else -1)
    assert quote.tax_cents == gst
    assert quote.subtotal_cents == sum(cents for cents, _ in lines)
    assert quote.total_cents == quote.subtotal_cents + gst
