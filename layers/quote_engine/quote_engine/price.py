"""The order of operations, from usage to a quote (docs/money-rules.md numbers the steps)."""

from decimal import getcontext, setcontext

from quote_engine.closing_lines import closing_lines
from quote_engine.joint import ALONE, Joint, joint
from quote_engine.models import QuoteRequest, Subscription
from quote_engine.monthly import addon_line, plan_base_line
from quote_engine.overage import overage_line
from quote_engine.overage_on_terms import overages_on_terms
from quote_engine.period import Period
from quote_engine.proration import WHOLE, active_share
from quote_engine.quote import Line, Quote, UnpricedUsage
from quote_engine.rounding import EXACT
from quote_engine.split import as_parts, committed_part
from quote_engine.tax import tax_line


def price(request: QuoteRequest) -> Quote:
    """Returns the quote of a tenant's period, in cents. The same request gives the same bytes."""
    lines: list[Line] = []
    unpriced: list[UnpricedUsage] = []
    subtotal = tax_cents = 0
    callers_context = getcontext()
    setcontext(EXACT)
    try:
        together = joint(request) if request.split or request.pooled else ALONE
        for subscription in request.subscriptions:
            priced, without_rate = price_subscription(subscription, request.period, together)
            lines += priced
            unpriced += without_rate
        lines += request.adjustments
        if lines:
            subtotal = sum([line.amount_cents for line in lines])
            tax = tax_line(subtotal, request.tax)  # rule 8
            tax_cents = tax.amount_cents
            lines.append(tax)
    finally:
        setcontext(callers_context)
    total = subtotal + tax_cents  # rule 9
    return Quote(request.currency, tuple(lines), subtotal, tax_cents, total, tuple(unpriced))


def price_subscription(
    subscription: Subscription, period: Period, together: Joint = ALONE
) -> tuple[list[Line], list[UnpricedUsage]]:
    """Returns a subscription's lines, in the order of the money rules, and its unpriced usage."""
    share = active_share(subscription.starts_on, subscription.ends_on, period)
    if share is None:
        return [], _without_rate(subscription, frozenset())
    plan, deployment_id, usage = subscription.plan, subscription.deployment_id, subscription.usage
    if plan.proration == "none":
        share = WHOLE
    lines = [plan_base_line(plan, deployment_id, share)]
    for addon in subscription.addons:
        lines.append(addon_line(addon, deployment_id, share))
    if together.parts:
        lines = as_parts(lines, subscription, together.parts)
    if plan.plain:
        for rate in plan.rates:
            overage = overage_line(rate, deployment_id, usage, share)  # rules 1 to 5
            if overage is not None:
                lines.append(overage)
    else:
        lines += overages_on_terms(subscription, share, together.pooled)
    if not subscription.plain:
        committed = committed_part(subscription, together.parts)
        lines += closing_lines(subscription, share, lines, committed)  # rules 6 and 7
    if usage.keys() <= plan.resource_kinds:
        return lines, []
    return lines, _without_rate(subscription, plan.resource_kinds)


def _without_rate(subscription: Subscription, kinds: frozenset[str]) -> list[UnpricedUsage]:
    return [
        UnpricedUsage(subscription.deployment_id, kind, quantity)
        for kind, quantity in sorted(subscription.usage.items())
        if quantity and kind not in kinds
    ]
