"""The parts of a running local stack, as `.local/outputs.json` lists them."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypedDict
from urllib.parse import urlsplit

from cli.stack.function_name import function_name
from local.environment import REGION

# The folders of functions/, in the order in which outputs.json lists them.
FUNCTIONS = (
    "start_month_end",
    "sweep_month_end",
    "sweep_late_usage",
    "request_month_end",
    "get_month_end",
    "preview_month_end",
    "issue_month_end",
    "rollup_tenant",
    "list_invoices",
    "get_invoice",
    "change_invoice",
    "get_invoice_history",
    "create_quote",
    "get_quote",
    "get_estimate",
    "put_catalogue",
    "get_catalogue",
    "put_tenant",
    "get_tenant",
    "put_subscription",
    "get_subscription",
    "record_usage",
    "ingest_usage",
    "get_usage",
    "correct_usage",
)
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
    """Returns the emulator's URL of `https://<api>.execute-api.<region>.amazonaws.com/<path>`."""
    address = urlsplit(api_url)
    api_id = (address.hostname or "").partition(".")[0]
    return f"{endpoint_url}/_aws/execute-api/{api_id}{address.path.rstrip('/')}"


def outputs_of(endpoint_url: str, stack_name: str, stack: Mapping[str, str]) -> Outputs:
    """Returns a stack's description from its name and CloudFormation outputs; no users yet."""
    return Outputs(
        endpoint_url=endpoint_url,
        region=REGION,
        api_url=local_api_url(endpoint_url, stack["ApiUrl"]),
        user_pool_id=stack["UserPoolId"],
        client_id=stack["UserPoolClientId"],
        month_end_rule=stack["MonthEndRuleName"],
        functions={folder: function_name(stack_name, folder) for folder in FUNCTIONS},
        tables={name: stack[output] for name, output in TABLES.items()},
        queues={name: stack[output] for name, output in QUEUES.items()},
        users={},
    )


def write_outputs(outputs: Outputs, path: Path) -> None:
    """Writes the description, readable by its owner only, since it holds passwords.

    The file is replaced as a whole, because commands may read it at any time.
    """
    # A temporary file is readable by its owner only, from the start.
    with NamedTemporaryFile(
        "w", dir=path.parent, prefix=path.name, delete=False, encoding="utf-8"
    ) as file:
        file.write(json.dumps(outputs, indent=2) + "\n")
    Path(file.name).replace(path)


def read_outputs(path: Path) -> Outputs:
    """Reads a description that `write_outputs` wrote."""
    outputs: Outputs = json.loads(path.read_text(encoding="utf-8"))
    return outputs
