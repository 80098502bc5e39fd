"""Which stack a command works on: a deployed one by name, or the local one that is running."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import NotReachable, one_line

ROOT = Path(__file__).resolve().parent.parent
LOCAL_OUTPUTS = ROOT / ".local" / "outputs.json"
LOCAL_STACK = "monthend"
LOCAL_ENDPOINT = "AWS_ENDPOINT_URL"
NO_LOCAL_STACK = "no local stack is running: give --stack NAME, or start one with `make up`"
TIMES = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard"})
TABLES = ("AccountsTableName", "InvoicesTableName", "UsageTableName")


@dataclass(frozen=True, slots=True)
class Stack:
    """The parts of a deployed stack that commands use."""

    name: str
    accounts_table: str
    invoices_table: str
    usage_table: str
    zone: ZoneInfo


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
    described = _described(name or LOCAL_STACK)
    return _stack(name or LOCAL_STACK, described)


def _enter_local(outputs_file: Path) -> None:
    """From here on, this process's AWS is the emulator and nothing else."""
    try:
        outputs = json.loads(outputs_file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotReachable(NO_LOCAL_STACK) from error
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": outputs["region"],
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        LOCAL_ENDPOINT: outputs["endpoint_url"],
        "NO_PROXY": "*",
        "no_proxy": "*",
    }


def _described(name: str) -> Mapping[str, Any]:
    try:
        client = boto3.session.Session().client("cloudformation", config=TIMES)
        described: Mapping[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise NotReachable(f"stack {name}: {one_line(str(error))}") from error
    return described


def _stack(name: str, described: Mapping[str, Any]) -> Stack:
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", ())}
    given = {each["ParameterKey"]: each for each in described.get("Parameters", ())}
    missing = [table for table in TABLES if table not in outputs]
    if missing or "BillingTimeZone" not in given:
        lacks = ", ".join(missing or ["the parameter BillingTimeZone"])
        raise NotReachable(f"stack {name}: not a monthend stack, or not deployed yet: no {lacks}")
    accounts, invoices, usage = (outputs[table] for table in TABLES)
    zone = ZoneInfo(given["BillingTimeZone"]["ParameterValue"])
    return Stack(name, accounts, invoices, usage, zone)
