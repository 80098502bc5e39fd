"""A change of plan within a month: the parts of one price sum to the whole."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

from quote_engine.allocate import allocate_cents
from quote_engine.models import QuoteRequest, Subscription
from quote_engine.period import Period
from quote_engine.place import Place, place_of
from quote_engine.proration import WHOLE, active_share
from quote_engine.quote import Line, LineKind
from quote_engine.rounding import round_cents
from quote_engine.text import cents_text

type Parts = Mapping[Place, int]
"""For each place, its part in cents of a price that subscriptions of a deployment share."""

type _Price = tuple[str, LineKind, str, Decimal]
type _Days = list[tuple[Place, int]]


def split_parts(request: QuoteRequest) -> Parts:
    """Returns the parts of every prorated price that a deployment's subscriptions have in common.

    All its days are rounded once, as if nothing had changed; the cents are then allocated by
    days. Rounded separately, three thirds of 100.00 would be 99.99.
    """
    period = request.period
    prices: dict[_Price, _Days] = defaultdict(list)
    for subscription in request.subscriptions:
        used = _prorated_days(subscription, period)
        for place, dollars in _prices(subscription) if used else ():
            price = (place.deployment_id, place.kind, place.code, dollars)
            prices[price].append((place, used))
    parts: dict[Place, int] = {}
    for (*_, dollars), place_days in prices.items():
        days = [used for _, used in place_days]
        cents = allocate_cents(round_cents(dollars * sum(days), period.days), days)
        parts |= {place: part for (place, _), part in zip(place_days, cents, strict=True)}
    return parts


def as_parts(lines: list[Line], subscription: Subscription, parts: Parts) -> list[Line]:
    """Returns the lines of a plan and its add-ons with the cents of their part of the month."""
    places = [place for place, _ in _prices(subscription)]
    cents = [parts.get(place) for place in places[: len(lines)]]
    return [_as_part(line, part) for line, part in zip(lines, cents, strict=True)]


def committed_part(subscription: Subscription, parts: Parts) -> int | None:
    """Returns a subscription's part of its minimum commitment, in cents; None if there is none."""
    return parts.get(place_of(subscription, "minimum"))


def _as_part(line: Line, cents: int | None) -> Line:
    """Returns the line as it is, unless a left-over cent falls on it: then it shows its amount."""
    if cents is None or cents == line.amount_cents:
        return line
    difference = cents_text(cents - line.amount_cents)
    sign = "" if difference.startswith("-") else "+"
    text = f"{line.description[:-1]}; {sign}{difference} so that the parts sum to the whole)"
    return line._replace(
        description=text,
        quantity="1",
        unit="part of a month",
        unit_price=cents_text(cents),
        amount_cents=cents,
    )


def _prorated_days(subscription: Subscription, period: Period) -> int:
    """Returns the days billed; zero if the month is billed as a whole or not at all."""
    if subscription.plan.proration == "none":
        return 0
    share = active_share(subscription.starts_on, subscription.ends_on, period)
    return 0 if share is None or share is WHOLE else share.used


def _prices(subscription: Subscription) -> Iterator[tuple[Place, Decimal]]:
    """Yields the dollars a month of the plan, of each add-on's quantity, of the commitment."""
    plan, commitment = subscription.plan, subscription.minimum_commitment
    yield place_of(subscription, "plan_base", plan.code), plan.price
    for addon in subscription.addons:
        yield place_of(subscription, "addon", addon.code), addon.price * addon.quantity
    if commitment is not None:
        yield place_of(subscription, "minimum"), commitment
