"""Amounts that depend on several subscriptions, worked out before the first one is priced."""

from collections.abc import Mapping
from typing import NamedTuple

from quote_engine.models import QuoteRequest
from quote_engine.place import Place
from quote_engine.pooled import pooled_lines
from quote_engine.quote import Line
from quote_engine.split import Parts, split_parts


class Joint(NamedTuple):
    """The parts of split prices, in cents, and the lines of pooled usage."""

    parts: Parts
    pooled: Mapping[Place, Line]


ALONE = Joint({}, {})


def joint(request: QuoteRequest) -> Joint:
    """Returns both. Not called for most requests, whose subscriptions are each priced alone."""
    return Joint(
        split_parts(request) if request.split else {},
        pooled_lines(request) if request.pooled else {},
    )
