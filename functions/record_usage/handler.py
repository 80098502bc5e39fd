"""POST /usage: records up to a thousand metered events, each exactly once."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    bad_request,
    json_body,
    ok,
    query_parameters,
    received_at,
)
from invoicing.usage.metering import EVENTS_A_CALL, metering, results_json
from invoicing.usage.usage_events_table import UsageNotRecorded

logger = Logger(service="record_usage")


def _events(event: Event) -> list[Any]:
    body = json_body(event)
    if not isinstance(body, dict) or set(body) != {"events"}:
        raise bad_request({"body": 'must be {"events": [...]} and nothing else'})
    events = body["events"]
    if not isinstance(events, list) or not 1 <= len(events) <= EVENTS_A_CALL:
        raise bad_request({"events": f"must be a list of 1 to {EVENTS_A_CALL} events"})
    return events


BUSY = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "The store is busy. Sending all of these events again is safe.",
)


@api(logger, may=lambda caller: caller.may_record_usage, answers={UsageNotRecorded: BUSY})
def handler(event: Event, _caller: Caller) -> Response:
    """Answers the result of every event, in order, and the count of each outcome."""
    query_parameters(event, frozenset())
    events = _events(event)
    try:
        results = metering().record(events, received_at(event))
    except UsageNotRecorded as error:
        logger.warning("usage not recorded", extra={"reason": str(error)})
        raise
    body = results_json(results)
    logger.info("usage recorded", extra=body["counts"])
    return ok(body)
