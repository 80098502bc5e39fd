"""Late usage: an invoice is never changed; the difference is billed with a later month."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_engine import (
    Adjustment,
    InvalidRequest,
    Line,
    Period,
    QuoteRequest,
    adjustments_between,
    fingerprint,
    parse_request,
    price,
)
from tests.unit.quote_engine.strategies import KINDS, examples, quantities, requests
from tests.unit.quote_engine.support import (
    discounts,
    per_unit,
    pilot,
    request,
    subscription,
    table,
)

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
    late = adjustments_between(used(then, **terms), used(now, **terms))
    amounts = ", ".join(str(one.amount_cents) for one in late)
    texts = " & ".join(one.description for one in late)
    assert (amounts or "0", texts or "no line") == (cents, says)


def test_an_adjustment_is_tagged_with_deployment_and_resource_kind_and_taxed_as_its_month() -> (
    None
):
    text = "Adjustment for 2026-04: kind (2200 used, 2160 invoiced)"
    (late,) = adjustments_between(used("2160"), used("2200"))
    assert late == Adjustment(text, "pilot", "kind", 40, "gst")
    assert late.line == Line("adjustment", text, "pilot", "kind", "1", "", "0.40", 40)
    then, now = (replace(used(hours), tax="gst_free") for hours in ("2160", "2200"))
    assert adjustments_between(then, now) == (replace(late, tax="gst_free"),)


def test_usage_of_a_split_month_is_summed_over_its_stretches() -> None:
    def month(late: str) -> QuoteRequest:
        first = replace(used("2000").subscriptions[0], ends_on=MAY.start.replace(month=4, day=15))
        second = replace(first, starts_on=MAY.start.replace(month=4, day=16), ends_on=None)
        return request(first, replace(second, usage={"kind": Decimal(late)}))

    (late,) = adjustments_between(month("1000"), month("1100"))
    assert late.description == "Adjustment for 2026-04: kind (3100 used, 3000 invoiced)"
    assert late.amount_cents == 100


def test_an_adjustment_calls_usage_by_the_name_of_its_rate_and_shortens_its_figures() -> None:
    then, now = (
        request(subscription(per_unit("1.00", name="VM hours"), usage={"kind": used}))
        for used in ("1", "2.12345678")
    )
    [adjustment] = adjustments_between(then, now)
    text = "Adjustment for 2026-04: VM hours (about 2.123457 used, 1 invoiced)"
    assert (adjustment.description, adjustment.amount_cents) == (text, 112)


@pytest.mark.parametrize("long", ["n" * 200, "k" * 200])
def test_late_usage_of_whatever_a_rate_may_be_called_can_be_billed(long: str) -> None:
    name, kind = (long, "kind") if long[0] == "n" else (None, long)
    used = "12345678901234567890.123456789"
    then, now = (
        request(subscription(per_unit("1.00", kind=kind, name=name), usage={kind: quantity}))
        for quantity in ("1.123456789", used)
    )
    [adjustment] = adjustments_between(then, now)
    assert adjustment.description.startswith(f"Adjustment for 2026-04: {long} (about 12345")
    assert adjustment.line.amount_cents == adjustment.amount_cents


def test_late_usage_moves_the_shares_of_a_pool() -> None:
    def pooled(late: str) -> QuoteRequest:
        rate = per_unit("0.01", "50", pool="tenant")
        usages = (("a", "100"), ("b", late))
        return request(
            *[subscription(rate, deployment_id=n, usage={"kind": u}) for n, u in usages]
        )

    late = adjustments_between(pooled("100"), pooled("300"))  # 0.50 + 0.50, then 0.75 + 2.25
    assert [(one.deployment_id, one.amount_cents) for one in late] == [("a", 25), ("b", 175)]
    assert late[0].description == "Adjustment for 2026-04: kind (100 used, its price changed)"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"period": MAY}, "period: must be the same then and now"),
        ({"currency": "NZD"}, "currency: must be the same then and now"),
        ({"tax": "gst_free"}, "tax: must be the same then and now"),
    ],
)
def test_only_the_same_period_currency_and_treatment_are_compared(
    change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        adjustments_between(used("1"), replace(used("1"), **change))
    assert refused.value.faults == (fault,)


def test_adjustments_stand_before_the_tax_and_are_taxed() -> None:
    late = adjustments_between(used("2160"), used("2200"))
    march = Adjustment("Adjustment for 2026-03: gone", "a", None, -1000)
    may = QuoteRequest(MAY, "AUD", "gst", (subscription(),), (*late, march))
    quote = price(may)
    assert quote.lines[1:3] == (march.line, late[0].line)
    assert [line.amount_cents for line in quote.lines] == [5000, -1000, 40, 404]
    assert (quote.subtotal_cents, quote.tax_cents, quote.total_cents) == (4040, 404, 4444)
    swapped = replace(may, adjustments=(*late, march))
    assert fingerprint(swapped, price(swapped)) == fingerprint(may, quote)
    without = replace(may, adjustments=())
    assert fingerprint(without, price(without)) != fingerprint(may, quote)


def test_adjustments_alone_are_an_invoice_and_can_be_a_refund_with_its_tax() -> None:
    refund = Adjustment("Adjustment for 2026-04: kind", "a", "kind", -1005)
    quote = price(QuoteRequest(MAY, "AUD", "gst", (), (refund,)))
    assert [line.amount_cents for line in quote.lines] == [-1005, -101]
    assert quote.lines[1].unit_price == "-1.01"
    assert quote.total_cents == -1106


def test_what_was_adjusted_before_is_not_compared() -> None:
    refund = Adjustment("Adjustment for 2026-03: kind", "pilot", "kind", -500)
    assert adjustments_between(replace(used("1"), adjustments=(refund,)), used("1")) == ()


def test_adjustments_are_read_from_json() -> None:
    data = pilot()
    late = {"description": "Adjustment for 2026-03: egress", "amount_cents": -42}
    data["adjustments"] = [late]
    quote = price(parse_request(data))
    assert quote.lines[3] == Adjustment("Adjustment for 2026-03: egress", None, None, -42).line
    assert (quote.subtotal_cents, quote.tax_cents) == (6380, 638)
    data["adjustments"] = [late | {"tax": "gst"}]
    assert price(parse_request(data)) == quote
    data["adjustments"] = [late | {"tax": "gst_free"}]
    apart = price(parse_request(data))
    # The lines above the tax are worth 64.22 with GST.
    assert (apart.subtotal_cents, apart.tax_cents) == (6380, 642)
    assert apart.lines[4].description == "GST 10% of 64.22"


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
            [{"description": "x", "amount_cents": 10**38, "unit": "GB"}],
            (
                "adjustments[0].amount_cents: must have at most 38 digits",
                "adjustments[0].unit: unknown field",
            ),
        ),
        (
            [{"description": "x", "amount_cents": 5, "tax": "vat"}],
            ("adjustments[0].tax: must be one of gst, gst_free, not 'vat'",),
        ),
        (
            [{"description": "x", "deployment_id": " ", "amount_cents": 5}],
            ("adjustments[0].deployment_id: must not be empty",),
        ),
    ],
)
def test_faulty_adjustments_are_refused_by_path(value: object, faults: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_request(pilot() | {"adjustments": value})
    assert refused.value.faults == faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"description": ""}, "description: must not be empty"),
        ({"deployment_id": ""}, "deployment_id: must not be empty"),
        ({"resource_kind": ""}, "resource_kind: must not be empty"),
        ({"amount_cents": True}, "amount_cents: must be a whole number of cents, not bool"),
        ({"tax": "exempt"}, "tax: must be one of gst, gst_free"),
    ],
)
def test_an_adjustment_refuses_what_cannot_be_billed(change: Any, fault: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        replace(Adjustment("late", "a", "kind", 5, "gst"), **change)
    assert refused.value.faults == (fault,)


def test_only_adjustments_are_taken_not_lines() -> None:
    line: Any = Adjustment("late", "a", "kind", 5).line
    with pytest.raises(InvalidRequest) as refused:
        replace(request(), adjustments=(line,))
    assert refused.value.faults == ("adjustments: must be a tuple of Adjustment",)


@examples(150)
@given(requests(), st.dictionaries(st.sampled_from(KINDS), quantities))
def test_adjustments_sum_to_what_the_period_should_have_cost(
    then: QuoteRequest, late: dict[str, Decimal]
) -> None:
    then = replace(then, adjustments=())
    later = [replace(before, usage={**before.usage, **late}) for before in then.subscriptions]
    now = replace(then, subscriptions=tuple(later))
    late_usage = adjustments_between(then, now)
    lines = [adjustment.line for adjustment in late_usage]
    difference = price(now).subtotal_cents - price(then).subtotal_cents
    assert sum(line.amount_cents for line in lines) == difference
    assert all(line.amount_cents for line in lines)
    assert len({(line.deployment_id, line.resource_kind) for line in lines}) == len(lines)
    adjusted = price(replace(then, adjustments=late_usage))
    assert adjusted.subtotal_cents == price(now).subtotal_cents
    # All of it is one period with one treatment, so the tax is that of the whole as well.
    assert adjusted.lines[-1:] == price(now).lines[-1:]
    assert adjustments_between(now, now) == ()
