"""What every command shares: `--stack` and `--json`, and that no value may be blank."""

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from cli.stack.stack import Stack, connect
from cli.terminal.errors import BadInput
from cli.terminal.output import complain
from cli.terminal.show import console

GLOBAL_FLAG, GLOBAL_OPTION = "--json", "--stack"
BLANK = "must not be blank"


class Chosen:
    """The global options of this run."""

    def __init__(self, stack: str | None, as_json: bool) -> None:
        self._stack = stack
        self.as_json = as_json

    def connect(self) -> Stack:
        """The stack that the command works on; a person who watches is told which one that is."""
        stack = connect(self._stack)
        if console(stderr=True).is_terminal:
            complain(f"Stack: {stack.place}")
        return stack


class AnywhereGroup(TyperGroup):
    """`--json` and `--stack` may stand anywhere, not just before the command."""

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
    """Raises BadInput naming the option or argument that is there and says nothing.

    That is a variable of the shell that was never set. What is not given at all means a default;
    a blank that meant the same would act on another month, or on another account.
    """
    given, _, _ = command.make_parser(context).parse_args(args=list(words))
    for parameter in command.get_params(context):
        value = given.get(parameter.name)
        values = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(each, str) and not each.strip() for each in values):
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
