"""I9, I17 and I18: what counts of each day is what was sent and not taken back.

All of it is read from the raw items of the usage table, after every write. What a correction did
is known from its trace, which must agree with what was asked for and with the days and events that
changed in the same transaction.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from tests.simulation.aws.expressions import Item
from tests.simulation.aws.tables import ItemChange, Table
from tests.simulation.books.corrections import CorrectionBook, CorrectionTrace
from tests.simulation.books.usage import TOO_MUCH, Books, Identity, Sent
from tests.simulation.stage.report import InvariantViolated

DEDUPE, TOTAL, RECORD, TRACES = "event", "total", "correction", "#corrections#"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
# The attributes of a day or a total that are no resource kinds.
NO_KINDS = frozenset(("deployment_period", "day", "tenant_id", "Imports"))

type Moved = Mapping[Identity, int]
"""By how much a transaction changed what stands of events."""


@dataclass(frozen=True, slots=True)
class MeteredUsage:
    """Compares the usage table with what was sent and corrected, and enters it in the books."""

    books: Books
    corrections: CorrectionBook
    table: Table

    def after_write(self, changes: Sequence[ItemChange], step: int) -> None:
        """Raises InvariantViolated unless the items that changed hold what is recorded."""
        touched = set()
        moved: dict[Identity, int] = {}
        for change in changes:
            name, sort_key = change.key
            if change.after is None:
                raise InvariantViolated("I9", f"{change.key} of the usage table was deleted")
            if sort_key == DEDUPE and change.before is None:
                touched.add(self._recorded(change.key[0], change.after, step))
            elif sort_key == DEDUPE:
                identity, delta = self._changed_event(change.key[0], change.after, step)
                moved[identity] = delta
            elif sort_key == TOTAL or DAY.fullmatch(sort_key):
                day = f"{name[-7:]}-01" if sort_key == TOTAL else sort_key
                touched.add((name.rpartition("#")[0], day))
            elif sort_key != RECORD and not name.startswith(TRACES):
                raise InvariantViolated("I9", f"an item that nobody knows: {change.key}")
        touched |= self._corrected(changes, moved, step)
        for deployment_id, day in sorted(touched):
            self._compare(deployment_id, date.fromisoformat(day))

    def _recorded(self, partition: str, item: Item, step: int) -> tuple[str, str]:
        """Records the event of a dedupe item; returns the deployment and day where it counts."""
        if int(item["quantity"]["N"]) >= TOO_MUCH:
            raise InvariantViolated("I17", f"an event has more than 12 digits: {item}")
        tenant_id, _, key = partition.partition("#")
        sent = self.books.find((tenant_id, key), item["digest"]["S"])
        if sent is None:
            raise InvariantViolated("I9", f"an event was recorded that nobody sent: {partition}")
        if sent.identity in self.books.recorded:
            raise InvariantViolated("I9", f"{sent.key} was forgotten, and counted once more")
        self.books.record(sent, step)
        self._kept_as_it_stands(sent, item)
        return sent.spot[0], sent.day.isoformat()

    def _changed_event(self, partition: str, item: Item, step: int) -> tuple[Identity, int]:
        """Enters what stands of an event now; returns it, and how much less or more that is."""
        tenant_id, _, key = partition.partition("#")
        sent = self.books.recorded[tenant_id, key]
        quantity = int(item["quantity"]["N"])
        delta = quantity - self.books.standing[sent.identity]
        self.books.standing[sent.identity] = quantity
        if "corrected_by" not in item:
            raise InvariantViolated("I9", f"{sent.key} was recorded once more")
        self.corrections.change(item["corrected_by"]["S"], sent.identity, step)
        self._kept_as_it_stands(sent, item)
        return sent.identity, delta

    def _kept_as_it_stands(self, sent: Sent, item: Item) -> None:
        names = ("deployment_id", "counted_on", "resource_kind", "digest")
        kept = [item[name]["S"] for name in names], int(item["quantity"]["N"])
        deployment_id, day, kind = sent.spot
        stands = self.books.standing[sent.identity]
        if kept != ([deployment_id, day.isoformat(), kind, sent.digest], stands):
            raise InvariantViolated("I9", f"{sent.key} is kept as {kept}")

    def _corrected(
        self, changes: Sequence[ItemChange], moved: Moved, step: int
    ) -> set[tuple[str, str]]:
        """Enters the traces of corrections; returns the deployments and days that they name."""
        traces = [_trace(change, step) for change in changes if change.key[0].startswith(TRACES)]
        for trace in traces:
            self._traced(trace, moved)
        if moved and not traces:
            raise InvariantViolated("I9", f"events changed without a trace: {set(moved)}")
        for change in changes:
            if change.key[1] == RECORD and change.before is not None:
                self._same_use(change.before, change.after)
        return {(trace.deployment_id, trace.day.isoformat()) for trace in traces}

    def _traced(self, trace: CorrectionTrace, moved: Moved) -> None:
        name = f"correction {trace.name} of {trace.deployment_id} on {trace.day}"
        fault = self.corrections.fault(trace, self.books.counted, moved)
        if fault is not None:
            raise InvariantViolated("I9", f"{name}: {fault}")
        taken: Counter[str] = Counter()
        for identity, delta in moved.items():
            taken[self.books.recorded[identity].spot[2]] += delta
        changed = {kind: after - before for kind, (before, after) in trace.changes.items()}
        if self.corrections.of_events(trace.name) and taken != Counter(changed):
            text = f"{name} changed the day by {changed}, its events by {dict(taken)}"
            raise InvariantViolated("I9", text)
        self.corrections.traces[trace.name].append(trace)
        for kind, delta in changed.items():
            self.books.move((trace.deployment_id, trace.day, kind), delta, trace.step)

    def _same_use(self, before: Item, after: Item | None) -> None:
        """Raises I9 if an id is now used for something else."""
        if {**before, "finished_at": None} != {**(after or {}), "finished_at": None}:
            raise InvariantViolated("I9", f"what a correction's id was used for: {after}")

    def _compare(self, deployment_id: str, day: date) -> None:
        name = f"{deployment_id}#{day:%Y-%m}"
        items = self.table.partitions.get(name, {})
        stored = {key: _quantities(item) for key, item in items.items()}
        on_day, total = stored.get(day.isoformat(), Counter()), stored.pop(TOTAL, Counter())
        expected = Counter(
            {
                kind: quantity
                for (where, when, kind), quantity in self.books.counted.items()
                if (where, when) == (deployment_id, day)
            }
        )
        if on_day != expected:
            text = f"usage of {name} on {day} is {dict(on_day)}; recorded: {dict(expected)}"
            raise InvariantViolated("I9", text)
        self._sum_of_days(name, stored, total)

    def _sum_of_days(
        self, name: str, days: Mapping[str, Counter[str]], total: Counter[str]
    ) -> None:
        summed: Counter[str] = Counter()
        for quantities in days.values():
            summed.update(quantities)
        if total != summed:
            text = f"the days of {name} sum to {dict(summed)}, its total is {dict(total)}"
            raise InvariantViolated("I18", text)
        least = min(chain(total.values(), *(day.values() for day in days.values())), default=0)
        if least < 0:
            raise InvariantViolated("I18", f"usage of {name} is below zero: {dict(days)}")
        if max(total.values(), default=0) >= TOO_MUCH:
            raise InvariantViolated("I17", f"{name} has more than 12 digits: {dict(total)}")


def _quantities(item: Item) -> Counter[str]:
    kinds = item.keys() - NO_KINDS
    return Counter({kind: int(item[kind]["N"]) for kind in kinds})


def _trace(change: ItemChange, step: int) -> CorrectionTrace:
    """Reads a trace; raises I9 if it is another than it was."""
    partition, sort_key = change.key
    if change.before is not None or change.after is None:
        raise InvariantViolated("I9", f"the trace {change.key} was written twice")
    day, _, name, _ = sort_key.split("#")
    changes = {
        kind: (int(values["M"]["before"]["N"]), int(values["M"]["after"]["N"]))
        for kind, values in change.after["changes"]["M"].items()
    }
    deployment_id = partition.split("#")[2]
    return CorrectionTrace(step, name, deployment_id, date.fromisoformat(day), changes)
