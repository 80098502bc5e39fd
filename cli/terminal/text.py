"""Text that came from elsewhere, as a terminal may be shown it."""

from unicodedata import category

from rich.markup import escape

# Control and format characters, half pairs, and what ends a line or a paragraph.
HARMFUL = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def harmless(text: str) -> str:
    """The text with escapes such as `\\x1b` for what could move the cursor or hide a word.

    Line ends are escaped too: nothing that a message holds should look like a row of its own.
    """
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if category(character) not in HARMFUL:
        return character
    return character.encode("unicode_escape").decode("ascii")


def cell(text: str) -> str:
    """The same for a table, in which its brackets are brackets."""
    return escape(harmless(text))


def cells(*texts: str) -> str:
    """Several of them in one cell, each on a line of its own."""
    return "\n".join(map(cell, texts))


def counted(number: int, noun: str) -> str:
    """`1 letter`, `1,200 letters`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
