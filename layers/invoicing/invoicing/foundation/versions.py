"""Records with a version, written so that no change is lost: a repeat is a no-op.

A write names the version that it replaces; DynamoDB refuses it if another came first. Then the
record is read again, and what is asked for is judged anew against what is there now.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import sleep

TRIES = 6


class VersionChanged(Exception):
    """The record is no longer the version that was to be replaced; nothing was written."""


class RecordBusy(Exception):
    """Others kept changing the record. Nothing was written; asking again is safe."""


@dataclass(frozen=True, slots=True)
class Stored[R]:
    """A record as it is in the table, and its version: 1 at first, one more with each change."""

    record: R
    version: int


class WriteOutcome(StrEnum):
    """What a write did."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Written[R]:
    """The record as it is now, and whether this call made it so."""

    stored: Stored[R]
    outcome: WriteOutcome


type Read[R] = Callable[[], Stored[R] | None]
type Make[R] = Callable[[Stored[R] | None], R]
type Allow = Callable[[int | None], None]
type Write[R] = Callable[[R, Stored[R] | None], int]


def anything(_version: int | None) -> None:
    """Allows every write: for a caller who has compared the content itself."""


def write_version[R](
    read: Read[R], make: Make[R], write: Write[R], allow: Allow = anything
) -> Written[R]:
    """Writes what `make` makes of what is stored; what equals it already is left as it is.

    So a retry after a lost reply answers as if its first try had. `allow` is asked with the
    version that a real change would replace (None: there is none) and raises its refusal; `write`
    answers the new version, or raises VersionChanged. Raises RecordBusy after several of those.
    """
    for attempt in range(TRIES):
        before = read()
        record = make(before)
        if before is not None and before.record == record:
            return Written(before, WriteOutcome.UNCHANGED)
        allow(before.version if before else None)
        try:
            version = write(record, before)
        except VersionChanged:
            sleep(random.uniform(0.5, 1) * 0.02 * 2**attempt)
            continue
        outcome = WriteOutcome.CREATED if before is None else WriteOutcome.REPLACED
        return Written(Stored(record, version), outcome)
    raise RecordBusy(f"changed by others during {TRIES} tries")
