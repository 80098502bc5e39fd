"""A stack by name: the commands are told what its functions are told."""

from typing import Any

import pytest

from cli import stack
from cli.errors import NotReachable
from tests.template import template

VALUES = {
    "BillingTimeZone": "Pacific/Auckland",
    "Currency": "NZD",
    "IssueImmediately": "true",
    "DueDays": "20",
    "AllowedOrigin": "*",
}


def described(**without: bool) -> dict[str, Any]:
    """A stack as CloudFormation describes it."""
    outputs = [{"OutputKey": name, "OutputValue": f"the-{name}"} for name in template()["Outputs"]]
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in VALUES.items()]
    return {
        "StackId": "arn:of-the-stack",
        "Outputs": [each for each in outputs if each["OutputKey"] not in without],
        "Parameters": [each for each in given if each["ParameterKey"] not in without],
    }


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What CloudFormation answers; change it before connecting."""
    answer: dict[str, Any] = {}
    monkeypatch.setattr(stack, "_described", lambda _: answer)
    return answer


def test_the_settings_are_those_of_the_functions(cloudformation: dict[str, Any]) -> None:
    cloudformation |= described()
    found = stack.connect("billing").settings
    assert found.accounts_table == "the-AccountsTableName"
    assert found.rollup_queue_url == "the-RollupQueueUrl"
    assert (str(found.zone), found.currency) == ("Pacific/Auckland", "NZD")
    assert (found.issue_immediately, found.due_days) == (True, 20)
    assert found.cursor_key == "arn:of-the-stack"


def test_every_variable_of_the_functions_is_read_from_the_stack() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    outputs = {name: template()["Outputs"][key]["Value"] for name, key in stack.OUTPUTS.items()}
    references = outputs | {name: {"Ref": key} for name, key in stack.PARAMETERS.items()}
    references["CURSOR_KEY"] = {"Ref": "AWS::StackId"}
    # Where AWS is, the commands know from their own environment.
    assert references == {name: variables[name] for name in variables if "ENDPOINT" not in name}


def test_another_stack_is_told_apart(cloudformation: dict[str, Any]) -> None:
    cloudformation |= described(UsageTableName=False, Currency=False)
    with pytest.raises(NotReachable) as refused:
        stack.connect("shop")
    assert str(refused.value) == (
        "stack shop: not a monthend stack, or not deployed yet: "
        "no UsageTableName, parameter Currency"
    )
