"""Who made a change, and why: what the audit trail of any change holds."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change: an identity that never changes, and a name that people know."""

    id: str
    name: str


def _printable(reason: str) -> str:
    if not reason.isprintable():
        raise ValueError("must be printable text on one line")
    return reason


# Not blank: a space must not pass for a reason where one is needed.
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_printable),
]
