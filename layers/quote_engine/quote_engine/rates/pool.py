"""Which rates of a tenant may share a pool: alike in kind and all but allowance and name."""

from collections.abc import Iterable
from dataclasses import replace

from quote_engine.rates.charge import ZERO
from quote_engine.rates.rate_models import Rate

type Owned = tuple[str, Rate]
"""A deployment id and a rate of its plan."""


def pool_faults(rates: Iterable[Owned]) -> list[str]:
    """A fault for each pooled rate that cannot be priced together with the first of its kind."""
    firsts: dict[str, Owned] = {}
    faults = []
    for deployment_id, rate in rates:
        kind = rate.resource_kind
        first_id, first = firsts.setdefault(kind, (deployment_id, rate))
        if _priced(rate) != _priced(first):
            faults.append(
                f"subscriptions: the pooled rates of {kind!r} of {first_id!r} and "
                f"{deployment_id!r} differ (in more than included and name)"
            )
    return faults


def _priced(rate: Rate) -> Rate:
    return replace(rate, included=ZERO, name=None)
