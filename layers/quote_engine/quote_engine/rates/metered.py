"""The fields of every rate, whatever its model: whose usage it prices, and its bounds."""

from dataclasses import field
from decimal import Decimal
from typing import ClassVar, Literal, get_args

from quote_engine.limits import choice_fault, money_fault, named, text_fault
from quote_engine.rates.convert import Convert
from quote_engine.value import value

type Pool = Literal["tenant"]

POOLS: tuple[Pool, ...] = get_args(Pool.__value__)


@value
class MeteredRate:
    """`convert` acts on the quantity, before the allowance: `unit` is the unit that is priced.

    `minimum` and `maximum` dollars bound the amount of a stretch; they are not prorated.

    `pool`: the tenant's stretches that have this rate share its allowance and its amount.

    `name` is what lines call the usage, if not by its kind.
    """

    # The model's name in JSON; each model has its own.
    model: ClassVar[str]
    resource_kind: str
    unit: str
    minimum: Decimal | None = field(default=None, kw_only=True)
    maximum: Decimal | None = field(default=None, kw_only=True)
    convert: Convert | None = field(default=None, kw_only=True)
    pool: Pool | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    @property
    def plain(self) -> bool:
        """Without bounds, conversion and pool, only the model's price is worked out."""
        bounded = self.minimum is not None or self.maximum is not None
        return not bounded and self.convert is None and self.pool is None

    @property
    def label(self) -> str:
        """What lines call the usage."""
        return self.name or self.resource_kind


def terms_faults(rate: MeteredRate) -> list[str]:
    """The faults of the fields that all models share, beside kind, unit and allowance."""
    if rate.plain and rate.name is None:
        return []
    minimum, maximum = rate.minimum, rate.maximum
    faults = named(
        ("minimum", "maximum", "pool", "convert", "name"),
        None if minimum is None else money_fault(minimum),
        None if maximum is None else money_fault(maximum),
        None if rate.pool is None else choice_fault(rate.pool, POOLS),
        _convert_fault(rate.convert),
        None if rate.name is None else text_fault(rate.name),
    )
    if not faults and minimum is not None and maximum is not None and minimum > maximum:
        faults = ["minimum: must not be more than maximum"]
    return faults


def _convert_fault(value: object) -> str | None:
    return None if value is None or isinstance(value, Convert) else "must be a Convert"
