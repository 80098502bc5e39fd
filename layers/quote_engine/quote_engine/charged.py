"""What was charged for the days of each subscription, out of lines that run over several."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from quote_engine.allocate import allocate_cents
from quote_engine.monthly import MonthlyLine
from quote_engine.quote import Line
from quote_engine.rates.charge import ZERO
from quote_engine.stretch import Stretch, StretchPart


class PricedStretch(NamedTuple):
    """A stretch with the lines of its monthly prices and of its usage."""

    stretch: Stretch
    monthly: Sequence[MonthlyLine]
    overages: Sequence[Line]

    def lines(self) -> list[Line]:
        """Returns all its lines, in order."""
        return [*[line for line, _ in self.monthly], *self.overages]


def billed_parts(priced: Sequence[PricedStretch]) -> list[StretchPart]:
    """Returns the subscriptions of a deployment that have days in the period, in order."""
    return [part for one in priced for part in one.stretch.parts]


def charged_by_part(priced: Sequence[PricedStretch]) -> list[int]:
    """Returns the cents that were charged for each of `billed_parts`.

    Each line is split by largest remainder: a monthly price by days; usage by the usage of those
    days, or by days if there was none.
    """
    return [cents for one in priced for cents in _charged(one)]


def _charged(priced: PricedStretch) -> list[int]:
    parts = priced.stretch.parts
    if len(parts) == 1:
        return [sum([line.amount_cents for line in priced.lines()])]
    cents = [0] * len(parts)
    weighted: list[tuple[Line, Sequence[Decimal | int]]] = [*priced.monthly]
    weighted += [(line, _usage_weights(line, parts)) for line in priced.overages]
    for line, weights in weighted:
        split = allocate_cents(line.amount_cents, weights)
        cents = [before + part for before, part in zip(cents, split, strict=True)]
    return cents


def _usage_weights(line: Line, parts: Sequence[StretchPart]) -> list[Decimal | int]:
    kind = line.resource_kind or ""
    used = [part.subscription.usage.get(kind, ZERO) for part in parts]
    return [*used] if any(used) else [part.days for part in parts]
