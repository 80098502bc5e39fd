"""package: whole packages, a started one counts in full."""

from decimal import Decimal
from typing import ClassVar

from quote_engine.faults import refuse
from quote_engine.limits import decimal_fault, money_fault, named, text_fault
from quote_engine.rates.charge import ZERO, Charge, Divisor
from quote_engine.rates.metered import MeteredRate, terms_faults
from quote_engine.rates.shared_fields import Json, read_subject, read_terms
from quote_engine.reader import Reader
from quote_engine.text import money_text, quantity_text
from quote_engine.value import value


@value
class Package(MeteredRate):
    """`package_price` dollars for each started `package_size` units of the period's total."""

    model: ClassVar[str] = "package"

    package_size: Decimal
    package_price: Decimal
    included: Decimal = ZERO

    def __post_init__(self) -> None:
        faults = named(
            ("resource_kind", "unit", "package_size", "package_price", "included"),
            text_fault(self.resource_kind),
            text_fault(self.unit),
            decimal_fault(self.package_size),
            money_fault(self.package_price),
            decimal_fault(self.included),
        )
        if not faults and self.package_size == 0:
            faults = ["package_size: must be more than zero"]
        refuse(faults + terms_faults(self))


def charge_package(rate: Package, billable: Decimal, over: Divisor) -> Charge:
    """The charge for `billable / over` units; whole packages owe no divisor."""
    packages, rest = divmod(billable, rate.package_size * over)
    if rest:
        packages += 1
    count, size = quantity_text(packages), quantity_text(rate.package_size)
    return (
        packages * rate.package_price,
        1,
        count,
        f"package of {size} {rate.unit}",
        money_text(rate.package_price),
        f"; {count} {'package' if count == '1' else 'packages'} of {size}",
    )


def read_package(reader: Reader) -> Package | None:
    """A rate of this model, as JSON has it; its faults are left with the reader."""
    kind, unit, included = read_subject(reader)
    terms = read_terms(reader)
    size, dollars = reader.quantity("package_size"), reader.money("package_price")
    if not reader.complete():
        return None
    return Package(kind, unit, size, dollars, included, **terms)


def package_json(rate: Package) -> Json:
    """The model's own fields, as `read_package` reads them back."""
    return {
        "package_size": quantity_text(rate.package_size),
        "package_price": money_text(rate.package_price),
    }
