"""Versioned records, written so that no change is lost. Repeating a write does nothing.

A write names the version that it replaces; DynamoDB refuses it if another write came first. Then
the record is read again, and the request is judged anew against what is stored now.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from invoicing.foundation.back_off import back_off

TRIES = 6


class VersionChanged(Exception):
    """The stored record is no longer the version to replace; nothing was written."""


class RecordBusy(Exception):
    """Others kept changing the record. Nothing was written; trying again is safe."""


@dataclass(frozen=True, slots=True)
class Stored[R]:
    """A record as it is stored, and its version: 1 at first, one more with each change."""

    record: R
    version: int


class WriteOutcome(StrEnum):
    """The outcome of a write."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Written[R]:
    """The record as it is stored now, and what this call did to it."""

    stored: Stored[R]
    outcome: WriteOutcome


type Read[R] = Callable[[], Stored[R] | None]
type Make[R] = Callable[[Stored[R] | None], R]
type Allow = Callable[[int | None], None]
type Write[R] = Callable[[R, Stored[R] | None], int]


def anything(_version: int | None) -> None:
    """Allows every write: for a caller that has compared the content itself."""


def write_version[R](
    read: Read[R], make: Make[R], write: Write[R], allow: Allow = anything
) -> Written[R]:
    """Writes the record that `make` makes from the stored one; does nothing if both are equal.

    So a retry after a lost reply succeeds like the first try. Before a real change, `allow` gets
    the version to be replaced (None if nothing is stored) and raises an error to refuse. `write`
    returns the new version or raises VersionChanged. Raises RecordBusy after several of those.
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
            back_off(attempt)
            continue
        outcome = WriteOutcome.CREATED if before is None else WriteOutcome.REPLACED
        return Written(Stored(record, version), outcome)
    raise RecordBusy(f"changed by others during {TRIES} tries")
