"""Why a tenant's month failed: one note a tenant and month, the newest, for the month's report.

A note is put by the worker that failed and is never taken back: once an invoice stands, nobody
asks for it. Its key in the accounts table is `failure#<tenant>` / `2026-04`: a month that failed
leaves nothing at all among the invoices. Here is what the rollup needs; `failures` reads them.
"""

from collections.abc import Mapping
from typing import Any

from invoicing.foundation.dynamodb import connection
from invoicing.foundation.parsing import sent_at
from invoicing.month_end.rollup_message import RollupMessage

PREFIX = "failure#"
LONGEST_REASON = 300


def failure_key(tenant_id: str, period_label: str) -> dict[str, str]:
    """Where the note of a tenant's month is, if there is one."""
    return {"pk": f"{PREFIX}{tenant_id}", "sk": period_label}


class FailuresTable:
    """Notes of failed months, in the accounts table.

    Without an item class: every rollup would make it at its cold start, and nearly none needs it.
    """

    def __init__(self, table_name: str) -> None:
        self._name = table_name
        self._client: Any = connection().client

    def note(self, message: RollupMessage, reason: str, attributes: Mapping[str, str]) -> None:
        """Puts a note in the place of the one before; `attributes` are those of the SQS record.

        When the message was sent is told, and not when it failed: the worker has no clock.
        """
        said = {
            **failure_key(message.tenant_id, message.period),
            "reason": reason[:LONGEST_REASON],
            "run_id": message.run_id,
            "sent_at": sent_at(attributes).isoformat(),
        }
        item: dict[str, Any] = {name: {"S": text} for name, text in said.items()}
        item["receive_count"] = {"N": attributes["ApproximateReceiveCount"]}
        self._client.put_item(TableName=self._name, Item=item)
