"""Which rates of a tenant may share a pool: alike in kind and all but allowance and name."""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter

from quote_engine.rates.rate_models import RATE_MODELS, Rate

type Owned = tuple[str, Rate]
"""A deployment id and a rate of its plan."""

_EACH_ITS_OWN = ("included", "name")
_TERMS = {
    model: attrgetter(*[field.name for field in fields(model) if field.name not in _EACH_ITS_OWN])
    for model in RATE_MODELS
}


def pool_faults(rates: Iterable[Owned]) -> list[str]:
    """A fault for each pooled rate that cannot be priced together with the first of its kind."""
    firsts: dict[str, Owned] = {}
    faults = []
    for deployment_id, rate in rates:
        kind = rate.resource_kind
        first_id, first = firsts.setdefault(kind, (deployment_id, rate))
        if rate is not first and _terms(rate) != _terms(first):
            faults.append(
                f"subscriptions: the pooled rates of {kind!r} of {first_id!r} and "
                f"{deployment_id!r} differ (in more than included and name)"
            )
    return faults


def _terms(rate: Rate) -> tuple[object, ...]:
    """What members of a pool must have alike. To compare copies would check each rate again."""
    return type(rate), *_TERMS[type(rate)](rate)
