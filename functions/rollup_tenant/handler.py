"""Rolls up tenants: a batch of messages in, one invoice each, failures reported one by one."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from invoicing.accounts_table import AccountsTable
from invoicing.invoice import unpriced_document
from invoicing.invoices_table import InvoicesTable
from invoicing.messages import parse_rollup_message
from invoicing.rollup import Outcome, Rollup, RollupResult
from invoicing.settings import settings
from invoicing.usage_table import UsageTable

# A tenant takes well under a second; with less time left its message is better left for a retry.
MARGIN_MS = 8_000

logger = Logger(service="rollup_tenant")
metrics = Metrics(namespace="Monthend", service="rollup_tenant")
# Poison messages are an alarm of the dead-letter queue, not an error of the function.
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


class OutOfTime(Exception):
    """The invocation is about to end; the message was not looked at and will come again."""


@cache
def _rollup() -> Rollup:
    tables = settings()
    return Rollup(
        accounts=AccountsTable(tables.accounts_table),
        usage=UsageTable(tables.usage_table),
        invoices=InvoicesTable(tables.invoices_table),
        settings=tables,
    )


def _roll_up_record(record: SQSRecord, lambda_context: Any) -> RollupResult:
    about = {"message_id": record.message_id, "receive_count": _receive_count(record)}
    try:
        if lambda_context.get_remaining_time_in_millis() < MARGIN_MS:
            raise OutOfTime(f"less than {MARGIN_MS} ms left")
        message = parse_rollup_message(record.body)
        about |= message.model_dump(mode="json", exclude={"version", "run_at"})
        result = _rollup().roll_up(message)
    except Exception as error:
        # Logged for the on-call person, then let fly: the message fails alone and is retried.
        failed = {"outcome": "failed", "reason": _reason(error)}
        logger.exception("tenant failed", extra=about | failed)
        metrics.add_metric(name="failed", unit=MetricUnit.Count, value=1)
        raise
    logger.info("tenant rolled up", extra=about | _log_fields(result))
    metrics.add_metric(name=result.outcome, unit=MetricUnit.Count, value=1)
    return result


def _receive_count(record: SQSRecord) -> str:
    return record.attributes.approximate_receive_count


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _log_fields(result: RollupResult) -> dict[str, Any]:
    header = result.header
    return {
        "outcome": result.outcome,
        "reason": result.reason,
        "invoice_id": header.id if header else None,
        "revision": header.revision if header else None,
        "total_cents": header.total_cents if header else None,
        "unpriced_usage": unpriced_document(result.unpriced),
    }


@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> Any:
    """Returns the `batchItemFailures` of an SQS batch: exactly the messages that failed."""
    for outcome in (Outcome.ROLLED, Outcome.SKIPPED, "failed"):
        # Present in every invocation, so that a quiet metric means nothing ran.
        metrics.add_metric(name=outcome, unit=MetricUnit.Count, value=0)
    return process_partial_response(
        event=event, record_handler=_roll_up_record, processor=processor, context=context
    )
