"""docs/openapi.yaml, and a check that an answer is one that it promises."""

from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from local.template import ROOT


@cache
def openapi() -> dict[str, Any]:
    """Returns the whole OpenAPI document."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    return loaded


def _resolved(node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = openapi()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def assert_promised(
    path: str, status: int, content_type: str, body: Any, *, method: str = "get"
) -> None:
    """Fails unless the OpenAPI document promises such an answer to a request of this path."""
    responses = openapi()["paths"][path][method]["responses"]
    content = _resolved(responses[str(status)])["content"]
    schema = content[content_type]["schema"] | {"components": openapi()["components"]}
    Draft202012Validator(schema).validate(body)
