"""What the dead letters of each queue say: whose they are, and why they are dead."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from invoicing.messages import InvalidMessage, RollupMessage, parse_rollup_message

type Reading = tuple[RollupMessage | None, str]
"""The rollup message, if that is what it is, and why it is dead, as far as the letter says it."""
type Reader = Callable[[str, Mapping[str, Any]], Reading]


def read_rollup(body: str, attributes: Mapping[str, Any]) -> Reading:
    """One tenant's month; why that failed is noted elsewhere. Unreadable: why it is."""
    del attributes
    try:
        return parse_rollup_message(body), ""
    except InvalidMessage as error:
        return None, f"InvalidMessage: {error}"


def read_usage(body: str, attributes: Mapping[str, Any]) -> Reading:
    """A batch of usage, of any number of tenants."""
    del body, attributes
    return None, ""


def read_schedule(body: str, attributes: Mapping[str, Any]) -> Reading:
    """An event of the schedule: EventBridge says why in an attribute, Lambda in the body."""
    if "ERROR_MESSAGE" in attributes:
        return None, str(attributes["ERROR_MESSAGE"].get("StringValue", ""))
    try:
        failed = json.loads(body)["responsePayload"]
        return None, f"{failed['errorType']}: {failed['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        # Neither wrote it: it is shown as it is.
        return None, ""
