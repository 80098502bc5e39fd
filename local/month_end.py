"""Fires the month-end as its schedule would, and follows it from outside to its end."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.environment import LocalError
from local.stack import LocalStack

FIRED_AT = "2026-05-01T03:00:00Z"
POLL_SECONDS = 0.2
RUN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class TenantOutcome:
    """The outcome of one tenant in one run, as its log line says."""

    tenant_id: str
    outcome: str
    reason: str
    unpriced: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MonthProgress:
    """A run at one moment. `waiting` and `dead` are numbers of messages."""

    outcomes: Mapping[str, TenantOutcome]
    invoices: int
    waiting: int
    dead: int


def scheduled_event(run_id: str, rule: str) -> dict[str, Any]:
    """Returns the event of EventBridge on 1 May 2026, 03:00 UTC; its id becomes the run's id."""
    return {
        "version": "0",
        "id": run_id,
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": FIRED_AT,
        "region": "ap-southeast-2",
        "resources": [f"arn:aws:events:ap-southeast-2:000000000000:rule/{rule}"],
        "detail": {},
    }


def fire(stack: LocalStack, run_id: str) -> int:
    """Invokes the deployed rule's own target; returns how many tenants were sent a message.

    Raises LocalError unless there is exactly one target and it sends all messages.
    """
    rule = stack.outputs["month_end_rule"]
    targets = stack.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    if len(targets) != 1:
        raise LocalError(f"the rule {rule} has {len(targets)} targets instead of one.")
    answer = stack.client("lambda").invoke(
        FunctionName=targets[0]["Arn"], Payload=json.dumps(scheduled_event(run_id, rule))
    )
    result = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise LocalError(f"start_month_end failed: {result.get('errorMessage', result)}")
    if not result["complete"]:
        raise LocalError("start_month_end ran out of time with a handful of tenants.")
    sent: int = result["sent"]
    return sent


def _log_lines(stack: LocalStack, function: str) -> Iterator[dict[str, Any]]:
    paginator = stack.client("logs").get_paginator("filter_log_events")
    for page in paginator.paginate(logGroupName=f"/aws/lambda/{function}"):
        for event in page["events"]:
            if event["message"].startswith("{"):
                yield json.loads(event["message"])


def outcomes(stack: LocalStack, run_id: str) -> dict[str, TenantOutcome]:
    """Returns the newest outcome of each tenant of a run, from the JSON log of `rollup_tenant`."""
    newest = {}
    try:
        for line in _log_lines(stack, stack.outputs["functions"]["rollup_tenant"]):
            if line.get("run_id") == run_id and "outcome" in line:
                newest[line["tenant_id"]] = TenantOutcome(
                    tenant_id=line["tenant_id"],
                    outcome=line["outcome"],
                    reason=line.get("reason") or "",
                    unpriced=tuple(line.get("unpriced_usage") or ()),
                )
    except stack.client("logs").exceptions.ResourceNotFoundException:
        # The log group appears with the first invocation.
        return {}
    return newest


def _depth(stack: LocalStack, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["queues"][queue], AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def look(stack: LocalStack, run_id: str) -> MonthProgress:
    """Returns where a run stands: outcomes from the log, invoices from a consistent read.

    The numbers of messages are the queues' own approximate ones.
    """
    table = stack.outputs["tables"]["invoices"]
    paginator = stack.client("dynamodb").get_paginator("scan")
    pages = paginator.paginate(TableName=table, Select="COUNT", ConsistentRead=True)
    return MonthProgress(
        outcomes=outcomes(stack, run_id),
        invoices=sum(page["Count"] for page in pages),
        waiting=_depth(stack, "rollup"),
        dead=_depth(stack, "rollup_dlq"),
    )


def follow(
    stack: LocalStack, run_id: str, sent: int, show: Callable[[MonthProgress], None]
) -> MonthProgress:
    """Polls until every tenant has an outcome; raises LocalError if that takes over a minute."""
    deadline = time.monotonic() + RUN_SECONDS
    while True:
        progress = look(stack, run_id)
        show(progress)
        if len(progress.outcomes) >= sent:
            return progress
        if time.monotonic() > deadline:
            raise LocalError(
                f"after {RUN_SECONDS:.0f} s only {len(progress.outcomes)} of {sent} tenants were"
                f" done; see {stack.directory / 'ministack.log'}."
            )
        time.sleep(POLL_SECONDS)
