"""The faults that an AWS call may meet, and how often the seed draws one.

A fault is what is left after the SDK has retried: the functions' clients try four times, and a
simulated call fails once for all of them. The one exception is `SENT_TWICE`: the first try was
applied, its reply was lost, and the code sees the answer to the SDK's second try.
"""

from collections import Counter
from enum import StrEnum
from random import Random

from tests.simulation.aws.dynamodb import WRITES as TABLE_WRITES


class Fault(StrEnum):
    """The kinds of faults. Hits are counted by kind and operation."""

    FAILED_BEFORE = "failed before"
    LOST_REPLY = "applied, reply lost"
    SENT_TWICE = "applied, reply lost, sent again by the SDK"
    APPLIED_LATE = "timed out, applied later"
    THROTTLED = "throttled"
    CONFLICT = "transaction conflict"
    PARTIAL = "done in part"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    SLOW = "slow"
    OUT_OF_TIME = "out of time"
    OUTAGE = "DynamoDB down"
    DELIVERED_TWICE = "delivered twice"
    LAGGING = "indexes lag"


READS = frozenset(("GetItem", "BatchGetItem", "Query"))
WRITES = TABLE_WRITES | {"SendMessageBatch", "Invoke"}
OPERATIONS = READS | WRITES
PARTIAL = frozenset(("BatchGetItem", "SendMessageBatch"))
EVERYWHERE = (Fault.FAILED_BEFORE, Fault.THROTTLED, Fault.KILLED_BEFORE, Fault.SLOW)
ON_WRITES = (Fault.LOST_REPLY, Fault.SENT_TWICE, Fault.APPLIED_LATE, Fault.KILLED_AFTER)
# How likely a call is to fail, one for a whole seed: none, a calm day, a bad one, a terrible one.
INTENSITIES = (0.0, 0.03, 0.08, 0.15)
ON_READ, ON_WRITE, ON_COMMIT = 1.0, 2.0, 4.0
# There are few of these calls, so more of them have to fail.
RARE = {"DeleteItem": 8.0, "Invoke": 9.0, "UpdateItem": 14.0}
AT_MOST = 0.6


def faults_of(operation: str) -> tuple[Fault, ...]:
    """Returns the faults that this operation can meet."""
    faults: tuple[Fault, ...] = EVERYWHERE
    if operation in WRITES:
        faults += ON_WRITES
    if operation in TABLE_WRITES:
        faults += (Fault.CONFLICT,)
    if operation in PARTIAL:
        faults += (Fault.PARTIAL,)
    return faults


def every_fault() -> set[tuple[Fault, str]]:
    """Returns all pairs of a fault and what it hits. A test asserts that each of them occurs."""
    pairs = {(fault, operation) for operation in OPERATIONS for fault in faults_of(operation)}
    pairs |= {(Fault.DELIVERED_TWICE, what) for what in ("rollup", "usage", "start")}
    pairs |= {(Fault.OUTAGE, operation) for operation in READS | {"PutItem"}}
    return pairs | {(Fault.LAGGING, "indexes"), (Fault.OUT_OF_TIME, "invocation")}


class Faults:
    """Draws a fault for a call, or none, and counts the faults."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.on = True
        self.intensity = rng.choice(INTENSITIES)
        # Each seed uses only some kinds: many rare events at once hide each other.
        self.kinds = frozenset(kind for kind in Fault if rng.random() < 0.6)
        self.counts: Counter[tuple[Fault, str]] = Counter()

    def draw(self, operation: str, *, commits: bool) -> Fault | None:
        """Draws the fault of this call, or None; likelier for writes, as most calls only read."""
        weight = RARE.get(operation, ON_WRITE if operation in WRITES else ON_READ)
        weight = ON_COMMIT if commits else weight
        if not self.on or self._rng.random() >= min(AT_MOST, self.intensity * weight):
            return None
        possible = [fault for fault in faults_of(operation) if fault in self.kinds]
        if commits:
            # A commit has to get right whether it was applied.
            possible += [fault for fault in ON_WRITES if fault in self.kinds] * 2
        if not possible:
            return None
        return self.hit(self._rng.choice(possible), operation)

    def out_of_time(self, operation: str) -> bool:
        """Draws whether an invocation finds itself near its time limit."""
        if not self.on or Fault.OUT_OF_TIME not in self.kinds:
            return False
        if self._rng.random() >= self.intensity:
            return False
        self.hit(Fault.OUT_OF_TIME, operation)
        return True

    def hit(self, fault: Fault, operation: str) -> Fault:
        """Counts a fault, and returns it."""
        self.counts[fault, operation] += 1
        return fault
