"""Usage that arrives after its period was invoiced: billed as the difference of two prices."""

from collections import Counter, defaultdict
from decimal import Decimal, localcontext

from quote_engine.adjustment import Adjustment
from quote_engine.faults import refuse
from quote_engine.limits import named
from quote_engine.models import QuoteRequest
from quote_engine.price import price
from quote_engine.quote import LineKind
from quote_engine.rounding import EXACT
from quote_engine.text import figure_text

type _Key = tuple[str, str]
"""A deployment id and a resource kind; the kind is empty for lines without one."""

_KINDS: dict[LineKind, str] = {
    "plan_base": "plan",
    "addon": "add-ons",
    "overage": "usage",
    "minimum": "minimum commitment",
    "discount": "discounts",
}
"""The kinds of line that are compared, with a word for each: neither tax nor adjustments."""


def adjustments_between(then: QuoteRequest, now: QuoteRequest) -> tuple[Adjustment, ...]:
    """Returns price(now) - price(then), before tax, for each deployment and resource kind.

    `then` is the request that was invoiced, including what has been adjusted since; `now` is the
    same period with all usage known. Whatever changes beside the usage itself, such as a
    percentage discount, is one more adjustment of its deployment: they sum to the difference of
    the subtotals. Each has the tax treatment of the period. Adjustments that the requests hold
    are not compared. Raises InvalidRequest unless period, currency and treatment are the same.
    """
    refuse(
        named(
            ("period", "currency", "tax"),
            _change_fault(then.period, now.period),
            _change_fault(then.currency, now.currency),
            _change_fault(then.tax, now.tax),
        )
    )
    before, after = _charges(then), _charges(now)
    used_then, used_now, labels = _usage(then), _usage(now), _labels(now)
    adjustments = []
    for deployment_id, kind in sorted(before.keys() | after.keys()):
        key = deployment_id, kind
        changes = {name: after[key][name] - before[key][name] for name in _KINDS}
        cents = sum(changes.values())
        if cents:
            cause = _usage_text(used_then[key], used_now[key]) if kind else _others(changes)
            text = f"Adjustment for {now.period.label}: {labels.get(key, kind)}{cause}"
            adjustments.append(Adjustment(text, deployment_id, kind or None, cents, now.tax))
    return tuple(adjustments)


def _change_fault(then: object, now: object) -> str | None:
    return None if then == now else "must be the same then and now"


def _charges(request: QuoteRequest) -> dict[_Key, Counter[LineKind]]:
    """Returns the cents by kind of line, for each deployment and resource kind."""
    charges: dict[_Key, Counter[LineKind]] = defaultdict(Counter)
    for line in price(request).lines:
        if line.kind in _KINDS:
            key = line.deployment_id or "", line.resource_kind or ""
            charges[key][line.kind] += line.amount_cents
    return charges


def _usage(request: QuoteRequest) -> dict[_Key, Decimal]:
    """Returns the quantities used, each over all subscriptions of its deployment."""
    usage: dict[_Key, Decimal] = defaultdict(Decimal)
    with localcontext(EXACT):
        for subscription in request.subscriptions:
            for kind, used in subscription.usage.items():
                usage[subscription.deployment_id, kind] += used
    return usage


def _labels(request: QuoteRequest) -> dict[_Key, str]:
    """Returns what lines call the usage of each rate."""
    return {
        (subscription.deployment_id, rate.resource_kind): rate.label
        for subscription in request.subscriptions
        for rate in subscription.plan.rates
    }


def _usage_text(then: Decimal, now: Decimal) -> str:
    """Returns what changed: the usage, or its price alone (as the share of a pool can)."""
    if then == now:
        return f" ({figure_text(now)} used, its price changed)"
    return f" ({figure_text(now)} used, {figure_text(then)} invoiced)"


def _others(changes: dict[LineKind, int]) -> str:
    return ", ".join(_KINDS[name] for name, cents in changes.items() if cents)
