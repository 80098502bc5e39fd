"""Which model prices a rate."""

from decimal import Decimal
from typing import assert_never

from quote_engine.rates.charge import ZERO, Charge, Divisor
from quote_engine.rates.clamp import clamped
from quote_engine.rates.graduated import Graduated, charge_graduated
from quote_engine.rates.package import Package, charge_package
from quote_engine.rates.per_unit import PerUnit, charge_per_unit
from quote_engine.rates.tiers import TieredRate
from quote_engine.rates.volume import Volume, charge_volume

type Rate = PerUnit | Graduated | Volume | Package

RATE_MODELS = (PerUnit, Graduated, Volume, Package)


def charge(rate: Rate, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units, not rounded. A new model fails mypy here."""
    match rate:
        case PerUnit():
            return charge_per_unit(rate, billable, over)
        case Graduated():
            return charge_graduated(rate, billable, over)
        case Volume():
            return charge_volume(rate, billable, over)
        case Package():
            return charge_package(rate, billable, over)
        case _:
            assert_never(rate)


def charge_within_bounds(rate: Rate, billable: Decimal, over: Divisor) -> Charge:
    """The same, between the rate's minimum and maximum; nothing billable may be charged."""
    if billable or charged_at_zero(rate):
        return clamped(rate, charge(rate, billable, over))
    return clamped(rate, (ZERO, 1, "0", rate.unit, "0.00", ""))


def charged_at_zero(rate: Rate) -> bool:
    """Whether the rate has a flat fee to charge even when nothing is billable."""
    return isinstance(rate, TieredRate) and rate.flat_fee_at_zero
