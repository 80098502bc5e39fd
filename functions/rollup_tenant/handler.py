"""Rolls up tenants: a batch of messages in, one invoice each, failures reported one by one."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from invoicing.foundation.billing_calendar import refuse_future
from invoicing.foundation.parsing import sent_at
from invoicing.foundation.settings import settings
from invoicing.foundation.time_limit import OutOfTime
from invoicing.invoices.invoice import unpriced_json
from invoicing.invoices.invoices_table import InvoicesTable
from invoicing.invoices.line_changes import changes_json
from invoicing.month_end.failures_table import FailuresTable
from invoicing.month_end.rollup import Rollup, RollupOutcome, RollupResult
from invoicing.month_end.rollup_message import RollupMessage, parse_rollup_message
from invoicing.pricing.tenant_month import Pricing

# A tenant takes well under a second; with less time left, a message is better left for a retry.
MARGIN_MS = 8_000

# A log line holds up to 256 KB.
MOST_CHANGES = 50

logger = Logger(service="rollup_tenant")
metrics = Metrics(namespace="Monthend", service="rollup_tenant")


@cache
def _rollup() -> Rollup:
    config = settings()
    return Rollup(Pricing.over(config), InvoicesTable(config.invoices_table), config)


def _done(record: dict[str, Any], context: Any) -> bool:
    """Rolls up one message's tenant; returns False if it failed and must be delivered again."""
    message = None
    try:
        message = _read(record, context)
        result = _roll_up(message, record)
    except Exception as error:
        # Any error fails this message alone: it is reported to SQS, retried, and after the last
        # receive waits in the dead-letter queue.
        _report_failure(error, message, record, context)
        # A dry run is there for its log line only: no retry, no dead letter, no alarm.
        return message is not None and message.dry_run
    _report(result, message, record)
    return True


def _read(record: dict[str, Any], context: Any) -> RollupMessage:
    """Reads the message of an SQS record; raises OutOfTime and InvalidMessage."""
    _refuse_if_ending(context)
    return parse_rollup_message(record["body"])


def _roll_up(message: RollupMessage, record: dict[str, Any]) -> RollupResult:
    # The last line of defence: whoever sent the message, no month may be billed before it is over.
    refuse_future(message.run_at, sent_at(record["attributes"]))
    return _rollup().roll_up(message)


def _report(result: RollupResult, message: RollupMessage, record: dict[str, Any]) -> None:
    logger.info("tenant rolled up", extra=_about(message, record) | _log_fields(result))
    if not message.dry_run:
        metrics.add_metric(name=result.outcome, unit=MetricUnit.Count, value=1)


def _report_failure(
    error: Exception, message: RollupMessage | None, record: dict[str, Any], context: Any
) -> None:
    """Logs, counts and notes a failure; a dry run's is logged only."""
    reason = f"{type(error).__name__}: {error}"
    failed = {"outcome": "failed", "reason": reason}
    logger.exception("tenant failed", extra=_about(message, record) | failed)
    if message is not None and message.dry_run:
        return
    metrics.add_metric(name="failed", unit=MetricUnit.Count, value=1)
    if message is not None:
        _note(message, reason, record, context)


def _note(message: RollupMessage, reason: str, record: dict[str, Any], context: Any) -> None:
    """Notes why the tenant failed, for the month's report; if that fails too, only logs it."""
    try:
        _refuse_if_ending(context)
        failures = FailuresTable(settings().accounts_table)
        failures.note(message, reason, record["attributes"])
    except Exception:
        # The message has failed and is retried anyway; what failed it may fail this note too.
        logger.exception("failure not noted", extra={"tenant_id": message.tenant_id})


def _refuse_if_ending(context: Any) -> None:
    if context.get_remaining_time_in_millis() < MARGIN_MS:
        raise OutOfTime(f"less than {MARGIN_MS} ms left")


def _about(message: RollupMessage | None, record: dict[str, Any]) -> dict[str, Any]:
    """Returns the log fields of a message: its delivery and, once it is read, its contents."""
    received = record["attributes"]["ApproximateReceiveCount"]
    about = {"message_id": record["messageId"], "receive_count": received}
    if message is None:
        return about
    return about | message.model_dump(mode="json", exclude={"version", "run_at"})


def _log_fields(result: RollupResult) -> dict[str, Any]:
    header = result.header
    return {
        "outcome": result.outcome,
        "reason": result.reason,
        "invoice_id": header.id if header else None,
        "revision": header.revision if header else None,
        "total_cents": header.total_cents if header else None,
        "unpriced_usage": unpriced_json(result.unpriced),
        # What a forced run changed, line by line; the invoice's history has all of it.
        "changes": changes_json(result.changes[:MOST_CHANGES]),
    }


def _count_from_zero() -> None:
    """Emits every count in every invocation, so that a silent metric means that nothing ran."""
    for outcome in (RollupOutcome.ROLLED, RollupOutcome.SKIPPED, "failed"):
        metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=0)


@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Returns the `batchItemFailures` of an SQS batch: exactly the messages that failed."""
    _count_from_zero()
    failed = [record for record in event["Records"] if not _done(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}
