"""The second engine is right itself: figures worked by hand, on which both engines agree.

The rows of docs/money-rules.md, and siblings of them that are not there.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from quote_engine import Addon, Adjustment, Period, QuoteRequest, Subscription, price
from tests.unit.quote_engine.oracle import expected, printed
from tests.unit.quote_engine.support import discounts, per_unit, request, subscription, table
from tests.unit.quote_engine.worked_months import worked_month

type Lines = list[tuple[str, int]]

ROWS = (
    *table("stretches"),
    *table("addons"),
    *table("discount_days"),
    *table("commitment_days"),
)


@pytest.mark.parametrize(("month", "plan", "parts", "cents", "_"), ROWS)
def test_the_second_engine_has_the_worked_figures_of_the_page(
    month: str, plan: str, parts: str, cents: str, _: str
) -> None:
    lines = expected(worked_month(month, plan, parts)).lines[:-1]
    assert ", ".join(str(line.cents) for line in lines) == cents


def lines_of_both(wanted: QuoteRequest) -> Lines:
    """The lines before tax, on which both engines must agree."""
    lines = [printed(line) for line in price(wanted).lines]
    assert lines == expected(wanted).lines
    return [(line.kind, line.cents) for line in lines if line.kind != "tax"]


def april(day: int) -> date:
    return date(2026, 4, day)


def cut(first: int, last: int, *rates: Any, **terms: Any) -> Subscription:
    """A segment from one day of April to another, on a plan that costs nothing by itself."""
    days = {"starts_on": april(first), "ends_on": april(last)}
    return subscription(*rates, **{"price": "0", **days, **terms})


def disk(dollars: str, first: int, last: int, quantity: int = 1) -> Addon:
    return Addon("disk", Decimal(dollars), quantity, None, april(first), april(last))


CENTS = per_unit("0.01")
LEAST = per_unit("0.01", minimum=Decimal("5.00"))
POOLED = per_unit("0.01", "0", minimum=Decimal("1.00"), pool="tenant")
IP = (Addon("ip", Decimal("10.00")),)
UNORDERED = (
    disk("3.00", 30, 30),
    disk("3.00", 1, 1, 2),
    Addon("a", Decimal("30.00"), 1, None, april(29)),
)

SIBLINGS: dict[str, tuple[list[Subscription], Lines]] = {
    "three parts of a stretch are not three parts of a price": (
        [cut(1, 10, price="0.04"), cut(11, 20, price="0.04"), cut(21, 25, price="0.04")],
        [("plan_base", 3)],
    ),
    "another plan between begins a rate's minimum anew": (
        [
            cut(1, 10, LEAST, price="30.00"),
            cut(11, 20, price="60.00"),
            cut(21, 30, LEAST, price="30.00"),
        ],
        [
            *[("plan_base", 1000), ("overage", 500), ("plan_base", 2000)],
            *[("plan_base", 1000), ("overage", 500)],
        ],
    ),
    "in a pool a stretch is one member": (
        [cut(1, 15, POOLED), cut(16, 30, POOLED), cut(1, 30, POOLED, deployment_id="second")],
        [("plan_base", 0), ("overage", 50), ("plan_base", 0), ("overage", 50)],
    ),
    "an add-on of another price is rounded apart, even if its quantity makes up for it": (
        [cut(1, 30, addons=(disk("5.00", 1, 10, 2), disk("10.00", 21, 30)))],
        [("plan_base", 0), ("addon", 333), ("addon", 333)],
    ),
    "changes of plan part an add-on, and the parts sum to its price": (
        [
            cut(1, 10, price="10.00", addons=IP),
            cut(11, 20, price="20.00", addons=IP),
            cut(21, 30, price="10.00", addons=IP),
        ],
        [
            *[("plan_base", 334), ("addon", 334)],
            *[("plan_base", 667), ("addon", 333)],
            *[("plan_base", 333), ("addon", 333)],
        ],
    ),
    "add-ons stand by code, then by first day": (
        [cut(1, 30, addons=UNORDERED)],
        [("plan_base", 0), ("addon", 200), ("addon", 20), ("addon", 10)],
    ),
    "an add-on goes on over a change of discounts, which see their days of it": (
        [cut(1, 10, addons=IP), cut(11, 30, addons=IP, discounts=discounts("10%"))],
        [("plan_base", 0), ("addon", 1000), ("discount", -67)],
    ),
    "equal percentages are rounded once, and the fixed discount takes what is left": (
        [
            cut(1, 15, price="1.05", discounts=discounts("10%")),
            cut(16, 30, price="1.05", discounts=discounts("10%; 5.00")),
        ],
        [("plan_base", 105), ("discount", -11), ("discount", -94)],
    ),
    "a fixed discount can take what another plan was charged": (
        [
            cut(1, 15, discounts=discounts("20.00")),
            cut(16, 30, price="10.00", discounts=discounts("10%")),
        ],
        [("plan_base", 0), ("plan_base", 500), ("discount", -50), ("discount", -450)],
    ),
    "a percentage of a part sees the usage of that part alone": (
        [
            cut(1, 10, CENTS, price="30.00", usage={"kind": "5000"}),
            cut(11, 30, CENTS, price="30.00", usage={"kind": "0"}, discounts=discounts("10%")),
        ],
        [("plan_base", 3000), ("overage", 5000), ("discount", -200)],
    ),
    "equal commitments of three plans are rounded once": (
        [cut(n, n + 9, commitment="100.00", price=str(n)) for n in (1, 11, 21)],
        [("plan_base", 33), ("plan_base", 367), ("plan_base", 700), ("minimum", 8900)],
    ),
}


@pytest.mark.parametrize("case", SIBLINGS.values(), ids=SIBLINGS.keys())
def test_siblings_of_the_worked_figures(case: tuple[list[Subscription], Lines]) -> None:
    segments, lines = case
    assert lines_of_both(request(*segments)) == lines


LATE = 10_000
TAXES = [
    # The tenant's treatment, its month, late usage with its own treatment; GST and how it reads.
    ("gst_free", "57.50", [(LATE, "gst")], 1000, "GST 10% of 100.00"),
    ("gst", "57.50", [(LATE, "gst_free")], 575, "GST 10% of 57.50"),
    ("gst", "57.50", [(LATE, None)], 1575, "GST 10%"),
    ("gst", "57.50", [(LATE, "gst")], 1575, "GST 10%"),
    ("gst_free", "57.50", [(LATE, None)], 0, "GST-free"),
    ("gst_free", "57.50", [(LATE, "gst_free")], 0, "GST-free"),
    # Siblings: a refund takes its GST with it, half a cent away from zero; rounded once.
    ("gst_free", "57.50", [(-5, "gst")], -1, "GST 10% of -0.05"),
    ("gst", "0.02", [(2, "gst"), (-700, "gst_free")], 0, "GST 10% of 0.04"),
    ("gst", "0.03", [(2, "gst"), (-700, "gst_free")], 1, "GST 10% of 0.05"),
]


@pytest.mark.parametrize(("treatment", "dollars", "late", "gst", "says"), TAXES)
def test_late_usage_keeps_the_tax_treatment_of_its_month(
    treatment: Any, dollars: str, late: list[tuple[int, Any]], gst: int, says: str
) -> None:
    taken = tuple(
        Adjustment(f"Adjustment {n}", "pilot", "kind", cents, tax)
        for n, (cents, tax) in enumerate(late)
    )
    month = (subscription(price=dollars),)
    wanted = QuoteRequest(Period.month("2026-05"), "AUD", treatment, month, taken)
    quote = price(wanted)
    assert (quote.tax_cents, quote.lines[-1].description) == (gst, says)
    assert (expected(wanted).tax, expected(wanted).subtotal) == (gst, quote.subtotal_cents)
