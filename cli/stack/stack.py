"""The stack that a command works on: a deployed one by name, or the local one that is running."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from cli.terminal.errors import NotReachable, one_line
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.foundation.settings import Settings, SettingsInvalid
from invoicing.pricing.tenant_month import Pricing

ROOT = Path(__file__).resolve().parents[2]
LOCAL_OUTPUTS = ROOT / ".local" / "outputs.json"
LOCAL_STACK = "monthend"
LOCAL_ENDPOINT = "AWS_ENDPOINT_URL"
NO_LOCAL_STACK = "no local stack is running: give --stack NAME, or start one with `make up`"
DAMAGED = "cannot be read: start the local stack afresh with `make up`"
TIMES = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard"})
# The functions' environment variables, and the outputs and parameters of a stack with the same
# values; a test checks the names against the template.
OUTPUTS = {
    "ACCOUNTS_TABLE": "AccountsTableName",
    "INVOICES_TABLE": "InvoicesTableName",
    "USAGE_TABLE": "UsageTableName",
    "ROLLUP_QUEUE_URL": "RollupQueueUrl",
}
PARAMETERS = {
    "BILLING_TIME_ZONE": "BillingTimeZone",
    "CURRENCY": "Currency",
    "ISSUE_IMMEDIATELY": "IssueImmediately",
    "DUE_DAYS": "DueDays",
    "ALLOWED_ORIGIN": "AllowedOrigin",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack, and the settings of its functions."""

    name: str
    settings: Settings
    outputs: Mapping[str, str] = field(default_factory=dict)
    # Where the stack is, for a person to read.
    place: str = ""

    def output(self, name: str) -> str:
        """An output of the stack; raises NotReachable for a stack deployed before it had one."""
        if name not in self.outputs:
            raise NotReachable(f"stack {self.name}: no output {name}: deploy it anew")
        return self.outputs[name]

    def client(self, service: str) -> Any:
        """A client of an AWS service, with the caller's own credentials."""
        return boto3.session.Session().client(service, config=TIMES)

    @property
    def zone(self) -> ZoneInfo:
        """The billing time zone."""
        return self.settings.zone

    @property
    def accounts(self) -> AccountsTable:
        """Tenants, subscriptions and the catalogue."""
        return AccountsTable(self.settings.accounts_table)

    @property
    def pricing(self) -> Pricing:
        """The pricing that the functions use."""
        return Pricing.over(self.settings)


def connect(name: str | None, local_outputs: Path = LOCAL_OUTPUTS) -> Stack:
    """The stack of that name, with the caller's own credentials; without a name, the local one.

    Raises NotReachable when there is none, or AWS does not answer.
    """
    if name is None:
        _enter_local(local_outputs)
    else:
        # Lambda and the AWS CLI take the region from this variable; botocore reads the other one.
        region = os.environ.get("AWS_REGION")
        if region:
            os.environ.setdefault("AWS_DEFAULT_REGION", region)
    wanted = LOCAL_STACK if name is None else name
    return _stack(wanted, _described(wanted))


def _enter_local(outputs_file: Path) -> None:
    """From here on, this process calls the local emulator, and nothing else, as its AWS."""
    region, endpoint_url = _local_address(outputs_file)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        LOCAL_ENDPOINT: endpoint_url,
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def _local_address(outputs_file: Path) -> tuple[str, str]:
    try:
        outputs = json.loads(outputs_file.read_text(encoding="utf-8"))
        return str(outputs["region"]), str(outputs["endpoint_url"])
    except FileNotFoundError as error:
        raise NotReachable(NO_LOCAL_STACK) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotReachable(f"{outputs_file}: {DAMAGED} ({error!r})") from error


def _described(name: str) -> Mapping[str, Any]:
    try:
        client = boto3.session.Session().client("cloudformation", config=TIMES)
        described: Mapping[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except EndpointConnectionError as error:
        endpoint = os.environ.get(LOCAL_ENDPOINT)
        text = f"the local stack does not answer at {endpoint}: `make up`" if endpoint else error
        raise NotReachable(f"stack {name}: {one_line(str(text))}") from error
    except (BotoCoreError, ClientError) as error:
        raise NotReachable(f"stack {name}: {one_line(str(error))}") from error
    return described


def _stack(name: str, described: Mapping[str, Any]) -> Stack:
    outputs = {
        output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())
    }
    parameters = {
        parameter["ParameterKey"]: parameter for parameter in described.get("Parameters", ())
    }
    missing = [output for output in OUTPUTS.values() if output not in outputs]
    missing += [f"parameter {key}" for key in PARAMETERS.values() if key not in parameters]
    if missing:
        text = f"not a monthend stack, or not deployed yet: no {', '.join(missing)}"
        raise NotReachable(f"stack {name}: {text}")
    environment = {variable: outputs[output] for variable, output in OUTPUTS.items()}
    environment |= {
        variable: parameters[PARAMETERS[variable]]["ParameterValue"] for variable in PARAMETERS
    }
    environment["CURSOR_KEY"] = described["StackId"]
    try:
        settings = Settings.from_environment(environment)
    except SettingsInvalid as error:
        raise NotReachable(f"stack {name}: {error}") from error
    # `name` may be the stack's id, but the functions are named after the stack's name.
    return Stack(described["StackName"], settings, outputs, _place(name, described["StackId"]))


def _place(name: str, stack_id: str) -> str:
    """`monthend, ap-southeast-2, account 111122223333`; or the endpoint, if one is set."""
    endpoint = os.environ.get(LOCAL_ENDPOINT)
    if endpoint:
        return f"{name}, local, at {endpoint}"
    _, _, _, region, account, *_ = stack_id.split(":")
    return f"{name}, {region}, account {account}"
