"""What the functions see while they are measured: the template's variables, and no real AWS."""

import os
from functools import cache
from typing import Any

from invoicing.foundation.settings import Settings
from local.environment import REGION, ROOT_CALLER, without_aws
from local.template import resources, template

FUNCTION = "AWS::Serverless::Function"


def aws_environment() -> dict[str, str]:
    """This process's environment with a made-up caller in place of anybody's AWS account."""
    return without_aws() | ROOT_CALLER | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


@cache
def function_variables() -> dict[str, str]:
    """Every variable that the template sets: a parameter's default, else the resource's name.

    Tables are thus named as the template names them: `InvoicesTable`.
    """
    scopes = [template()["Globals"]["Function"]]
    scopes += [function["Properties"] for function in resources(FUNCTION).values()]
    found: dict[str, str] = {}
    for scope in scopes:
        for name, value in scope.get("Environment", {}).get("Variables", {}).items():
            if not (isinstance(value, dict) and "If" in value):
                found[name] = _text(value)
    return found


def function_settings() -> Settings:
    """What every function is told."""
    return Settings.from_environment(function_variables())


def _text(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    ((_, name),) = value.items()
    return str(template()["Parameters"].get(name, {}).get("Default") or name)


def child_environment() -> dict[str, str]:
    """For a fresh interpreter that must not inherit how this one was started."""
    inherited = aws_environment() | function_variables()
    return {name: value for name, value in inherited.items() if not name.startswith("PYTHON")}


def enter() -> None:
    """Gives this process the environment of a function."""
    found = aws_environment() | function_variables()
    os.environ.clear()
    os.environ.update(found)
