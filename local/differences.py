"""Where the emulator differs from AWS: made up for here after a deploy, never in the template.

- AWS authorizes `SendMessageBatch` as `sqs:SendMessage` (Amazon SQS API permissions reference);
  the emulator wants an action of the batch's own name, which AWS does not know.
- A `Number` parameter reaches an event source's `MaximumConcurrency` as text, and the emulator
  then stops polling the queue.

What cannot be made up for, and is seen: gateway responses (the emulator answers 401 and unknown
routes in its own words), alarms (always INSUFFICIENT_DATA: there are no SQS metrics), JSON filters
of CloudWatch Logs, and `StartMessageMoveTask`. One `ESM SQS poller error` in its log at each start
is the text that `restore_numbers` then mends.
"""

import json
from collections.abc import Iterator
from typing import Any

AUTHORIZED_AS = {"sqs:SendMessageBatch": "sqs:SendMessage"}


def _statements(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from document["Statement"]


def _batches_of(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    allowed = {actions} if isinstance(actions, str) else set(actions)
    return [batch for batch, action in AUTHORIZED_AS.items() if action in allowed]


def restore_numbers(functions: Any) -> None:
    """Sends every event source's limits again, as the numbers that they are."""
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if limits := mapping.get("ScalingConfig"):
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=limits)


def allow_batches(iam: Any, role: str) -> None:
    """Lets a role send in batches exactly where the template lets it send."""
    statements = [
        {"Effect": statement["Effect"], "Action": batches, "Resource": statement["Resource"]}
        for statement in _statements(iam, role)
        if (batches := _batches_of(statement))
    ]
    if statements:
        document = {"Version": "2012-10-17", "Statement": statements}
        iam.put_role_policy(
            RoleName=role, PolicyName="as-on-aws", PolicyDocument=json.dumps(document)
        )
