"""The CPU time of a quote, beside the same sums on bare integers."""

import json
from statistics import median

from benchmarks.harness.results import InvalidBenchmark, Row, Spread, Target
from benchmarks.harness.targets import QUOTE
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from benchmarks.workloads.bare_loop import Sums, bare_sums
from benchmarks.workloads.every_rule import every_rule
from benchmarks.workloads.workload import (
    BUSY,
    ORDINARY,
    SampleDeployment,
    bare_integers,
    models,
    request_json,
)
from quote_engine import Quote, QuoteRequest, fingerprint, parse_request, price, quote_json

GROUP = "Quote (CPU, x a bare integer loop)"
BARE = "bare"
PRICE = "price(), 5 lines"
PRICE_BUSY = "price(), every kind over its allowance, 10 lines"
PRICE_EVERY_RULE = "price(), every rule at work, 16 lines, x the bare loop of those 10"
TARGETS: dict[str, Target] = {PRICE: QUOTE}


def quote_rows(effort: Effort) -> list[Row]:
    """Measures the quote itself, which is judged, and everything around it, which is not."""
    request, busy = checked(ORDINARY, 5), checked(BUSY, 10)
    ordinary_cases = [
        Case(BARE, bare_sums, bare_integers(ORDINARY)),
        Case(PRICE, price, request),
        Case("fingerprint() alone", _fingerprint, (request, price(request))),
        Case("build the models + price() + fingerprint()", _from_models, ORDINARY),
        Case("JSON in, JSON out, fingerprint included", json_to_json, request_json(ORDINARY)),
    ]
    busy_cases = [
        Case(BARE, bare_sums, bare_integers(BUSY)),
        Case(PRICE_BUSY, price, busy),
        Case(PRICE_EVERY_RULE, price, every_rule()),
    ]
    return [row for cases in (ordinary_cases, busy_cases) for row in _rows(cases, effort)]


def _rows(cases: list[Case], effort: Effort) -> list[Row]:
    measured = interleaved(cases, effort)
    bare = measured.pop(BARE)
    return [
        Row(
            group=GROUP,
            name=name,
            spread=Spread.of(ratios(figures, bare)),
            unit="x",
            detail=f"{median(figures):.2f} us against {median(bare):.2f} us",
            target=TARGETS.get(name),
        )
        for name, figures in measured.items()
    ]


def checked(deployments: tuple[SampleDeployment, ...], lines: int) -> QuoteRequest:
    """Returns the request; raises InvalidBenchmark unless both sides agree on lines and sums."""
    request = models(deployments)
    quoted, bare = _sums(price(request)), bare_sums(bare_integers(deployments))
    if len(quoted[0]) != lines or _sorted(quoted) != _sorted(bare):
        raise InvalidBenchmark(f"of {lines} lines the engine says {quoted}, the bare loop {bare}")
    return request


def _sums(quote: Quote) -> Sums:
    amounts = [line.amount_cents for line in quote.lines]
    return amounts, quote.subtotal_cents, quote.tax_cents, quote.total_cents


def _sorted(sums: Sums) -> Sums:
    return sorted(sums[0]), *sums[1:]


def _fingerprint(priced: tuple[QuoteRequest, Quote]) -> str:
    return fingerprint(*priced)


def _from_models(deployments: tuple[SampleDeployment, ...]) -> str:
    request = models(deployments)
    return fingerprint(request, price(request))


def json_to_json(text: str) -> str:
    """Prices a request given as JSON and returns the quote as JSON, as the command line does."""
    request = parse_request(json.loads(text))
    return json.dumps(quote_json(request, price(request)))
