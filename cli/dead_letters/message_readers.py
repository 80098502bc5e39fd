"""What the dead letters of each queue say: whose they are, and why they are dead."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from invoicing.foundation.parsing import InvalidMessage
from invoicing.month_end.rollup_message import RollupMessage, parse_rollup_message


class Reading(NamedTuple):
    """What a letter says: a tenant's message, why it is dead, and in short what it is about.

    Each is missing where the letter does not say it.
    """

    message: RollupMessage | None
    reason: str = ""
    about: str = ""


type Reader = Callable[[str, Mapping[str, Any]], Reading]


def read_rollup(body: str, attributes: Mapping[str, Any]) -> Reading:
    """One tenant's month; why that failed is noted elsewhere. Unreadable: why it is."""
    del attributes
    try:
        return Reading(parse_rollup_message(body))
    except InvalidMessage as error:
        return Reading(None, f"InvalidMessage: {error}")


def read_usage(body: str, attributes: Mapping[str, Any]) -> Reading:
    """A batch of usage, of any number of tenants."""
    del body, attributes
    return Reading(None)


def read_schedule(body: str, attributes: Mapping[str, Any]) -> Reading:
    """An event of the schedule: EventBridge says why in an attribute, Lambda in the body."""
    if "ERROR_MESSAGE" in attributes:
        why = attributes["ERROR_MESSAGE"].get("StringValue", "")
        return Reading(None, str(why), _event(body))
    try:
        letter = json.loads(body)
        failed = letter["responsePayload"]
        why = f"{failed['errorType']}: {failed['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        # Neither wrote it: it is shown as it is.
        return Reading(None)
    return Reading(None, why, _invocation(letter))


def _event(body: str) -> str:
    """`rule/monthend-month-end at 2026-05-01T03:00:00Z`, of an EventBridge event."""
    try:
        event = json.loads(body)
        rules = ", ".join(arn.split(":", 5)[5] for arn in event["resources"])
        return f"{rules} at {event['time']}"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return ""


def _invocation(letter: Mapping[str, Any]) -> str:
    """`monthend-start-month-end with {"period": "2026-04"}`, of an invocation that failed."""
    try:
        # arn:aws:lambda:REGION:ACCOUNT:function:NAME, and a version.
        function = letter["requestContext"]["functionArn"].split(":")[6]
        return f"{function} with {json.dumps(letter['requestPayload'])}"
    except (KeyError, TypeError, IndexError, AttributeError):
        return ""
