"""Starts a month-end: one message per tenant for the period before the event's time."""

import os
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.settings import settings
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.send_messages import hand_over
from invoicing.month_end.start import month_end, pages_of_tenants, record_run, send_month_end
from invoicing.month_end.start_event import parse_start

# Time to hand the cursor over, and to finish the page that is being sent.
MARGIN_MS = 30_000

logger = Logger(service="start_month_end")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Returns the run's id, period, how many messages were sent, and whether that was all."""
    request = parse_start(event)
    run = month_end(request, settings(), run_id=context.aws_request_id, now=datetime.now(UTC))
    record_run(run, request, MonthEndsTable(settings().accounts_table))
    progress = send_month_end(
        run,
        pages_of_tenants(request, AccountsTable(settings().accounts_table)),
        settings().rollup_queue_url,
        out_of_time=lambda: (
            request.tenant_ids is None and context.get_remaining_time_in_millis() < MARGIN_MS
        ),
    )
    if not progress.complete:
        continuation = {
            "run_id": run.run_id,
            "run_at": run.run_at.isoformat(),
            "period": run.period.label,
            "force": run.force,
            "dry_run": run.dry_run,
            "after": progress.after,
        }
        hand_over(os.environ["AWS_LAMBDA_FUNCTION_NAME"], continuation)
    result = {
        "run_id": run.run_id,
        "period": run.period.label,
        "sent": progress.sent,
        "complete": progress.complete,
    }
    logger.info("month-end started", extra=result)
    return result
