"""Opens a file that is read more than once: a pipe is copied to a temporary file first."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from cli.terminal.errors import BadInput

MOST_BYTES = 512 * 2**20
CHUNK = 2**20
STANDARD_INPUT = Path("-")
LONGEST_NAME = 96


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that can be read again from its start."""

    stream: BinaryIO
    # As the person named it, for what is told about it.
    shown: str
    # The name alone; `-` for a pipe.
    name: str
    size: int


@contextmanager
def opened(file: Path) -> Iterator[InputFile]:
    """Opens a file, a pipe, or standard input (`-`).

    Raises BadInput for what cannot be read, and for more than 512 MB: a file by its size, unread.
    """
    if file == STANDARD_INPUT:
        with _spooled(sys.stdin.buffer, file) as copy:
            yield InputFile(copy, "-", "-", _size(copy))
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}") from error
    with stream:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            size = _size(stream)
            if size > MOST_BYTES:
                raise _too_large(file)
            yield InputFile(stream, str(file), _storable(file.name), size)
            return
        with _spooled(stream, file) as copy:
            yield InputFile(copy, str(file), "-", _size(copy))


def _size(stream: BinaryIO) -> int:
    return os.fstat(stream.fileno()).st_size


def _spooled(stream: BinaryIO, file: Path) -> BinaryIO:
    copy: BinaryIO = TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        size = 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > MOST_BYTES:
                raise _too_large(file)
            copy.write(chunk)
        copy.flush()
    except OSError as error:
        copy.close()
        raise BadInput(f"{file}: {error.strerror}") from error
    except BaseException:
        copy.close()
        raise
    return copy


def _too_large(file: Path) -> BadInput:
    return BadInput(f"{file}: larger than {MOST_BYTES // 2**20} MB: divide it")


def _storable(name: str) -> str:
    """The name, cut, and without bytes that are no text."""
    return os.fsencode(name).decode("utf-8", "replace")[:LONGEST_NAME]
