"""What may go wrong at an AWS call, and how often the seed lets it.

A fault is what is left after the SDK has retried: the functions' clients try four times, and a
simulated call fails once for all of them. The one exception is `SENT_TWICE`: the first try was
applied, its reply was lost, and the SDK's second try is what the code gets to see.
"""

from collections import Counter
from enum import StrEnum
from random import Random

from tests.simulation.aws.dynamodb import WRITES as TABLE_WRITES


class Fault(StrEnum):
    """The kinds of faults; each is counted by the operation that it hit."""

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
# What the functions of the story call; UpdateItem is known to the model and used by nobody yet.
OPERATIONS = READS | WRITES - {"UpdateItem"}
PARTIAL = frozenset(("BatchGetItem", "SendMessageBatch"))
EVERYWHERE = (Fault.FAILED_BEFORE, Fault.THROTTLED, Fault.KILLED_BEFORE, Fault.SLOW)
ON_WRITES = (Fault.LOST_REPLY, Fault.SENT_TWICE, Fault.APPLIED_LATE, Fault.KILLED_AFTER)
# How likely a call fails, one of these for a whole seed: a calm day, a bad one, a terrible one.
INTENSITIES = (0.0, 0.03, 0.08, 0.15)
ON_READ, ON_WRITE, ON_COMMIT = 1.0, 2.0, 4.0
# Few of these are made, so that more of them have to fail.
RARE = {"DeleteItem": 8.0, "Invoke": 9.0}
AT_MOST = 0.6


def faults_of(operation: str) -> tuple[Fault, ...]:
    """What can go wrong at this operation."""
    found: tuple[Fault, ...] = EVERYWHERE
    if operation in WRITES:
        found += ON_WRITES
    if operation in TABLE_WRITES:
        found += (Fault.CONFLICT,)
    if operation in PARTIAL:
        found += (Fault.PARTIAL,)
    return found


def every_fault() -> set[tuple[Fault, str]]:
    """All pairs of a fault and where it hits; a simulation that never meets one tests nothing."""
    found = {(fault, operation) for operation in OPERATIONS for fault in faults_of(operation)}
    found |= {(Fault.DELIVERED_TWICE, what) for what in ("rollup", "usage", "start")}
    found |= {(Fault.OUTAGE, operation) for operation in READS | {"PutItem"}}
    return found | {(Fault.LAGGING, "indexes"), (Fault.OUT_OF_TIME, "invocation")}


class Faults:
    """Draws a fault for a call, or none; and counts them."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.on = True
        self.intensity = rng.choice(INTENSITIES)
        # Each seed knows some kinds alone: many rare events at once hide each other.
        self.kinds = frozenset(kind for kind in Fault if rng.random() < 0.6)
        self.counts: Counter[tuple[Fault, str]] = Counter()

    def draw(self, operation: str, *, commits: bool) -> Fault | None:
        """What happens to this call; most calls read, and most harm is done where one writes."""
        weight = RARE.get(operation, ON_WRITE if operation in WRITES else ON_READ)
        weight = ON_COMMIT if commits else weight
        if not self.on or self._rng.random() >= min(AT_MOST, self.intensity * weight):
            return None
        possible = [fault for fault in faults_of(operation) if fault in self.kinds]
        if commits:
            # Whether it was done is the question that a commit has to get right.
            possible += [fault for fault in ON_WRITES if fault in self.kinds] * 2
        if not possible:
            return None
        return self.hit(self._rng.choice(possible), operation)

    def out_of_time(self, operation: str) -> bool:
        """Whether an invocation finds itself near its time limit."""
        if not self.on or Fault.OUT_OF_TIME not in self.kinds:
            return False
        if self._rng.random() >= self.intensity:
            return False
        self.hit(Fault.OUT_OF_TIME, operation)
        return True

    def hit(self, fault: Fault, operation: str) -> Fault:
        """Counts a fault."""
        self.counts[fault, operation] += 1
        return fault
