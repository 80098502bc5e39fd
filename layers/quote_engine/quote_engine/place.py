"""The key of what subscriptions are priced together for, before each has its lines."""

from datetime import date
from typing import NamedTuple

from quote_engine.models import Subscription
from quote_engine.quote import LineKind


class Place(NamedTuple):
    """Where a line stands. `code`: of the plan or add-on, or a resource kind; else empty."""

    deployment_id: str
    starts_on: date
    kind: LineKind
    code: str


def place_of(subscription: Subscription, kind: LineKind, code: str = "") -> Place:
    """The place of one of a subscription's lines: no two subscriptions share one."""
    return Place(subscription.deployment_id, subscription.starts_on, kind, code)
