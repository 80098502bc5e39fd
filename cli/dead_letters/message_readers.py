"""Readers of each queue's dead letters: what they are about, and why they failed."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from invoicing.foundation.parsing import InvalidMessage
from invoicing.month_end.rollup_message import RollupMessage, parse_rollup_message


class Reading(NamedTuple):
    """What a dead letter states: a tenant's message, why it failed, and briefly its subject.

    Each part is missing where the dead letter does not state it.
    """

    message: RollupMessage | None
    reason: str = ""
    about: str = ""


type Reader = Callable[[str, Mapping[str, Any]], Reading]


def read_rollup(body: str, attributes: Mapping[str, Any]) -> Reading:
    """Reads the message of one tenant's month.

    The reason is given only if the message is unreadable; why a month failed is noted elsewhere.
    """
    del attributes
    try:
        return Reading(parse_rollup_message(body))
    except InvalidMessage as error:
        return Reading(None, f"InvalidMessage: {error}")


def read_usage(body: str, attributes: Mapping[str, Any]) -> Reading:
    """Reads nothing: a batch of usage may be about any number of tenants."""
    del body, attributes
    return Reading(None)


def read_schedule(body: str, attributes: Mapping[str, Any]) -> Reading:
    """Reads a schedule's event; the reason is in EventBridge's attribute or in Lambda's body."""
    if "ERROR_MESSAGE" in attributes:
        reason = attributes["ERROR_MESSAGE"].get("StringValue", "")
        return Reading(None, str(reason), _event(body))
    try:
        record = json.loads(body)
        failure = record["responsePayload"]
        reason = f"{failure['errorType']}: {failure['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        # Neither of them wrote it, so it is shown as it is.
        return Reading(None)
    return Reading(None, reason, _invocation(record))


def _event(body: str) -> str:
    """`rule/monthend-month-end at 2026-05-01T03:00:00Z`; empty if it is no EventBridge event."""
    try:
        event = json.loads(body)
        rules = ", ".join(arn.split(":", 5)[5] for arn in event["resources"])
        return f"{rules} at {event['time']}"
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return ""


def _invocation(record: Mapping[str, Any]) -> str:
    """`monthend-start-month-end with {"period": "2026-04"}`, from a failed invocation's record."""
    try:
        # arn:aws:lambda:REGION:ACCOUNT:function:NAME, followed by a version.
        function = record["requestContext"]["functionArn"].split(":")[6]
        return f"{function} with {json.dumps(record['requestPayload'])}"
    except (KeyError, TypeError, IndexError, AttributeError):
        return ""
