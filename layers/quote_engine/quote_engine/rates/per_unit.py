"""per_unit: every billable unit at one price."""

from decimal import Decimal
from typing import ClassVar

from quote_engine.faults import refuse
from quote_engine.limits import decimal_fault, money_fault, named, text_fault
from quote_engine.rates.charge import ZERO, Charge, Divisor, at_unit_price
from quote_engine.rates.metered import MeteredRate, terms_faults
from quote_engine.rates.shared_fields import Json, read_subject, read_terms
from quote_engine.reader import Reader
from quote_engine.text import money_text
from quote_engine.value import value


@value
class PerUnit(MeteredRate):
    """`unit_price` dollars for each unit over the `included` ones."""

    model: ClassVar[str] = "per_unit"

    unit_price: Decimal
    included: Decimal = ZERO

    def __post_init__(self) -> None:
        refuse(
            named(
                ("resource_kind", "unit", "unit_price", "included"),
                text_fault(self.resource_kind),
                text_fault(self.unit),
                money_fault(self.unit_price),
                decimal_fault(self.included),
            )
            + terms_faults(self)
        )


def charge_per_unit(rate: PerUnit, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units."""
    return at_unit_price(billable, over, rate.unit, rate.unit_price)


def read_per_unit(reader: Reader) -> PerUnit | None:
    """A rate of this model, as JSON has it; its faults are left with the reader."""
    kind, unit, included = read_subject(reader)
    terms = read_terms(reader)
    unit_price = reader.money("unit_price")
    if not reader.complete():
        return None
    return PerUnit(kind, unit, unit_price, included, **terms)


def per_unit_json(rate: PerUnit) -> Json:
    """The model's own fields, as `read_per_unit` reads them back."""
    return {"unit_price": money_text(rate.unit_price)}
