"""Late usage: an invoice is never changed; the difference is billed with a later month."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import (
    InvalidRequest,
    Line,
    Period,
    QuoteRequest,
    adjustment_line,
    adjustment_lines,
    fingerprint,
    parse_request,
    price,
)
from tests.unit.quote_engine.support import (
    discounts,
    per_unit,
    pilot,
    request,
    subscription,
    table,
)
from tests.unit.quote_engine.test_properties import KINDS, examples, quantities, requests

MAY = Period.month("2026-05")


def used(quantity: str, **of_it: Any) -> QuoteRequest:
    return request(subscription(per_unit("0.01", "1488"), usage={"kind": quantity}, **of_it))


@pytest.mark.parametrize(
    ("then", "now", "agreed", "commitment", "cents", "says"), table("adjustment")
)
def test_late_usage_is_billed_as_the_difference_of_two_prices(  # noqa: PLR0913, PLR0917
    then: str, now: str, agreed: str, commitment: str, cents: str, says: str
) -> None:
    terms: Any = {"discounts": discounts(agreed), "commitment": commitment}
    lines = adjustment_lines(used(then, **terms), used(now, **terms))
    amounts = ", ".join(str(line.amount_cents) for line in lines)
    texts = " & ".join(line.description for line in lines)
    assert (amounts or "0", texts or "no line") == (cents, says)


def test_an_adjustment_is_tagged_with_deployment_and_resource_kind() -> None:
    assert adjustment_lines(used("2160"), used("2200")) == (
        Line(
            "adjustment",
            "Adjustment for 2026-04: kind (2200 used, 2160 invoiced)",
            "pilot",
            "kind",
            "1",
            "",
            "0.40",
            40,
        ),
    )


def test_usage_of_a_split_month_is_summed_over_its_stretches() -> None:
    def month(late: str) -> QuoteRequest:
        first = replace(used("2000").subscriptions[0], ends_on=MAY.start.replace(month=4, day=15))
        second = replace(first, starts_on=MAY.start.replace(month=4, day=16), ends_on=None)
        return request(first, replace(second, usage={"kind": Decimal(late)}))

    (line,) = adjustment_lines(month("1000"), month("1100"))
    assert line.description == "Adjustment for 2026-04: kind (3100 used, 3000 invoiced)"
    assert line.amount_cents == 100


def test_late_usage_moves_the_shares_of_a_pool() -> None:
    def pooled(late: str) -> QuoteRequest:
        rate = per_unit("0.01", "50", pool="tenant")
        usages = (("a", "100"), ("b", late))
        return request(
            *[subscription(rate, deployment_id=n, usage={"kind": u}) for n, u in usages]
        )

    lines = adjustment_lines(pooled("100"), pooled("300"))  # 0.50 + 0.50, then 0.75 + 2.25
    assert [(line.deployment_id, line.amount_cents) for line in lines] == [("a", 25), ("b", 175)]
    assert lines[0].description == "Adjustment for 2026-04: kind (100 used, its price changed)"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"period": MAY}, "period: must be the same then and now"),
        ({"currency": "NZD"}, "currency: must be the same then and now"),
    ],
)
def test_only_the_same_period_and_currency_are_compared(
    change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        adjustment_lines(used("1"), replace(used("1"), **change))
    assert refused.value.faults == (fault,)


def test_adjustments_stand_before_the_tax_and_are_taxed() -> None:
    late = adjustment_lines(used("2160"), used("2200"))
    march = adjustment_line("Adjustment for 2026-03: gone", "a", None, -1000)
    may = QuoteRequest(MAY, "AUD", "gst", (subscription(),), (*late, march))
    quote = price(may)
    assert quote.lines[1:3] == (march, *late)
    assert [line.amount_cents for line in quote.lines] == [5000, -1000, 40, 404]
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (4040, 404, 4444)
    swapped = replace(may, adjustments=(*late, march))
    assert fingerprint(swapped, price(swapped)) == fingerprint(may, quote)
    without = replace(may, adjustments=())
    assert fingerprint(without, price(without)) != fingerprint(may, quote)


def test_adjustments_alone_are_an_invoice_and_can_be_a_refund_with_its_tax() -> None:
    refund = adjustment_line("Adjustment for 2026-04: kind", "a", "kind", -1005)
    quote = price(QuoteRequest(MAY, "AUD", "gst", (), (refund,)))
    assert [line.amount_cents for line in quote.lines] == [-1005, -101]
    assert quote.lines[1].unit_price == "-1.01"
    assert quote.total_cents == -1106


def test_what_was_adjusted_before_is_not_compared() -> None:
    refund = adjustment_line("Adjustment for 2026-03: kind", "pilot", "kind", -500)
    assert adjustment_lines(replace(used("1"), adjustments=(refund,)), used("1")) == ()


def test_adjustments_are_read_from_json() -> None:
    data = pilot()
    data["adjustments"] = [{"description": "Adjustment for 2026-03: egress", "amount_cents": -42}]
    quote = price(parse_request(data))
    assert quote.lines[3] == adjustment_line("Adjustment for 2026-03: egress", None, None, -42)
    assert quote.subtotal_cents == 6380


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({}, ("adjustments: must be a list, not an object",)),
        (
            [{}],
            ("adjustments[0].description: missing", "adjustments[0].amount_cents: missing"),
        ),
        (
            [{"description": "x", "amount_cents": "5"}],
            ("adjustments[0].amount_cents: must be an integer, not '5'",),
        ),
        (
            [{"description": "x", "amount_cents": 10**36, "unit": "GB"}],
            (
                "adjustments[0].amount_cents: must have at most 36 digits",
                "adjustments[0].unit: unknown field",
            ),
        ),
    ],
)
def test_faulty_adjustments_are_refused_by_path(value: object, faults: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(pilot() | {"adjustments": value})
    assert refused.value.faults == faults


NOT_ADJUSTMENT = "must be an adjustment of quantity 1 at its amount, without a unit"
NOT_CENTS = "must be a whole number of cents, not bool"
SOUND = adjustment_line("late", "a", "kind", 5)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (SOUND._replace(kind="overage"), NOT_ADJUSTMENT),
        (SOUND._replace(unit_price="6.00"), NOT_ADJUSTMENT),
        (SOUND._replace(description=""), "description: must not be empty"),
        (SOUND._replace(deployment_id=""), "deployment_id: must not be empty"),
        (SOUND._replace(resource_kind=""), "resource_kind: must not be empty"),
        (SOUND._replace(amount_cents=True), f"amount_cents: {NOT_CENTS}"),
    ],
)  # fmt: skip
def test_only_sound_adjustments_are_taken(line: Line, fault: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace(request(), adjustments=(line,))
    assert refused.value.faults == (f"adjustments: {fault}",)


def test_adjustments_are_lines() -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace(request(), adjustments=("late",))  # type: ignore[arg-type]
    assert refused.value.faults == ("adjustments: must be a tuple of Line",)


@examples(150)
@given(requests(), st.dictionaries(st.sampled_from(KINDS), quantities))
def test_adjustments_sum_to_what_the_period_should_have_cost(
    then: QuoteRequest, late: dict[str, Decimal]
) -> None:
    later = [replace(before, usage={**before.usage, **late}) for before in then.subscriptions]
    now = replace(then, subscriptions=tuple(later))
    lines = adjustment_lines(then, now)
    difference = price(now).subtotal_cents - price(then).subtotal_cents
    assert sum(line.amount_cents for line in lines) == difference
    assert all(line.amount_cents for line in lines)
    assert len({(line.deployment_id, line.resource_kind) for line in lines}) == len(lines)
    assert price(replace(then, adjustments=lines)).subtotal_cents == price(now).subtotal_cents
    assert adjustment_lines(now, now) == ()
