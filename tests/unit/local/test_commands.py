"""The local stack's own commands print what a shell can evaluate."""

import os
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from local import commands
from local.outputs import Outputs

OUTPUTS = Outputs(
    endpoint_url="http://127.0.0.1:4000",
    region="ap-southeast-2",
    api_url="http://127.0.0.1:4000/_aws/execute-api/a1/live/api/v1",
    user_pool_id="pool",
    client_id="client",
    month_end_rule="monthend-month-end",
    functions={},
    tables={},
    queues={"rollup": "http://127.0.0.1:4000/0/rollup", "usage_dlq": "http://a b/'"},
    users={},
)
VARIABLES_FOR_AWS = {
    "MONTHEND_STACK": "monthend",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREAL",
}


class Running:
    """A local stack that is up."""

    outputs = OUTPUTS

    def __init__(self, _directory: Path) -> None:
        pass


def test_env_turns_a_shell_to_the_local_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running: Any = Running
    monkeypatch.setattr(commands, "LocalStack", running)
    commands.env(Namespace(directory=Path(".local")))
    shell = subprocess.run(
        ["bash", "-c", 'eval "$0"; env -0', capsys.readouterr().out],
        env={"PATH": os.environ["PATH"], **VARIABLES_FOR_AWS},
        capture_output=True,
        text=True,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in shell.stdout.split("\0") if line)
    expected = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4000",
        "AWS_REGION": "ap-southeast-2",
        "AWS_DEFAULT_REGION": "ap-southeast-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "API_URL": "http://127.0.0.1:4000/_aws/execute-api/a1/live/api/v1",
        "ROLLUP_QUEUE_URL": "http://127.0.0.1:4000/0/rollup",
        "USAGE_DLQ_QUEUE_URL": "http://a b/'",
    }
    assert {name: variables.get(name) for name in expected} == expected
    assert "MONTHEND_STACK" not in variables
