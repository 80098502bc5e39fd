"""`--stack` and `--json`: what every command is told, wherever on the line it stands."""

from typing import Any

from typer.core import TyperGroup

from cli.stack import Stack, connect

GLOBAL_FLAG, GLOBAL_OPTION = "--json", "--stack"


class Chosen:
    """The global options of this run."""

    def __init__(self, stack: str | None, as_json: bool) -> None:
        self._stack = stack
        self.as_json = as_json

    def connect(self) -> Stack:
        """The stack that the command works on."""
        return connect(self._stack)


class AnywhereGroup(TyperGroup):
    """`--json` and `--stack` may stand anywhere, not just before the command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, anywhere(args))


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
