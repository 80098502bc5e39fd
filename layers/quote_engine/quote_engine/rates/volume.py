"""volume: the whole billable quantity at the price of the tier that it falls in."""

from decimal import Decimal
from typing import ClassVar

from quote_engine.rates.charge import Charge, Divisor, at_its_amount, at_unit_price
from quote_engine.rates.shared_fields import read_subject, read_terms
from quote_engine.rates.tiers import Tier, TieredRate, read_tiers
from quote_engine.rates.working import FLAT_FEE, fee_working, share_working
from quote_engine.reader import Reader
from quote_engine.value import value


@value
class Volume(TieredRate):
    """Tiers of which one prices everything, with that tier's `flat_fee`."""

    model: ClassVar[str] = "volume"


def charge_volume(rate: Volume, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units."""
    tier = _tier_of(rate.tiers, billable, over)
    if not tier.flat_fee:
        return at_unit_price(billable, over, rate.unit, tier.unit_price)
    amount = billable * tier.unit_price + tier.flat_fee * over
    working = fee_working(tier.flat_fee)
    if billable:
        working = f"{share_working(billable, over, tier.unit_price)} + {working}"
    return at_its_amount(amount, over, f"; {working}", "" if billable else FLAT_FEE)


def _tier_of(tiers: tuple[Tier, ...], billable: Decimal, over: Divisor) -> Tier:
    for tier in tiers[:-1]:
        if tier.up_to is not None and billable <= tier.up_to * over:
            return tier
    return tiers[-1]


def read_volume(reader: Reader) -> Volume | None:
    """A rate of this model, as JSON has it; its faults are left with the reader."""
    kind, unit, included = read_subject(reader)
    terms = read_terms(reader)
    tiers, at_zero = read_tiers(reader)
    if not reader.complete():
        return None
    return Volume(kind, unit, tiers, included, at_zero, **terms)
