"""What a running local stack is made of, as `.local/outputs.json` shows it."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypedDict
from urllib.parse import urlsplit

from local.environment import REGION

FUNCTIONS = {
    "start_month_end": "StartMonthEndFunction",
    "sweep_month_end": "SweepMonthEndFunction",
    "request_month_end": "RequestMonthEndFunction",
    "get_month_end": "GetMonthEndFunction",
    "preview_month_end": "PreviewMonthEndFunction",
    "issue_month_end": "IssueMonthEndFunction",
    "rollup_tenant": "RollupTenantFunction",
    "list_invoices": "ListInvoicesFunction",
    "get_invoice": "GetInvoiceFunction",
    "change_invoice": "ChangeInvoiceFunction",
    "get_invoice_history": "GetInvoiceHistoryFunction",
    "create_quote": "CreateQuoteFunction",
    "get_quote": "GetQuoteFunction",
    "get_estimate": "GetEstimateFunction",
    "put_catalogue": "PutCatalogueFunction",
    "get_catalogue": "GetCatalogueFunction",
    "put_tenant": "PutTenantFunction",
    "get_tenant": "GetTenantFunction",
    "put_subscription": "PutSubscriptionFunction",
    "get_subscription": "GetSubscriptionFunction",
    "record_usage": "RecordUsageFunction",
    "ingest_usage": "IngestUsageFunction",
    "get_usage": "GetUsageFunction",
}
TABLES = {
    "invoices": "InvoicesTableName",
    "usage": "UsageTableName",
    "accounts": "AccountsTableName",
}
QUEUES = {
    "rollup": "RollupQueueUrl",
    "rollup_dlq": "RollupDeadLetterQueueUrl",
    "schedule_dlq": "ScheduleDeadLetterQueueUrl",
    "usage": "UsageQueueUrl",
    "usage_dlq": "UsageDeadLetterQueueUrl",
}


class User(TypedDict):
    """A sign-in of the local user pool; the password is random and lives as long as the stack."""

    username: str
    password: str


class Outputs(TypedDict):
    """The public description of a local stack."""

    endpoint_url: str
    region: str
    api_url: str
    user_pool_id: str
    client_id: str
    month_end_rule: str
    functions: dict[str, str]
    tables: dict[str, str]
    queues: dict[str, str]
    users: dict[str, User]


def local_api_url(endpoint_url: str, api_url: str) -> str:
    """The emulator's address of `https://<api>.execute-api.<region>.amazonaws.com/<path>`."""
    address = urlsplit(api_url)
    api_id = (address.hostname or "").partition(".")[0]
    return f"{endpoint_url}/_aws/execute-api/{api_id}{address.path.rstrip('/')}"


def outputs_of(endpoint_url: str, stack: Mapping[str, str]) -> Outputs:
    """The description of a deployed stack from its CloudFormation outputs; no users yet."""
    return Outputs(
        endpoint_url=endpoint_url,
        region=REGION,
        api_url=local_api_url(endpoint_url, stack["ApiUrl"]),
        user_pool_id=stack["UserPoolId"],
        client_id=stack["UserPoolClientId"],
        month_end_rule=stack["MonthEndRuleName"],
        functions={name: stack[output] for name, output in FUNCTIONS.items()},
        tables={name: stack[output] for name, output in TABLES.items()},
        queues={name: stack[output] for name, output in QUEUES.items()},
        users={},
    )


def write_outputs(outputs: Outputs, path: Path) -> None:
    """Writes the description; readable by its owner alone, since it holds passwords.

    It is there as a whole or as it was before: the commands read it at any time.
    """
    # A temporary file is its owner's alone from the start.
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=path.name, delete=False, encoding="utf-8"
    ) as file:
        file.write(json.dumps(outputs, indent=2) + "\n")
    Path(file.name).replace(path)


def read_outputs(path: Path) -> Outputs:
    """The description that `write_outputs` wrote."""
    outputs: Outputs = json.loads(path.read_text(encoding="utf-8"))
    return outputs
