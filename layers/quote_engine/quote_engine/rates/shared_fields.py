"""The fields that a rate of any model has, as JSON has them."""

from decimal import Decimal
from typing import TypedDict

from quote_engine.limits import money_fault
from quote_engine.rates.convert import Convert, convert_json, read_convert
from quote_engine.rates.metered import POOLS, MeteredRate, Pool
from quote_engine.reader import Reader
from quote_engine.text import money_text

type Json = dict[str, object]


class RateTerms(TypedDict, total=False):
    """Fields that most rates leave out."""

    minimum: Decimal | None
    maximum: Decimal | None
    convert: Convert | None
    pool: Pool | None
    name: str | None


_NAMES = frozenset(RateTerms.__annotations__)


def read_subject(reader: Reader) -> tuple[str, str, Decimal]:
    """The resource kind, the unit that is priced, and how many of it are included."""
    return reader.text("resource_kind"), reader.text("unit"), reader.quantity("included", "0")


def read_terms(reader: Reader) -> RateTerms:
    """Bounds, conversion, pool and name, as keywords of a rate's constructor."""
    if not reader.has_any(_NAMES):
        return {}
    return {
        "minimum": reader.optional_decimal("minimum", money_fault),
        "maximum": reader.optional_decimal("maximum", money_fault),
        "convert": reader.optional_child("convert", read_convert),
        "pool": reader.optional_choice("pool", POOLS),
        "name": reader.optional_text("name"),
    }


def terms_json(rate: MeteredRate) -> Json:
    """Only what is set: a rate without terms has the JSON it always had."""
    terms: Json = {}
    if rate.minimum is not None:
        terms["minimum"] = money_text(rate.minimum)
    if rate.maximum is not None:
        terms["maximum"] = money_text(rate.maximum)
    if rate.convert is not None:
        terms["convert"] = convert_json(rate.convert)
    if rate.pool is not None:
        terms["pool"] = rate.pool
    if rate.name is not None:
        terms["name"] = rate.name
    return terms
