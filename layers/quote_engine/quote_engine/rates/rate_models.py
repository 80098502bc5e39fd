"""The rate models there are: which one prices a rate, reads it from JSON and writes it there.

A new model is named in `Rate`, `READERS`, `charge` and `_own_json`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import assert_never, get_args

from quote_engine.rates.charge import ZERO, Charge, Divisor, at_its_amount
from quote_engine.rates.clamp import clamped
from quote_engine.rates.graduated import Graduated, charge_graduated, read_graduated
from quote_engine.rates.package import Package, charge_package, package_json, read_package
from quote_engine.rates.per_unit import PerUnit, charge_per_unit, per_unit_json, read_per_unit
from quote_engine.rates.shared_fields import Json, terms_json
from quote_engine.rates.tiers import TieredRate, tiers_json
from quote_engine.rates.volume import Volume, charge_volume, read_volume
from quote_engine.reader import Reader
from quote_engine.text import quantity_text

type Rate = PerUnit | Graduated | Volume | Package

RATE_MODELS: tuple[type[Rate], ...] = get_args(Rate.__value__)

READERS: Mapping[str, Callable[[Reader], Rate | None]] = {
    PerUnit.model: read_per_unit,
    Graduated.model: read_graduated,
    Volume.model: read_volume,
    Package.model: read_package,
}
_MODELS = tuple(READERS)


def charge(rate: Rate, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units, not rounded.

    `billable` is more than zero, except for a tiered rate with a flat fee at zero.
    """
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


def read_rate(reader: Reader) -> Rate | None:
    """A rate of any model, as JSON has it; its faults are left with the reader."""
    model = reader.choice("model", _MODELS)
    return READERS[model](reader) if reader.sound else None


def rate_json(rate: Rate) -> Json:
    """The rate's common fields, then those of its model; `read_rate` reads it back."""
    fields: Json = {
        "resource_kind": rate.resource_kind,
        "unit": rate.unit,
        "model": rate.model,
        "included": quantity_text(rate.included),
        **_own_json(rate),
    }
    return fields if rate.plain and rate.name is None else fields | terms_json(rate)


def _own_json(rate: Rate) -> Json:
    match rate:
        case PerUnit():
            return per_unit_json(rate)
        case Graduated() | Volume():
            return tiers_json(rate)
        case Package():
            return package_json(rate)
        case _:
            assert_never(rate)


def charge_within_bounds(rate: Rate, billable: Decimal, over: Divisor) -> Charge:
    """The same, between the rate's minimum and maximum; nothing billable may be charged."""
    if billable or charged_at_zero(rate):
        return clamped(rate, charge(rate, billable, over))
    return clamped(rate, at_its_amount(ZERO, 1, ""))


def charged_at_zero(rate: Rate) -> bool:
    """Whether the rate has a flat fee to charge even when nothing is billable."""
    return isinstance(rate, TieredRate) and rate.flat_fee_at_zero
