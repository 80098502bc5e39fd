"""Corrections after a deploy allow exactly what AWS would allow, and no more."""

import json
from typing import Any

from local.differences import allow_batches, restore_numbers

QUEUE = "arn:aws:sqs:ap-southeast-2:000000000000:rollup"
TABLE = "arn:aws:dynamodb:ap-southeast-2:000000000000:table/invoices"


class Iam:
    """A role with one inline policy."""

    def __init__(self, *statements: dict[str, Any]) -> None:
        self._document = {"Statement": list(statements)}
        self.added: list[dict[str, Any]] = []

    def list_role_policies(self, **_: str) -> dict[str, Any]:
        return {"PolicyNames": ["inline"]}

    def get_role_policy(self, **_: str) -> dict[str, Any]:
        return {"PolicyDocument": self._document}

    def put_role_policy(self, **policy: str) -> None:
        self.added += json.loads(policy["PolicyDocument"])["Statement"]


def test_who_may_send_may_send_in_batches_to_the_same_queues() -> None:
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": [QUEUE]}
    read = {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": TABLE}
    iam = Iam(send, read)
    allow_batches(iam, "role")
    assert iam.added == [
        {"Effect": "Allow", "Action": ["sqs:SendMessageBatch"], "Resource": [QUEUE]}
    ]


def test_a_role_that_sends_nothing_gets_nothing() -> None:
    iam = Iam({"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": TABLE})
    allow_batches(iam, "role")
    assert iam.added == []


def test_limits_of_event_sources_are_sent_again() -> None:
    class Functions:
        sent: dict[str, Any] | None = None

        def list_event_source_mappings(self) -> dict[str, Any]:
            limited = {"UUID": "1", "ScalingConfig": {"MaximumConcurrency": 50}}
            return {"EventSourceMappings": [limited, {"UUID": "2"}]}

        def update_event_source_mapping(self, **sent: Any) -> None:
            self.sent = sent

    functions = Functions()
    restore_numbers(functions)
    assert functions.sent == {"UUID": "1", "ScalingConfig": {"MaximumConcurrency": 50}}
