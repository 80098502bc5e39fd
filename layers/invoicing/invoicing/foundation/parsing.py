"""Field types that messages and request bodies share, and validation errors by field."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from quote_engine import Period

TENANT_ID = "[a-z0-9-]{1,40}"
# Replaces pydantic's words for Python types: people who send JSON know objects and lists.
PLAIN_WORDS = {
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "string_type": "must be a string, in quotes",
    "tuple_type": "must be a list",
    "too_short": "must have at least {min_length} in it",
    "too_long": "must have at most {max_length} in it",
}


class InvalidMessage(Exception):
    """The event or message cannot be acted on; the text has one `field: fault` per fault."""


def _whole_month(label: str) -> str:
    Period.month(label)
    return label


def in_utc(moment: datetime) -> datetime:
    """Returns the moment in UTC; raises ValueError if it is outside the years 1 to 9999 there."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999 in UTC") from error


TenantId = Annotated[str, Field(pattern=f"^{TENANT_ID}$")]
PeriodLabel = Annotated[str, AfterValidator(_whole_month)]
Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
RunId = Annotated[str, Field(min_length=1, max_length=128)]


class StrictModel(BaseModel):
    """A frozen model that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def faults_by_field(error: ValidationError, whole: str = "message") -> dict[str, str]:
    """Returns what is wrong with each faulty field, without repeating the faulty value.

    `whole` names what was sent; it stands in for a field where no single field is at fault.
    """
    return {
        ".".join(str(part) for part in fault["loc"]) or whole: _in_plain_words(fault)
        for fault in error.errors(include_url=False, include_input=False)
    }


def _in_plain_words(fault: Mapping[str, Any]) -> str:
    if plain := PLAIN_WORDS.get(fault["type"]):
        return plain.format(**fault.get("ctx", {}))
    return str(fault["msg"]).removeprefix("Value error, ")


def faults(error: ValidationError, whole: str = "message") -> str:
    """Returns one `field: fault` per faulty field; `whole` is as in `faults_by_field`."""
    reasons = faults_by_field(error, whole)
    return "; ".join(f"{field}: {text}" for field, text in reasons.items())


def sent_at(attributes: Mapping[str, str]) -> datetime:
    """Returns when a message was sent (UTC), from the attributes of its SQS record."""
    return datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
