"""Text from elsewhere, in a form that is safe to show on a terminal."""

from unicodedata import category

from rich.markup import escape

# Control and format characters, surrogates, and line and paragraph separators.
HARMFUL = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


def harmless(text: str) -> str:
    """The text with escapes such as `\\x1b` for what could move the cursor or hide a word.

    Line ends are escaped too: no part of a text should look like another row.
    """
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if category(character) not in HARMFUL:
        return character
    return character.encode("unicode_escape").decode("ascii")


def cell(text: str) -> str:
    """The harmless text for a table cell, where its brackets are not read as markup."""
    return escape(harmless(text))


def cells(*texts: str) -> str:
    """Several texts in one cell, one on each line."""
    return "\n".join(map(cell, texts))


def counted(number: int, noun: str) -> str:
    """`1 tenant`, `1,200 tenants`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
