"""The bill of the current month so far, and where it is heading; never an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.foundation.billing_calendar import ends_at
from invoicing.pricing.tenant_month import PricedMonth, Pricing
from quote_engine import Period, QuoteRequest, Subscription, price, quote_json

# A projection is a guess to begin with; 12 decimals are what the engine takes.
PROJECTED = Context(prec=60, rounding=ROUND_HALF_UP)
TWELVE_PLACES = Decimal("1e-12")


class PeriodNotBegun(Exception):
    """The period lies ahead: there is nothing to estimate from."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Prices a running month as the rollup would, and once more with its usage drawn on."""

    pricing: Pricing
    zone: ZoneInfo

    def estimate(self, tenant_id: str, period: Period, as_of: datetime) -> dict[str, Any]:
        """The month to date and its projection, by the rollup's own pricing.

        Raises PeriodNotBegun, UnknownTenant and whatever pricing raises.
        """
        today = as_of.astimezone(self.zone).date()
        if today < period.start:
            raise PeriodNotBegun(f"{period.label} begins on {period.start}")
        month = self.pricing.month(tenant_id, period)
        drawn_on = _drawn_on(month.request, min(today, period.last_day))
        return {
            "estimate": True,
            "tenant_id": tenant_id,
            "period": period.label,
            "as_of": as_of.isoformat(),
            "period_over": as_of >= ends_at(period, self.zone),
            "to_date": _shown(month.request, month),
            "projection": quote_json(drawn_on, price(drawn_on)),
        }


def _shown(request: QuoteRequest, month: PricedMonth) -> Mapping[str, object]:
    return quote_json(request, month.quote)


def _drawn_on(request: QuoteRequest, today: date) -> QuoteRequest:
    """The same request with usage as it will be if each remaining day uses the average so far."""
    period = request.period
    return replace(
        request,
        subscriptions=tuple(_projected(entry, period, today) for entry in request.subscriptions),
    )


def _projected(entry: Subscription, period: Period, today: date) -> Subscription:
    first = max(entry.starts_on, period.start)
    last = min(entry.ends_on or period.last_day, period.last_day)
    so_far = (min(today, last) - first).days + 1
    days = (last - first).days + 1
    if so_far <= 0 or so_far >= days:
        return entry
    return replace(
        entry,
        usage={kind: _scaled(used, days, so_far) for kind, used in entry.usage.items()},
    )


def _scaled(used: Decimal, days: int, so_far: int) -> Decimal:
    per_day = PROJECTED.divide(PROJECTED.multiply(used, days), so_far)
    return PROJECTED.quantize(per_day, TWELVE_PLACES)
