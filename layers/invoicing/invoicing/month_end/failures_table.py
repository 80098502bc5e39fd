"""Notes on why a tenant's month failed, for the month's report: the newest per tenant and month.

The worker that failed writes the note, and it is never deleted: once an invoice stands, the note
is ignored. Its key in the accounts table is `failure#<tenant>` / `2026-04`: a failed month leaves
nothing at all among the invoices. This module has what the rollup needs; `failures` reads notes.
"""

from collections.abc import Mapping
from typing import Any

from invoicing.foundation.dynamodb import connection
from invoicing.foundation.parsing import sent_at
from invoicing.month_end.rollup_message import RollupMessage

PREFIX = "failure#"
LONGEST_REASON = 300


def failure_key(tenant_id: str, period_label: str) -> dict[str, str]:
    """Returns the key under which the note on a tenant's month is, if there is one."""
    return {"pk": f"{PREFIX}{tenant_id}", "sk": period_label}


class FailuresTable:
    """Notes of failed months, in the accounts table.

    It has no item class: every rollup would make one at its cold start, and nearly none needs it.
    """

    def __init__(self, table_name: str) -> None:
        self._name = table_name
        self._client: Any = connection().client

    def note(self, message: RollupMessage, reason: str, attributes: Mapping[str, str]) -> None:
        """Writes a note over the previous one; `attributes` are those of the SQS record.

        It records when the message was sent, not when it failed: the worker has no clock.
        """
        texts = {
            **failure_key(message.tenant_id, message.period),
            "reason": reason[:LONGEST_REASON],
            "run_id": message.run_id,
            "sent_at": sent_at(attributes).isoformat(),
        }
        item: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
        item["receive_count"] = {"N": attributes["ApproximateReceiveCount"]}
        self._client.put_item(TableName=self._name, Item=item)
