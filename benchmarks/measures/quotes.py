"""The CPU time of a quote, beside the same sums on bare integers."""

import json
from statistics import median

from benchmarks.harness import targets
from benchmarks.harness.results import InvalidBenchmark, Row, Spread, Target
from benchmarks.harness.timing import Case, Effort, interleaved, ratios
from benchmarks.workloads.bare_loop import Sums, bare_sums
from benchmarks.workloads.every_rule import every_rule
from benchmarks.workloads.workload import (
    BUSY,
    MANY,
    ORDINARY,
    PLAN,
    POOLED_PLAN,
    SampleDeployment,
    bare_integers,
    every_model,
    many_deployments,
    models,
    request_json,
)
from quote_engine import Quote, QuoteRequest, fingerprint, parse_request, price, quote_json

GROUP = "Quote (CPU, x a bare integer loop)"
POOLS = f"A request of {MANY} deployments, made (CPU, x the same without pools)"
BARE = "bare"
PRICE = "price() of a ready request, 5 lines"
MODELS = "models in and out: subscriptions and request made, on a plan of the catalogue; price()"
JSON = "JSON to JSON: parse_request(), price(), quote_json() with the fingerprint"
TARGETS: dict[str, Target] = {PRICE: targets.PRICE, MODELS: targets.MODELS, JSON: targets.JSON}


def quote_rows(effort: Effort) -> list[Row]:
    """Measures a quote with ever more of its way from JSON to JSON. Three rows are judged."""
    request, busy = checked(ORDINARY, 5), checked(BUSY, 10)
    text = request_json(ORDINARY)
    ordinary_cases = [
        Case(BARE, bare_sums, bare_integers(ORDINARY)),
        Case(PRICE, price, request),
        Case(MODELS, _from_models, ORDINARY),
        Case("the same, and the fingerprint", _with_fingerprint, ORDINARY),
        Case("every model made, plan, rates and add-ons too; price()", _from_values, ORDINARY),
        Case("fingerprint() alone", _fingerprint, (request, price(request))),
        Case(JSON, json_to_json, json.loads(text)),
        Case("the same, with json.loads() and json.dumps()", text_to_text, text),
        Case("the same, each deployment on a plan of its own", text_to_text, _own_plans(text)),
    ]
    busy_cases = [
        Case(BARE, bare_sums, bare_integers(BUSY)),
        Case("price(), every kind over its allowance, 10 lines", price, busy),
        Case("models in and out, those 10 lines, and the fingerprint", _with_fingerprint, BUSY),
        Case("price(), every rule at work, 18 lines, x the same loop", price, every_rule()),
    ]
    quotes = [row for cases in (ordinary_cases, busy_cases) for row in _rows(cases, effort)]
    return [*quotes, _pooled_row(effort)]


def _own_plans(text: str) -> str:
    request = json.loads(text)
    for number, subscription in enumerate(request["subscriptions"]):
        subscription["plan"]["code"] += f"-{number}"
    return json.dumps(request)


def _pooled_row(effort: Effort) -> Row:
    pooled, plain = "on a plan with three pooled rates", "plain"
    cases = [
        Case(pooled, many_deployments, POOLED_PLAN),
        Case(plain, many_deployments, PLAN),
    ]
    measured = interleaved(cases, effort)
    detail = f"{median(measured[pooled]):.0f} us against {median(measured[plain]):.0f} us"
    spread = Spread.of(ratios(measured[pooled], measured[plain]))
    return Row(POOLS, pooled, spread, "x", detail, targets.POOLED)


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


def _from_models(deployments: tuple[SampleDeployment, ...]) -> Quote:
    return price(models(deployments))


def _from_values(deployments: tuple[SampleDeployment, ...]) -> Quote:
    return price(every_model(deployments))


def _with_fingerprint(deployments: tuple[SampleDeployment, ...]) -> str:
    request = models(deployments)
    return fingerprint(request, price(request))


def json_to_json(decoded: object) -> dict[str, object]:
    """Prices a request of decoded JSON, and returns what becomes the answer's JSON."""
    request = parse_request(decoded)
    return quote_json(request, price(request))


def text_to_text(text: str) -> str:
    """Does the same from JSON's text to JSON's text, as the command line does."""
    return json.dumps(json_to_json(json.loads(text)))
