"""Tiers of a graduated or a volume rate."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from quote_engine.faults import refuse
from quote_engine.limits import decimal_fault, money_fault, named, text_fault
from quote_engine.rates.charge import ZERO
from quote_engine.rates.metered import MeteredRate, terms_faults
from quote_engine.rates.shared_fields import Json
from quote_engine.reader import Reader
from quote_engine.text import money_text, quantity_text
from quote_engine.value import value


@value
class Tier:
    """Everything up to and including `up_to` units; None leaves the tier open."""

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = ZERO

    def __post_init__(self) -> None:
        faults = named(
            ("up_to", "unit_price", "flat_fee"),
            None if self.up_to is None else decimal_fault(self.up_to),
            money_fault(self.unit_price),
            money_fault(self.flat_fee),
        )
        refuse(faults or named(("up_to",), None if self.up_to != 0 else "must be more than zero"))


@value
class TieredRate(MeteredRate):
    """The fields and checks that graduated and volume rates have in common."""

    tiers: tuple[Tier, ...]
    included: Decimal = ZERO
    flat_fee_at_zero: bool = False

    def __post_init__(self) -> None:
        at_zero = self.flat_fee_at_zero
        refuse(
            named(
                ("resource_kind", "unit", "tiers", "included", "flat_fee_at_zero"),
                text_fault(self.resource_kind),
                text_fault(self.unit),
                tiers_fault(self.tiers),
                decimal_fault(self.included),
                None if isinstance(at_zero, bool) else "must be true or false",
            )
            + terms_faults(self)
        )


def tiers_fault(tiers: Sequence[Tier]) -> str | None:
    """Why these tiers do not cover every quantity exactly once, or None."""
    if not isinstance(tiers, tuple) or not all(isinstance(tier, Tier) for tier in tiers):
        return "must be a tuple of Tier"
    if not tiers:
        return "must not be empty"
    bounds = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
    if len(bounds) != len(tiers) - 1:
        return "only the last tier may be open (up_to null)"
    if tiers[-1].up_to is not None:
        return "the last tier must be open (up_to null)"
    if any(low >= high for low, high in pairwise(bounds)):
        return "up_to must rise from tier to tier"
    return None


def read_tiers(reader: Reader) -> tuple[tuple[Tier, ...], bool]:
    """The tiers, and whether the first one's flat fee is charged at zero."""
    tiers = reader.children("tiers", _read_tier, all_needed=True)
    return tiers, reader.flag("flat_fee_at_zero", False)


def _read_tier(reader: Reader) -> Tier | None:
    up_to, unit_price = reader.optional_quantity("up_to"), reader.money("unit_price")
    flat_fee = reader.money("flat_fee", "0")
    return Tier(up_to, unit_price, flat_fee) if reader.complete() else None


def tiers_json(rate: TieredRate) -> Json:
    """The fields that `read_tiers` reads back."""
    return {
        "tiers": [
            {
                "up_to": None if tier.up_to is None else quantity_text(tier.up_to),
                "unit_price": money_text(tier.unit_price),
                "flat_fee": money_text(tier.flat_fee),
            }
            for tier in rate.tiers
        ],
        "flat_fee_at_zero": rate.flat_fee_at_zero,
    }
