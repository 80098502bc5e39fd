"""A request's subscriptions, deployment by deployment."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

from quote_engine.models import QuoteRequest, Subscription


def by_deployment(request: QuoteRequest) -> Iterable[Sequence[Subscription]]:
    """Returns the subscriptions of each deployment, in order of start."""
    if not request.split:
        return [(subscription,) for subscription in request.subscriptions]
    groups = groupby(request.subscriptions, attrgetter("deployment_id"))
    return [tuple(group) for _, group in groups]
