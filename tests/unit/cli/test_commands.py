"""A command stands in every place that has to know of it: its file, the app, docs/cli.md."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
import typer

from cli import commands
from cli.app import app
from local.template import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")


def names() -> Iterator[str]:
    """Every command as it is typed: `run`, `usage import`."""
    for command in app.registered_commands:
        assert command.callback is not None
        yield command.name or command.callback.__name__.replace("_", "-")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for command in group.typer_instance.registered_commands:
            assert command.callback is not None
            yield f"{group.name} {command.name or command.callback.__name__}"


def test_every_file_of_commands_is_in_the_app() -> None:
    registered = {
        command.callback.__module__ for command in app.registered_commands if command.callback
    }
    for group in app.registered_groups:
        typer_instance = group.typer_instance
        assert isinstance(typer_instance, typer.Typer)
        registered |= {
            command.callback.__module__
            for command in typer_instance.registered_commands
            if command.callback
        }
    files = {f"cli.commands.{file.name}" for file in pkgutil.iter_modules(commands.__path__)}
    assert {importlib.import_module(name).__name__ for name in files} == registered


@pytest.mark.parametrize("name", sorted(names()))
def test_every_command_has_its_section_in_the_manual(name: str) -> None:
    headings = re.findall(r"^## .*$", PAGE, re.MULTILINE)
    documented = [words for heading in headings for words in re.findall(r"`([^`]*)`", heading)]
    words = [text.removeprefix("monthend ") for text in documented]
    assert any(text == name or text.startswith(f"{name} ") for text in words)
