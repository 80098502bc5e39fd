"""Questions to the person at the terminal; a script is never asked."""

import sys


def someone_is_there() -> bool:
    """Whether a person can both read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    """Whether the person says yes; anything else, and the end of input, is no."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
