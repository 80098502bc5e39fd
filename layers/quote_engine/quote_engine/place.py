"""The key of a line, for amounts that are worked out before the lines of a subscription."""

from datetime import date
from typing import NamedTuple

from quote_engine.models import Subscription
from quote_engine.quote import LineKind


class Place(NamedTuple):
    """The key of a line. `code`: of the plan or add-on, or a resource kind; else empty."""

    deployment_id: str
    starts_on: date
    kind: LineKind
    code: str


def place_of(subscription: Subscription, kind: LineKind, code: str = "") -> Place:
    """Returns the place of one of a subscription's lines; no two subscriptions share one."""
    return Place(subscription.deployment_id, subscription.starts_on, kind, code)
