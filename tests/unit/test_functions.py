"""A function stands in every place that has to know of it; the template's test has the rest."""

import ast
from pathlib import Path

import pytest

from local.template import ROOT, resources

FOLDERS = sorted(path.parent for path in (ROOT / "functions").glob("*/handler.py"))


def _name(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_a_function_has_an_event_to_be_invoked_with(folder: Path) -> None:
    assert (ROOT / "events" / f"{folder.name}.json").is_file()


@pytest.mark.parametrize("folder", FOLDERS, ids=_name)
def test_a_functions_log_lines_say_whose_they_are(folder: Path) -> None:
    services = [
        keyword.value.value
        for node in ast.walk(ast.parse((folder / "handler.py").read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "service" and isinstance(keyword.value, ast.Constant)
    ]
    assert set(services) == {folder.name}


def test_every_function_behind_the_api_is_tried_with_an_unknown_parameter() -> None:
    tried = (ROOT / "tests/integration/api/test_query_parameters.py").read_text()
    for name, function in resources("AWS::Serverless::Function").items():
        events = function["Properties"].get("Events", {}).values()
        if any(event["Type"] == "Api" for event in events):
            folder = Path(function["Properties"]["CodeUri"]).name
            assert f'"{folder}"' in tried, name
