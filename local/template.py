"""Reads template.yaml as data: tests build tables from it, so that schemas cannot drift."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's tags: `!Ref X` becomes `{"Ref": "X"}`."""


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


_TemplateLoader.add_multi_constructor("!", _tagged)


@cache
def template() -> dict[str, Any]:
    """Returns the whole template."""
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), _TemplateLoader)
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Returns the resources of one type, by logical id."""
    return {
        name: resource
        for name, resource in template()["Resources"].items()
        if resource["Type"] == kind
    }


def table_definition(logical_id: str) -> dict[str, Any]:
    """Returns the arguments of CreateTable for a table of the template."""
    properties = template()["Resources"][logical_id]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {name: properties[name] for name in names if name in properties}
