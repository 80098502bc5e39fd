"""The options that all commands share, `--stack` and `--json`; no value may be blank."""

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from cli.stack.stack import Stack, connect
from cli.terminal.errors import BadInput
from cli.terminal.output import complain
from cli.terminal.tables import console

GLOBAL_FLAG, GLOBAL_OPTION = "--json", "--stack"
BLANK = "must not be blank"


class Chosen:
    """The global options of this run."""

    def __init__(self, stack: str | None, as_json: bool) -> None:
        self._stack = stack
        self.as_json = as_json

    def connect(self) -> Stack:
        """Connects to the command's stack; a person who watches is told which one it is."""
        stack = connect(self._stack)
        if console(stderr=True).is_terminal:
            complain(f"Stack: {stack.place}")
        return stack


class AnywhereGroup(TyperGroup):
    """A group whose `--json` and `--stack` may stand anywhere, not just before the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = anywhere(args)
        _refuse_blank(self, ctx, words)
        return super().parse_args(ctx, words)


class Command(TyperCommand):
    """A command that refuses blank values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_blank(self, ctx, args)
        return super().parse_args(ctx, args)


def _refuse_blank(command: TyperCommand | TyperGroup, context: Any, words: list[str]) -> None:
    """Raises BadInput that names an option or argument with a blank value.

    A blank comes from a shell variable that was never set. An option that is not given means its
    default; if a blank meant the same, the command would act on another month or account.
    """
    parsed, _, _ = command.make_parser(context).parse_args(args=list(words))
    for parameter in command.get_params(context):
        value = parsed.get(parameter.name)
        values = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(item, str) and not item.strip() for item in values):
            argument = isinstance(parameter, TyperArgument)
            raise BadInput(f"{parameter.metavar if argument else parameter.opts[0]}: {BLANK}")


def anywhere(words: list[str]) -> list[str]:
    """The words, with the global options first."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word == GLOBAL_FLAG or word.startswith(f"{GLOBAL_OPTION}="):
            front.append(word)
        elif word == GLOBAL_OPTION:
            front += [word, *(value for value in [next(remaining, None)] if value is not None)]
        else:
            rest.append(word)
    return front + rest
