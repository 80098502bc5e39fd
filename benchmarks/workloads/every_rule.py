"""A tenant-month in which every rule of docs/money-rules.md has something to do.

Worked out by hand. `api` on plan `whole`, with 10 % and 5.00 off and at least 120.00 a month:

    plan 60.00, 2 x 7.50                                                        75.00
    calls 12,500 / 1,000 rounded up = 13, 10 included: 3 x 0.50                  1.50
    egress 80 in the second tier: 80 x 0.10 + 1.00                               9.00
    emails 2,500: 3 packages of 1,000                                            2.70
    hours 100 x 0.10 + 50 x 0.05                                                12.50
    pooled requests: 250 used less 150 included, 100 x 0.02, 150 / 250 of it     1.20
    snapshots 0.10, at least 2.00                                                2.00
    storage 80 x 0.10, at most 5.00                                              5.00
    108.90 less 10.89 less 5.00 = 93.01, brought to 120.00                      11.10

`web` in two halves of one plan: 30.00, pooled requests 0.80 = 30.80. An earlier
month: 4.20. Together 155.00; GST 15.50.
"""

from typing import Any

from benchmarks.harness.results import InvalidBenchmark
from quote_engine import QuoteRequest, parse_request, price

LINES, TOTAL_CENTS = 16, 17_050


def _rate(kind: str, model: str, **terms: Any) -> dict[str, Any]:
    return {"resource_kind": kind, "unit": "unit", "model": model, **terms}


def _pooled(included: str) -> dict[str, Any]:
    return _rate("requests", "per_unit", included=included, unit_price="0.02", pool="tenant")


_THOUSANDS = {"divide_by": "1000", "rounding": "ceiling"}
_HOURS = [{"up_to": "100", "unit_price": "0.10"}, {"up_to": None, "unit_price": "0.05"}]
_EGRESS = [
    {"up_to": "50", "unit_price": "0.20"},
    {"up_to": None, "unit_price": "0.10", "flat_fee": "1.00"},
]
_WHOLE = {
    "code": "whole",
    "name": "Whole",
    "price": "60.00",
    "proration": "daily",
    "rates": [
        _rate("calls", "per_unit", included="10", unit_price="0.50", convert=_THOUSANDS),
        _rate("egress", "volume", tiers=_EGRESS),
        _rate("emails", "package", package_size="1000", package_price="0.90"),
        _rate("hours", "graduated", tiers=_HOURS),
        _pooled("100"),
        _rate("snapshots", "per_unit", unit_price="0.01", minimum="2.00"),
        _rate("storage", "per_unit", included="20", unit_price="0.10", maximum="5.00"),
    ],
}
_USED = {
    "calls": "12500",
    "egress": "80",
    "emails": "2500",
    "hours": "150",
    "requests": "150",
    "snapshots": "10",
    "storage": "100",
}
_SPARE = _WHOLE | {"code": "spare", "name": "Spare", "price": "30.00", "rates": [_pooled("50")]}
_API = {
    "deployment_id": "api",
    "starts_on": "2026-01-10",
    "ends_on": None,
    "plan": _WHOLE,
    "addons": [{"code": "disk", "price": "7.50", "quantity": 2}],
    "usage": _USED,
    "discounts": [{"percent": "10"}, {"amount": "5.00"}],
    "minimum_commitment": "120.00",
}


def _web(starts_on: str, ends_on: str | None, requests: str) -> dict[str, Any]:
    days = {"deployment_id": "web", "starts_on": starts_on, "ends_on": ends_on}
    return days | {"plan": _SPARE, "usage": {"requests": requests}}


_REQUEST = {
    "period": {"start": "2026-04-01", "end": "2026-05-01"},
    "currency": "AUD",
    "tax": "gst",
    "subscriptions": [
        _API,
        _web("2026-04-01", "2026-04-15", "60"),
        _web("2026-04-16", None, "40"),
    ],
    "adjustments": [
        {
            "description": "March 2026: late usage",
            "deployment_id": "web",
            "resource_kind": "requests",
            "amount_cents": 420,
        }
    ],
}


def every_rule() -> QuoteRequest:
    """Returns the request; raises InvalidBenchmark unless it prices to the figures above."""
    request = parse_request(_REQUEST)
    quote = price(request)
    if (len(quote.lines), quote.total_cents) != (LINES, TOTAL_CENTS):
        figures = f"{len(quote.lines)} lines, {quote.total_cents} cents"
        raise InvalidBenchmark(f"every rule: {figures} instead of {LINES}, {TOTAL_CENTS}")
    return request
