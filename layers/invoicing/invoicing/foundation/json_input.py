"""Reads the body of a request or message: its JSON, and the form in it. All of it or nothing."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from invoicing.foundation.parsing import faults_by_field
from quote_engine.repeated_fields import RepeatedFields, once_each


class InvalidJson(ValueError):
    """The text cannot be read as JSON, or names a field twice; the error's text says which."""


class InvalidBody(Exception):
    """The body is refused as a whole; `reasons` says why, by field."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in reasons.items()))
        self.reasons = reasons


def read_json(text: str | bytes) -> Any:
    """Returns the parsed JSON; raises InvalidJson."""
    try:
        return json.loads(text, object_pairs_hook=once_each)
    except RepeatedFields as error:
        raise InvalidJson(str(error)) from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise InvalidJson("not text in UTF-8") from error
    except ValueError as error:
        # Python limits the digits of a number, because parsing very long ones is slow.
        raise InvalidJson("a number has too many digits") from error
    except RecursionError as error:
        raise InvalidJson("nested too deeply") from error


def read_body[M: BaseModel](model: type[M], body: Any, refusal: type[InvalidBody]) -> M:
    """Returns the body as a `model`; raises `refusal` with every faulty field."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise refusal(faults_by_field(error, "body")) from error
