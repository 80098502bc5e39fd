"""A stack by name: the commands have the same settings as its functions."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cli.stack import stack
from cli.stack.function_name import function_name
from cli.terminal.errors import NotReachable
from local.outputs import QUEUES, TABLES, outputs_of, read_outputs, write_outputs
from local.template import template

VALUES = {
    "BillingTimeZone": "Pacific/Auckland",
    "Currency": "NZD",
    "IssueImmediately": "true",
    "DueDays": "20",
    "AllowedOrigin": "*",
}


STACK_ID = "arn:aws:cloudformation:ap-southeast-2:111122223333:stack/billing/1f"


def described(**without: bool) -> dict[str, Any]:
    """Returns a stack as CloudFormation describes it, without these outputs and parameters."""
    outputs = [{"OutputKey": name, "OutputValue": f"the-{name}"} for name in template()["Outputs"]]
    inputs = [{"ParameterKey": name, "ParameterValue": value} for name, value in VALUES.items()]
    return {
        "StackId": STACK_ID,
        "StackName": "billing",
        "Outputs": [output for output in outputs if output["OutputKey"] not in without],
        "Parameters": [entry for entry in inputs if entry["ParameterKey"] not in without],
    }


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The answer of CloudFormation; fill it before connecting."""
    answer: dict[str, Any] = {}
    monkeypatch.setattr(stack, "_described", lambda _: answer)
    return answer


def test_the_settings_are_those_of_the_functions(cloudformation: dict[str, Any]) -> None:
    cloudformation |= described()
    settings = stack.connect("billing").settings
    assert settings.accounts_table == "the-AccountsTableName"
    assert settings.rollup_queue_url == "the-RollupQueueUrl"
    assert (str(settings.zone), settings.currency) == ("Pacific/Auckland", "NZD")
    assert (settings.issue_immediately, settings.due_days) == (True, 20)
    assert settings.cursor_key == STACK_ID


@pytest.mark.parametrize(
    ("parameter", "value", "fault"),
    [
        ("Currency", "JPY", "CURRENCY: JPY cannot be billed: must be an ISO 4217 currency"),
        ("BillingTimeZone", "Mars/Base", "BILLING_TIME_ZONE: no time zone is named 'Mars/Base'"),
    ],
)
def test_a_stack_whose_settings_cannot_be_used_is_named(
    cloudformation: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    parameter: str,
    value: str,
    fault: str,
) -> None:
    monkeypatch.setitem(VALUES, parameter, value)
    cloudformation |= described()
    with pytest.raises(NotReachable, match=f"stack billing: {fault}"):
        stack.connect("billing")


@pytest.mark.parametrize("name_or_id", ["billing", STACK_ID])
def test_a_stack_given_by_its_id_has_the_functions_of_its_name(
    cloudformation: dict[str, Any], name_or_id: str
) -> None:
    cloudformation |= described()
    name = function_name(stack.connect(name_or_id).name, "start_month_end")
    assert name == "billing-start-month-end"


def test_a_person_is_told_which_stack_that_is(
    cloudformation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudformation |= described()
    assert stack.connect("billing").place == "billing, ap-southeast-2, account 111122223333"
    # As after `eval "$(... local env)"`: whatever its name, this stack is not on AWS.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert stack.connect("billing").place == "billing, local, at http://127.0.0.1:4566"


def test_every_variable_of_the_functions_is_read_from_the_stack() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    outputs = {name: template()["Outputs"][key]["Value"] for name, key in stack.OUTPUTS.items()}
    references = outputs | {name: {"Ref": key} for name, key in stack.PARAMETERS.items()}
    references["CURSOR_KEY"] = {"Ref": "AWS::StackId"}
    # The endpoint of AWS comes from the environment of the commands.
    assert references == {name: variables[name] for name in variables if "ENDPOINT" not in name}


LOCAL = '{"region": "ap-southeast-2"}'


@pytest.mark.parametrize("text", ["", "{", "[]", "null", LOCAL, "\udcff"])
def test_a_damaged_description_of_the_local_stack_is_not_reachable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    file = tmp_path / "outputs.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(NotReachable) as refused:
        stack.connect(None, file)
    error = f"{file}: cannot be read: start the local stack afresh with `make up`"
    assert str(refused.value).startswith(error)
    assert os.environ["AWS_PROFILE"] == "mine"


def test_the_description_of_the_local_stack_is_replaced_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [*TABLES.values(), *QUEUES.values()]
    names += ["ApiUrl", "UserPoolId", "UserPoolClientId", "MonthEndRuleName"]
    file = tmp_path / "outputs.json"
    outputs = outputs_of("http://here", "billing", dict.fromkeys(names, "x"))
    write_outputs(outputs, file)
    assert file.stat().st_mode & 0o777 == 0o600

    def broken(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("local.outputs.json.dumps", broken)
    with pytest.raises(KeyboardInterrupt):
        write_outputs(outputs, file)
    assert read_outputs(file) == outputs
    monkeypatch.undo()
    # A reader that has the file open goes on reading the old content.
    with file.open(encoding="utf-8") as before:
        write_outputs(outputs | {"users": {}, "region": "elsewhere"}, file)
        assert json.load(before) == outputs
    assert read_outputs(file)["region"] == "elsewhere"


def test_another_stack_is_told_apart(cloudformation: dict[str, Any]) -> None:
    cloudformation |= described(UsageTableName=False, Currency=False)
    with pytest.raises(NotReachable) as refused:
        stack.connect("shop")
    assert str(refused.value) == (
        "stack shop: not a monthend stack, or not deployed yet: "
        "no UsageTableName, parameter Currency"
    )
