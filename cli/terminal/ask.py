"""Questions to the person at the terminal; a script is never asked."""

import sys


def someone_is_there() -> bool:
    """Whether a person can both read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirmed(question: str) -> bool:
    """Asks the person; True for a yes, False for anything else and for the end of input."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
