"""Reads a text file that a person names on the command line."""

from pathlib import Path

from cli.terminal.errors import BadInput


def read_text(file: Path) -> str:
    """The text of a UTF-8 file; raises BadInput if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 text") from error
