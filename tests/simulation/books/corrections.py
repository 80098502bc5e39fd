"""Corrections as the simulation's people ask for them, and what the store's traces say of each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from tests.simulation.books.usage import Identity, Sent

DAY, EVENT, EVENTS = "day", "event", "events"

type UsageSpot = tuple[str, date, str]
"""A deployment, a day and a kind."""


@dataclass(frozen=True, slots=True)
class AskedCorrection:
    """A correction under one id. `spot` is what it changes, `events` those that it takes back.

    A list of events has no spot, and neither expects nor sets a quantity.
    """

    name: str
    form: str
    tenant_id: str
    spot: UsageSpot | None = None
    expect: int = 0
    quantity: int = 0
    events: tuple[Sent, ...] = ()

    def under(self, name: str) -> "AskedCorrection":
        """Returns the same content under another id."""
        return replace(self, name=name)

    def undone(self, name: str) -> "AskedCorrection":
        """Returns the correction that puts back what this one changed."""
        return replace(self, name=name, expect=self.quantity, quantity=self.expect)

    @property
    def body(self) -> dict[str, Any]:
        """The body of the request."""
        asked: dict[str, Any] = {"id": self.name, "reason": "simulated"}
        if self.spot is None:
            return asked | {EVENTS: [sent.document for sent in self.events]}
        deployment_id, day, kind = self.spot
        content = {
            "deployment_id": deployment_id,
            "expect": str(self.expect),
            "quantity": str(self.quantity),
        }
        if self.form == DAY:
            return asked | {DAY: content | {"resource_kind": kind, "day": day.isoformat()}}
        [sent] = self.events
        named = {name: sent.document[name] for name in ("source", "id")}
        return asked | {EVENT: content | named}


@dataclass(frozen=True, slots=True)
class CorrectionTrace:
    """What one transaction of a correction changed on a day: before and after, by kind."""

    step: int
    name: str
    deployment_id: str
    day: date
    changes: Mapping[str, tuple[int, int]]

    @property
    def told(self) -> tuple[str, str, dict[str, tuple[int, int]]]:
        """The deployment, the day and the changes, as an answer tells them."""
        return self.deployment_id, self.day.isoformat(), dict(self.changes)


@dataclass(slots=True)
class CorrectionBook:
    """The corrections that were asked for by id, and what was made of each."""

    asked: dict[str, AskedCorrection] = field(default_factory=dict)
    traces: dict[str, list[CorrectionTrace]] = field(default_factory=lambda: defaultdict(list))
    # The events that a correction changed, by its id, with the step at which it did.
    changed: dict[str, dict[Identity, int]] = field(default_factory=lambda: defaultdict(dict))

    # The step at which each event was last changed by any of them.
    last: dict[Identity, int] = field(default_factory=dict)

    def change(self, name: str, identity: Identity, step: int) -> None:
        """Notes that a correction changed an event."""
        self.changed[name][identity] = self.last[identity] = step

    def of_events(self, name: str) -> bool:
        """Whether the correction with this id changes events, and not just a day."""
        return self.asked[name].form != DAY

    def fault(
        self, trace: CorrectionTrace, counted: Mapping[UsageSpot, int], moved: Iterable[Identity]
    ) -> str | None:
        """Returns what is wrong with a trace before it is entered, or None.

        `counted` is what stood before it. `moved` are the events that its transaction changed.
        """
        asked = self.asked.get(trace.name)
        if asked is None:
            return "nobody asked for it"
        for kind, (before, _) in trace.changes.items():
            stood = counted[trace.deployment_id, trace.day, kind]
            if stood != before:
                return f"{kind} of {trace.day} stood at {stood}, it says {before}"
        if asked.spot is not None:
            return self._fault_of_single(trace, asked)
        left = set(moved) - {sent.identity for sent in asked.events}
        return f"it was not to change {left}" if left else None

    def _fault_of_single(self, trace: CorrectionTrace, asked: AskedCorrection) -> str | None:
        """Returns what is wrong with the trace of a correction of one day or event, or None."""
        if self.traces.get(trace.name):
            return "it was made twice"
        changes = {
            (trace.deployment_id, trace.day, kind): trace.changes[kind] for kind in trace.changes
        }
        if asked.spot is None or set(changes) != {asked.spot}:
            return f"it was to change {asked.spot}"
        before, after = changes[asked.spot]
        if after - before != asked.quantity - asked.expect:
            return f"it was to make {asked.quantity} of {asked.expect}"
        if asked.form == DAY and before != asked.expect:
            return f"it expected {asked.expect}"
        return None
