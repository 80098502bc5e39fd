"""Usage from the queue, for bulk producers: the same events and the same rules as POST /usage."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from invoicing.foundation.json_input import InvalidJson, read_json
from invoicing.foundation.parsing import sent_at
from invoicing.usage.metering import EVENTS_A_CALL, metering, results_json
from invoicing.usage.usage_event import UsageOutcome, UsageResult

logger = Logger(service="ingest_usage")
metrics = Metrics(namespace="Monthend", service="ingest_usage")


class InvalidBatch(Exception):
    """The message is not `{"events": [...]}` with 1 to 1,000 events."""


def _events(body: str) -> list[Any]:
    try:
        message = read_json(body)
    except InvalidJson as error:
        raise InvalidBatch(str(error)) from error
    events = message.get("events") if isinstance(message, dict) else None
    if not isinstance(events, list) or not 1 <= len(events) <= EVENTS_A_CALL:
        raise InvalidBatch(f'must be {{"events": [...]}} with 1 to {EVENTS_A_CALL} events')
    return events


def _record(record: dict[str, Any]) -> list[UsageResult]:
    return metering().record(_events(record["body"]), sent_at(record["attributes"]))


def _done(record: dict[str, Any]) -> bool:
    """Records one message's events; returns False if the message must be delivered again."""
    about = {"message_id": record["messageId"]}
    try:
        results = _record(record)
    except Exception as error:
        # A busy store passes; a message that is no batch ends in the dead-letter queue.
        reason = f"{type(error).__name__}: {error}"
        logger.exception("usage message failed", extra=about | {"reason": reason})
        metrics.add_metric(name="failed", unit=MetricUnit.Count, value=1)
        return False
    for result in results:
        metrics.add_metric(name=result.outcome, unit=MetricUnit.Count, value=1)
        if result.outcome in (UsageOutcome.REJECTED, UsageOutcome.CONFLICT):
            # Nobody waits for an answer here: the log is where a producer's mistake is seen.
            event = {"source": result.source, "event_id": result.id}
            outcome = {"outcome": result.outcome, "reason": result.reason}
            logger.warning("usage event not counted", extra=about | event | outcome)
    logger.info("usage recorded", extra=about | results_json(results)["counts"])
    return True


@metrics.log_metrics
def handler(event: dict[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Returns the `batchItemFailures` of an SQS batch: exactly the messages to deliver again."""
    metrics.add_metric(name="failed", unit=MetricUnit.Count, value=0)
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]}
            for record in event["Records"]
            if not _done(record)
        ]
    }
