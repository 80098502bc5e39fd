"""Where the emulator differs from AWS: corrected here after a deploy, never in the template.

- AWS authorizes `SendMessageBatch` as `sqs:SendMessage` (Amazon SQS API permissions reference);
  the emulator wants an action named after the batch call, which does not exist on AWS.
- A `Number` parameter reaches an event source's `MaximumConcurrency` as text, and the emulator
  then stops polling the queue.

What remains different: gateway responses (the emulator answers 401 and unknown routes in its own
words), alarms (always INSUFFICIENT_DATA: there are no SQS metrics), JSON filters of CloudWatch
Logs, and `StartMessageMoveTask`. One `ESM SQS poller error` in the emulator's log at each start
comes from the text that `restore_numbers` then replaces.
"""

import json
from collections.abc import Iterator
from typing import Any

AUTHORIZED_AS = {"sqs:SendMessageBatch": "sqs:SendMessage"}


def _statements(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from policy["Statement"]


def _batch_actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    allowed = {actions} if isinstance(actions, str) else set(actions)
    return [batch for batch, action in AUTHORIZED_AS.items() if action in allowed]


def restore_numbers(lambda_client: Any) -> None:
    """Writes the limits of every event source once more, as numbers."""
    for mapping in lambda_client.list_event_source_mappings()["EventSourceMappings"]:
        if limits := mapping.get("ScalingConfig"):
            lambda_client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=limits)


def allow_batches(iam: Any, role: str) -> None:
    """Lets a role send batches exactly where the template lets it send messages."""
    statements = [
        {"Effect": statement["Effect"], "Action": batches, "Resource": statement["Resource"]}
        for statement in _statements(iam, role)
        if (batches := _batch_actions(statement))
    ]
    if statements:
        policy = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(
            RoleName=role, PolicyName="as-on-aws", PolicyDocument=json.dumps(policy)
        )
