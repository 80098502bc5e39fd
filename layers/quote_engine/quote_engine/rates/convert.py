"""Rule 2: from the unit that is metered to the unit that is priced."""

from decimal import Decimal
from typing import Literal, assert_never, get_args

from quote_engine.faults import refuse
from quote_engine.limits import choice_fault, exactly_one, factor_fault, named
from quote_engine.rates.charge import ZERO, Divisor
from quote_engine.reader import Reader
from quote_engine.text import figure_text, quantity_text
from quote_engine.value import value

type QuantityRounding = Literal["none", "ceiling", "floor", "half_up"]

QUANTITY_ROUNDINGS: tuple[QuantityRounding, ...] = get_args(QuantityRounding.__value__)
_ONE = Decimal(1)
_SAID = {
    "none": "",
    "ceiling": ", rounded up",
    "floor": ", rounded down",
    "half_up": ", rounded half up",
}


@value
class Convert:
    """Divides or multiplies the period's quantity, and may round it to whole units then."""

    divide_by: Decimal | None = None
    multiply_by: Decimal | None = None
    rounding: QuantityRounding = "none"

    def __post_init__(self) -> None:
        refuse(
            named(
                ("divide_by", "multiply_by", "rounding"),
                None if self.divide_by is None else factor_fault(self.divide_by),
                None if self.multiply_by is None else factor_fault(self.multiply_by),
                choice_fault(self.rounding, QUANTITY_ROUNDINGS),
            )
            + exactly_one(divide_by=self.divide_by, multiply_by=self.multiply_by)
        )


def converted(convert: Convert | None, used: Decimal) -> tuple[Decimal, Divisor]:
    """The quantity as `number / divisor`: nothing is divided, so that nothing is lost."""
    if convert is None:
        return used, 1
    number = used if convert.multiply_by is None else used * convert.multiply_by
    divisor = _ONE if convert.divide_by is None else convert.divide_by
    whole, rest = divmod(number, divisor)
    match convert.rounding:
        case "none":
            return number, divisor
        case "floor":
            return whole, 1
        case "ceiling":
            return whole + (rest > 0), 1
        case "half_up":
            return whole + (rest * 2 >= divisor), 1
        case _:
            assert_never(convert.rounding)


def used_text(convert: Convert | None, used: Decimal, unit: str) -> str:
    """`2160 used`; or with a conversion `2500 used / 1000 = 3 GB, rounded up`."""
    metered = f"{figure_text(used)} used"
    if convert is None:
        return metered
    if convert.divide_by is None:
        sign, factor = "x", convert.multiply_by or _ONE
    else:
        sign, factor = "/", convert.divide_by
    number, divisor = converted(convert, used)
    priced = figure_text(number, divisor)
    return f"{metered} {sign} {quantity_text(factor)} = {priced} {unit}{_SAID[convert.rounding]}"


def read_convert(reader: Reader) -> Convert | None:
    """A conversion, as JSON has it; its faults are left with the reader."""
    divide_by = reader.optional_decimal("divide_by", factor_fault)
    multiply_by = reader.optional_decimal("multiply_by", factor_fault)
    rounding = reader.choice("rounding", QUANTITY_ROUNDINGS, "none")
    return Convert(divide_by, multiply_by, rounding) if reader.complete() else None


def convert_json(convert: Convert) -> dict[str, object]:
    """A conversion's JSON; `read_convert` reads it back into an equal one."""
    if convert.divide_by is not None:
        factor = {"divide_by": quantity_text(convert.divide_by)}
    else:
        factor = {"multiply_by": quantity_text(convert.multiply_by or ZERO)}
    return {**factor, "rounding": convert.rounding}
