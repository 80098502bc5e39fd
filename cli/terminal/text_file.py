"""Reads a text file that a person names on the command line."""

import codecs
from pathlib import Path

from cli.terminal.errors import BadInput

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(file: Path) -> str:
    """The text of a UTF-8 file; raises BadInput if it cannot be read."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    refuse_utf16(data[:2], file)
    try:
        # As text files are read everywhere: all line ends become one.
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file}:{line}: not UTF-8 text") from error
    return text.replace("\r", "\n")


def refuse_utf16(head: bytes, file: Path | str) -> None:
    """Raises BadInput for the first two bytes of UTF-16, as spreadsheets save "Unicode text".

    Without its mark, UTF-16 shows by a zero byte, which would pass as UTF-8.
    """
    if head in UTF_16 or b"\0" in head:
        raise BadInput(f"{file}: UTF-16 text; save it as UTF-8")
