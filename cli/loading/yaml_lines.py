"""YAML files that remember the line of every field, so that a fault is shown with its line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.loading.plain_yaml import NotPlain, PlainLoader
from cli.terminal.errors import BadInput, one_line
from cli.terminal.text_file import read_text

type FieldPath = tuple[str | int, ...]

FAULT = re.compile(r"([\w\[\].]+): ", re.ASCII)
STEP = re.compile(r"\[([0-9]+)\]|([^\[\].]+)")


@dataclass(frozen=True, slots=True)
class FileFault:
    """A fault and its place, such as `catalogue.yaml:12`."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A YAML file as plain values, and the line of each of its fields."""

    file: Path
    fields: Mapping[str, Any]
    _lines: Mapping[FieldPath, int] = field(repr=False)

    def place(self, path: FieldPath = ()) -> str:
        """`file:line` of a field, or of the nearest existing field around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return f"{self.file.name}:{self._lines.get(path, 1)}"

    def fault(self, path: FieldPath, text: str) -> FileFault:
        """The fault at its place; `text` may begin with a further path below `path`."""
        place = self.place((*path, *_path_of(text)))
        return FileFault(place, f"{shown(path)}{self.reason(path, text)}")

    def reason(self, path: FieldPath, text: str) -> str:
        """`text`, or what is wrong with the number at its place if that is not plain."""
        value = self._nearest((*path, *_path_of(text)))
        if not isinstance(value, NotPlain):
            return text
        field = FAULT.match(text)
        return f"{field[0] if field else ''}{value.fault}"

    def _nearest(self, path: FieldPath) -> Any:
        value: Any = self.fields
        for step in path:
            try:
                value = value[step]
            except (LookupError, TypeError):
                break
        return value


def shown(path: FieldPath) -> str:
    """`plans[0].` for ("plans", 0): the prefix of a field's own name."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"{text.removeprefix('.')}." if text else ""


def _path_of(text: str) -> FieldPath:
    match = FAULT.match(text)
    steps = STEP.findall(match[1]) if match else ()
    return tuple(int(index) if index else str(name) for index, name in steps)


def read_yaml(file: Path) -> YamlFile:
    """Reads a YAML file; raises BadInput if it is no YAML mapping, or gives a field twice."""
    try:
        loader = PlainLoader(read_text(file))
        node = loader.get_single_node()
        written = list(_lines(node, (), set()))
        # From here on, the node also holds what `<<` merges, beside the fields that override it.
        data = loader.construct_document(node) if node else None
        lines = dict(_lines(node, (), set()))
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f":{mark.line + 1}" if mark else ""
        raise BadInput(f"{file}{at}: not YAML: {_problem(error)}") from error
    except RecursionError as error:
        raise BadInput(f"{file}: nested too deeply") from error
    if not isinstance(data, dict):
        raise BadInput(f"{file}: must hold fields such as plans, addons or tenants")
    seen: set[FieldPath] = set()
    for path, line in written:
        if path in seen:
            raise BadInput(f"{file}:{line}: field {path[-1]!r} is given twice")
        seen.add(path)
    return YamlFile(file, data, lines)


def _problem(error: Exception) -> str:
    return one_line(str(getattr(error, "problem", None) or error))


def _lines(node: Any, path: FieldPath, seen: set[int]) -> Iterator[tuple[FieldPath, int]]:
    # An alias leads to a node that was walked already, perhaps to one that holds itself.
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            yield from _lines(value, (*path, str(key.value)), seen)
    elif isinstance(node, yaml.SequenceNode):
        for n, item in enumerate(node.value):
            yield (*path, n), item.start_mark.line + 1
            yield from _lines(item, (*path, n), seen)
