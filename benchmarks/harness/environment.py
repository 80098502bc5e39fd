"""The environment of functions that are measured: the template's variables, and no real AWS."""

import os
from functools import cache
from typing import Any

from invoicing.foundation.settings import Settings
from local.environment import REGION, ROOT_CALLER, without_aws
from local.template import resources, template

FUNCTION = "AWS::Serverless::Function"


def aws_environment() -> dict[str, str]:
    """Returns this process's environment with a made-up caller instead of a real AWS account."""
    return without_aws() | ROOT_CALLER | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


@cache
def function_variables() -> dict[str, str]:
    """Returns every variable of the template: a parameter's default, else the resource's name.

    So tables have the names that the template gives them: `InvoicesTable`. Variables that depend
    on a condition are left out.
    """
    scopes = [template()["Globals"]["Function"]]
    scopes += [function["Properties"] for function in resources(FUNCTION).values()]
    variables: dict[str, str] = {}
    for scope in scopes:
        for name, value in scope.get("Environment", {}).get("Variables", {}).items():
            if not (isinstance(value, dict) and "If" in value):
                variables[name] = _text(value)
    return variables


def function_settings() -> Settings:
    """Returns the settings that every function reads from its variables."""
    return Settings.from_environment(function_variables())


def _text(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((_, name),) = value.items()
    return str(template()["Parameters"].get(name, {}).get("Default") or name)


def child_environment() -> dict[str, str]:
    """Returns the environment of a fresh interpreter, without this one's PYTHON* variables."""
    inherited = aws_environment() | function_variables()
    return {name: value for name, value in inherited.items() if not name.startswith("PYTHON")}


def enter() -> None:
    """Replaces this process's environment with that of a function."""
    variables = aws_environment() | function_variables()
    os.environ.clear()
    os.environ.update(variables)
