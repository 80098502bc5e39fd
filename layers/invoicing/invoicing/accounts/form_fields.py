"""Fields that several forms share (days, text, codes, versions, money), and their errors."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from invoicing.foundation.json_input import InvalidBody, read_body
from quote_engine import Discount, InvalidRequest, parse_discount
from quote_engine.limits import ADDON_QUANTITY, money_fault, text_fault

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DOLLARS = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


type ReadPrice[P] = Callable[[object], P]


class InvalidForm(InvalidBody):
    """The form is refused as a whole; `reasons` says why, by field."""

    @classmethod
    def of(cls, error: ValueError, prefix: str = "") -> "InvalidForm":
        """Makes one from an error whose text is `field: reason`."""
        field, _, reason = str(error).partition(": ")
        return cls({f"{prefix}{field}": reason})


def read_form[M: BaseModel](model: type[M], body: Any, from_path: Mapping[str, str]) -> M:
    """Reads the form in a request's body; raises InvalidForm with every faulty field.

    `from_path` are the fields that the path sets: the body may repeat them, but not differ.
    """
    if not isinstance(body, dict):
        raise InvalidForm({"body": "must be an object"})
    contradictions = {
        name: f"must be {value}, as in the path"
        for name, value in from_path.items()
        if body.get(name, value) != value
    }
    if contradictions:
        raise InvalidForm(contradictions)
    form = {key: body[key] for key in body if key not in from_path}
    return read_body(model, form, InvalidForm)


def read_priced[P](read: ReadPrice[P], body: Any, code: str) -> P:
    """Reads a plan or an add-on in a request's body, by the engine's own rules.

    Raises InvalidForm with every faulty place, as `rates[0].tiers`.
    """
    if not isinstance(body, dict):
        raise InvalidForm({"body": "must be an object"})
    if body.get("code", code) != code:
        raise InvalidForm({"code": f"must be {code}, as in the path"})
    if "version" in body:
        raise InvalidForm({"version": "is counted here: name the one you change in If-Match"})
    try:
        return read(body | {"code": code})
    except InvalidRequest as error:
        raise InvalidForm(by_field(error)) from error


def by_field(error: InvalidRequest) -> dict[str, str]:
    """Returns the engine's faults by field."""
    reasons: dict[str, str] = {}
    for fault in error.faults:
        field, _, reason = fault.partition(": ")
        reasons[field] = f"{reasons[field]}; {reason}" if field in reasons else reason
    return reasons


def _day(value: Any) -> Any:
    # pydantic would read a number as a time since 1970.
    if isinstance(value, str) and DAY.fullmatch(value):
        return value
    raise ValueError("must be a day such as 2026-04-01")


def _line(value: str) -> str:
    if fault := text_fault(value):
        raise ValueError(fault)
    return value


def _optional_line(value: str) -> str:
    return _line(value) if value else value


def _dollars(value: Any) -> Decimal:
    if type(value) is int:
        value = str(value)
    if not (isinstance(value, str) and DOLLARS.fullmatch(value)):
        raise ValueError("must be a plain decimal string such as 100.00, not negative")
    dollars = Decimal(value)
    if fault := money_fault(dollars):
        raise ValueError(fault)
    return dollars


def _discount(value: Any) -> Discount:
    return parse_discount(value)


Day = Annotated[date, BeforeValidator(_day)]
# Printable, on one line, at most 200 characters.
Line = Annotated[str, AfterValidator(_line)]
OptionalLine = Annotated[str, AfterValidator(_optional_line)]
Code = Annotated[str, Field(min_length=1, max_length=200)]
Version = Annotated[int, Field(strict=True, ge=1, le=9999)]
AddonQuantity = Annotated[int, Field(strict=True, ge=1, le=ADDON_QUANTITY)]
# Currency units; a binary fraction is refused.
Dollars = Annotated[Decimal, BeforeValidator(_dollars)]
Discounts = Annotated[
    tuple[Annotated[Discount, BeforeValidator(_discount)], ...], Field(max_length=20)
]
