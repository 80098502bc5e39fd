"""House rules that no linter knows."""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from local.template import ROOT

SHIPPED = ("functions", "layers", "cli")
FOLDERS = (*SHIPPED, "local", "benchmarks")
CODE = sorted(
    path for folder in (*SHIPPED, "local", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FUNCTION, LONGEST_FILE = 40, 300
# Lines of a body without signature and docstring: nine of ten functions are at most this long.
NINE_OF_TEN = 14
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_files_and_functions_are_short(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_nine_of_ten_functions_that_ship_are_very_short() -> None:
    shipped = [path for path in CODE if path.relative_to(ROOT).parts[0] in SHIPPED]
    lengths = sorted(length for path in shipped for length in _body_lengths(path))
    assert lengths[len(lengths) * 9 // 10] <= NINE_OF_TEN


def _body_lengths(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) else node.body
            if body:
                yield (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_no_class_name_stands_for_two_things() -> None:
    simulation = sorted((ROOT / "tests" / "simulation").rglob("*.py"))
    places = defaultdict(list)
    for path in (*CODE, *simulation):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(_name(path))
    # pynamodb asks for classes of this name.
    del places["Meta"]
    assert not {name: files for name, files in places.items() if len(files) > 1}


def test_a_room_costs_a_cold_start_nothing() -> None:
    """Python runs every __init__.py on the way to a module."""
    rooms = sorted((ROOT / "layers" / "invoicing").rglob("__init__.py"))
    assert len(rooms) > 1
    assert not [_name(path) for path in rooms if path.read_text()]


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_pynamodb_is_imported_in_table_and_item_files_alone(path: Path) -> None:
    imports = re.search(r"^\s*(from|import) pynamodb", path.read_text(), re.MULTILINE)
    stores = path.name.endswith(("_table.py", "_item.py")) or path.name == "dynamodb.py"
    if not stores:
        assert imports is None


def test_files_of_people_have_one_yaml_reader() -> None:
    """The template is read by CloudFormation's rules; all else as a person reads it."""
    imports = re.compile(r"^\s*(from|import) yaml", re.MULTILINE)
    readers = {_name(path) for path in CODE if imports.search(path.read_text())}
    loading = {f"cli/loading/{name}.py" for name in ("plain_yaml", "yaml_lines")}
    assert readers == loading | {"local/template.py"}


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_only_what_is_started_at_a_time_reads_a_clock(path: Path) -> None:
    reads = re.search(r"\.(now|today|utcnow)\(|time\.time\(", path.read_text())
    production = path.is_relative_to(ROOT / "layers") or path.is_relative_to(ROOT / "functions")
    # These refuse a time in the future; for all else they use the time in the request.
    started = ("start_month_end", "sweep_month_end", "sweep_late_usage")
    if production and path.parent.name not in started:
        assert reads is None


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/handler.py")), ids=_name)
def test_functions_import_neither_each_other_nor_boto3(path: Path) -> None:
    allowed = {
        "aws_lambda_powertools",
        "invoicing",
        "quote_engine",
        *("datetime", "functools", "http", "json", "os", "re", "typing"),
    }
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported <= allowed


def test_pytest_leaves_no_folder_of_tests_out() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    folders = {part for path in (ROOT / "tests").rglob("test_*.py") for part in path.parts}
    left_out = {
        folder
        for folder in folders - set(ROOT.parts)
        for pattern in options["norecursedirs"]
        if fnmatch(folder, pattern)
    }
    assert not left_out


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """By its path from the root, or by the end of it: `rates/volume.py`."""
    named = set(re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|yaml|md))`", page.read_text()))
    folders = (ROOT / folder for folder in (*FOLDERS, "tests", "docs"))
    files = [f"/{_name(path)}" for folder in folders for path in folder.rglob("*.*")]
    assert not {name for name in named if not any(file.endswith(f"/{name}") for file in files)}
