"""graduated: each tier's share of the quantity at that tier's own price."""

from decimal import Decimal
from typing import ClassVar

from quote_engine.rates.charge import ZERO, Charge, Divisor, at_its_amount, at_unit_price
from quote_engine.rates.shared_fields import read_subject, read_terms
from quote_engine.rates.tiers import Tier, TieredRate, read_tiers
from quote_engine.rates.working import FLAT_FEE, fee_working, share_working
from quote_engine.reader import Reader
from quote_engine.value import value


@value
class Graduated(TieredRate):
    """Tiers that each price their own share; a `flat_fee` once for each tier entered."""

    model: ClassVar[str] = "graduated"


def charge_graduated(rate: Graduated, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units, its working tier by tier."""
    shares = _shares(rate.tiers, billable, over)
    amount = ZERO
    working = []
    for tier, share in shares:
        amount += share * tier.unit_price + tier.flat_fee * over
        if share:
            working.append(share_working(share, over, tier.unit_price))
        if tier.flat_fee:
            working.append(fee_working(tier.flat_fee))
    if len(shares) == 1 and not shares[0][0].flat_fee:
        return at_unit_price(billable, over, rate.unit, shares[0][0].unit_price)
    unit = "" if billable else FLAT_FEE
    return at_its_amount(amount, over, f"; {' + '.join(working)}", unit)


def _shares(
    tiers: tuple[Tier, ...], billable: Decimal, over: Divisor
) -> list[tuple[Tier, Decimal]]:
    """Each tier entered with its share, times `over`. The first is entered even at zero."""
    shares: list[tuple[Tier, Decimal]] = []
    below = ZERO
    for tier in tiers:
        top = billable if tier.up_to is None else min(billable, tier.up_to * over)
        if top > below or not shares:
            shares.append((tier, top - below))
        below = top
    return shares


def read_graduated(reader: Reader) -> Graduated | None:
    """A rate of this model, as JSON has it; its faults are left with the reader."""
    kind, unit, included = read_subject(reader)
    terms = read_terms(reader)
    tiers, at_zero = read_tiers(reader)
    if not reader.complete():
        return None
    return Graduated(kind, unit, tiers, included, at_zero, **terms)
