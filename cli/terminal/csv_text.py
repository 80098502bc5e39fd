"""CSV as people and their spreadsheets write it; every fault is told with its line.

The first row that is not blank names the columns. Blank rows, a byte order mark and empty fields
beyond the last column mean nothing.
"""

import csv
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from cli.terminal.errors import BadInput
from cli.terminal.text_file import refuse_utf16

# No row needs so much, and a file without line ends should not be read into memory whole.
LONGEST_LINE = 2**20
# What stands for a byte that is not UTF-8.
UNDECODED = re.compile("[\udc80-\udcff]")
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class CsvRow(NamedTuple):
    """The fields of a row, and the line on which it ends."""

    line: int
    fields: list[str]


class CsvForm(NamedTuple):
    """The columns of one kind of file; `optional` ones may be missing."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """All columns that the file may have."""
        return {*self.needed, *self.optional}


def file_rows(file: Path) -> Generator[CsvRow]:
    """Yields the rows of a file, as `csv_rows` does."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    with stream:
        yield from csv_rows(stream, str(file))


def csv_rows(stream: BinaryIO, name: str) -> Iterator[CsvRow]:
    """Yields the rows that are not blank, from the start of the stream; the first is the header.

    Raises BadInput at the first line that is not CSV or not UTF-8.
    """
    stream.seek(0)
    refuse_utf16(stream.read(2), name)
    stream.seek(0)
    text = TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(_lines(text, name), strict=True)
    line = 0
    try:
        for fields in reader:
            line = reader.line_num
            if any(field.strip() for field in fields):
                yield CsvRow(line, fields)
    except csv.Error as error:
        # A quote that is never closed is noticed far below the row that it stands in.
        raise BadInput(f"{name}:{line + 1}: not CSV: {error}") from error
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror}") from error
    finally:
        # The stream belongs to the caller, who may have closed it by now.
        with suppress(ValueError):
            text.detach()


def _lines(text: TextIO, name: str) -> Iterator[str]:
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise BadInput(f"{name}:{number}: not CSV: the line is longer than 1 MB")
        if not line.isascii() and UNDECODED.search(line):
            raise BadInput(f"{name}:{number}: not UTF-8 text")
        yield line


def header(rows: Iterator[CsvRow], name: str) -> CsvRow:
    """Takes the header from the rows; raises BadInput if it names a column twice."""
    line, fields = next(rows, CsvRow(1, []))
    names = fitted(fields, 0)
    for separator, many in SEPARATORS.items():
        if len(names) == 1 and separator in names[0]:
            raise BadInput(f"{name}:{line}: the columns are separated by {many}, not by commas")
    twice = [column for column, count in Counter(names).items() if count > 1]
    if twice:
        raise BadInput(f"{name}:{line}: a column is named twice: {_listed(twice)}")
    return CsvRow(line, names)


def fitted(fields: list[str], count: int) -> list[str]:
    """The fields without the empty ones at the end, of which `count` are kept in any case."""
    last = len(fields)
    while last > count and not fields[last - 1].strip():
        last -= 1
    return fields[:last]


def form_of(named: CsvRow, forms: Sequence[CsvForm], name: str) -> CsvForm:
    """The form of a header; raises BadInput that names what is unknown or missing."""
    line, names = named
    given = set(names)
    for form in forms:
        if given.issuperset(form.needed) and given <= form.columns:
            return form
    nearest = max(forms, key=lambda form: len(form.columns & given))
    if not nearest.columns & given:
        raise BadInput(f"{name}:{line}: the columns must be {'; or '.join(map(_wanted, forms))}")
    faults = [
        f"{what} {_listed(columns)}"
        for what, columns in (
            ("unknown:", [column for column in names if column not in nearest.columns]),
            ("missing:", [column for column in nearest.needed if column not in given]),
        )
        if columns
    ]
    raise BadInput(f"{name}:{line}: the columns must be {_wanted(nearest)} ({'; '.join(faults)})")


def _wanted(form: CsvForm) -> str:
    return ",".join((*form.needed, *(f"[{column}]" for column in form.optional)))


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(
        column if column and column.strip() == column else repr(column) for column in columns
    )
