"""The engine stays pure: standard library, no clock, no binary fractions, small files."""

import ast
import sys
from pathlib import Path

import pytest

from tests.unit.quote_engine.support import ENGINE

FILES = sorted((ENGINE / "quote_engine").rglob("*.py"))
ALLOWED = {"quote_engine", *sys.stdlib_module_names}
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid", "locale", "zoneinfo"}
CLOCK_CALLS = {"now", "today", "utcnow", "fromtimestamp"}
LONGEST_FUNCTION = 40


def tree(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


def imported(nodes: list[ast.AST]) -> set[str]:
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def by_name(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ENGINE)) for path in paths]


each_file = pytest.mark.parametrize("path", FILES, ids=by_name(FILES))


def test_there_are_files_to_look_at() -> None:
    assert len(FILES) > 20


@each_file
def test_the_engine_imports_the_standard_library_only(path: Path) -> None:
    assert imported(tree(path)) <= ALLOWED - CLOCKS_AND_CHANCE


@each_file
def test_the_engine_knows_no_float(path: Path) -> None:
    nodes = tree(path)
    assert not [n for n in nodes if isinstance(n, ast.Name) and n.id == "float"]
    assert not [n for n in nodes if isinstance(n, ast.Constant) and type(n.value) is float]
    assert not [n for n in nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]


@each_file
def test_the_engine_reads_no_clock(path: Path) -> None:
    attributes = {node.attr for node in tree(path) if isinstance(node, ast.Attribute)}
    assert not attributes & CLOCK_CALLS


@each_file
def test_only_the_command_line_reads_and_writes(path: Path) -> None:
    names = {node.id for node in tree(path) if isinstance(node, ast.Name)}
    assert path.name == "__main__.py" or not names & {"open", "print", "input", "sys", "os"}


@each_file
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 300
    for node in tree(path):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name
