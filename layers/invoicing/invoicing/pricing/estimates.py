"""Estimates of the current month's bill: to date and at its end; never an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import ends_at
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from quote_engine import Period, QuoteRequest, Subscription, price, quote_json

# A projection is a guess anyway; the engine takes at most 12 decimals.
PROJECTED = Context(prec=60, rounding=ROUND_HALF_UP)
TWELVE_PLACES = Decimal("1e-12")


class PeriodNotBegun(Exception):
    """The period has not begun: there is nothing to estimate from."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Prices a running month as the rollup would, and again with its usage projected."""

    pricing: Pricing
    zone: ZoneInfo

    def estimate(self, tenant_id: str, period: Period, as_of: datetime) -> dict[str, Any]:
        """Returns the month to date and its projection as JSON, at the rollup's own prices.

        Raises PeriodNotBegun, UnknownTenant and whatever pricing raises.
        """
        today = as_of.astimezone(self.zone).date()
        if today < period.start:
            raise PeriodNotBegun(f"{period.label} begins on {period.start}")
        month = self.pricing.month(tenant_id, period)
        projected = _projected_request(month.request, min(today, period.last_day))
        return {
            "estimate": True,
            "tenant_id": tenant_id,
            "period": period.label,
            "as_of": as_of.isoformat(),
            "period_over": as_of >= ends_at(period, self.zone),
            "to_date": _to_date(month.request, month),
            "projection": quote_json(projected, price(projected)),
        }


def _to_date(request: QuoteRequest, month: PricedMonth) -> Mapping[str, object]:
    return quote_json(request, month.quote)


def _projected_request(request: QuoteRequest, today: date) -> QuoteRequest:
    """Returns the request with its usage projected: the average so far for each remaining day."""
    period = request.period
    return replace(
        request,
        subscriptions=tuple(
            _projected_subscription(subscription, period, today)
            for subscription in request.subscriptions
        ),
    )


def _projected_subscription(
    subscription: Subscription, period: Period, today: date
) -> Subscription:
    first = max(subscription.starts_on, period.start)
    last = min(subscription.ends_on or period.last_day, period.last_day)
    days_so_far = (min(today, last) - first).days + 1
    days = (last - first).days + 1
    if days_so_far <= 0 or days_so_far >= days:
        return subscription
    return replace(
        subscription,
        usage={
            kind: _scaled(used, days, days_so_far) for kind, used in subscription.usage.items()
        },
    )


def _scaled(used: Decimal, days: int, days_so_far: int) -> Decimal:
    projected = PROJECTED.divide(PROJECTED.multiply(used, days), days_so_far)
    return PROJECTED.quantize(projected, TWELVE_PLACES)
