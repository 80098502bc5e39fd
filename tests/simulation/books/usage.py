"""The simulation's own books: the usage that was sent, and what is recorded of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tests.simulation.books.model import KINDS

COUNTED = ("accepted", "duplicate")
# An event, and a month's total of a kind, are less than this: at most 12 digits.
TOO_MUCH = 10**12

type Identity = tuple[str, str]
"""A tenant, and the identity of an event within it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it was sent; `day` is its day in the billing zone."""

    tenant_id: str
    document: dict[str, str]
    day: date
    # The product's own digest of the content: used to tell contents apart, for nothing else.
    # Empty if the quantity has too many digits, so that no content like this may be recorded.
    digest: str

    @property
    def key(self) -> str:
        """The identity of the event within the tenant."""
        return f"{self.document['source']}#{self.document['id']}"

    @property
    def identity(self) -> Identity:
        """The identity of the event among those of all tenants."""
        return self.tenant_id, self.key

    @property
    def quantity(self) -> int:
        """The quantity used."""
        return int(self.document["quantity"])

    @property
    def acceptable(self) -> bool:
        """Whether the quantity has few enough digits."""
        return self.quantity < TOO_MUCH

    @property
    def spot(self) -> tuple[str, date, str]:
        """The deployment, day and kind for which the event counts."""
        return self.document["deployment_id"], self.day, self.document["resource_kind"]


@dataclass(frozen=True, slots=True)
class Movement:
    """By how much a day's quantity of a kind changed at a step."""

    step: int
    day: date
    kind: str
    delta: int


@dataclass(slots=True)
class Books:
    """All events by identity (several contents are a conflict), and which content is recorded."""

    contents: dict[Identity, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    recorded: dict[Identity, Sent] = field(default_factory=dict)
    # Contents that were rejected, each with its digest: a total had no room for them.
    rejected: set[tuple[Identity, str]] = field(default_factory=set)
    # Events that are too old to be accepted, and not kept any more.
    forgotten: set[Identity] = field(default_factory=set)
    # In order, by deployment and label of the month: what counted when.
    movements: dict[tuple[str, str], list[Movement]] = field(
        default_factory=lambda: defaultdict(list)
    )
    # What counts now, by deployment, day and kind; and what stands of each event.
    counted: Counter[tuple[str, date, str]] = field(default_factory=Counter)
    standing: dict[Identity, int] = field(default_factory=dict)

    def add(self, sent: Sent) -> None:
        """Adds an event that will be sent; one that must be rejected is none of these books."""
        if not sent.acceptable:
            return
        known = self.contents[sent.identity]
        if sent.digest not in [event.digest for event in known]:
            known.append(sent)

    def find(self, identity: Identity, digest: str) -> Sent | None:
        """Returns the event with this content, or None if it was never sent."""
        known = self.contents.get(identity, [])
        return next((event for event in known if event.digest == digest), None)

    def record(self, sent: Sent, step: int) -> None:
        """Notes that the store holds this event from this step on."""
        self.recorded[sent.identity] = sent
        self.standing[sent.identity] = sent.quantity
        self.move(sent.spot, sent.quantity, step)

    def move(self, spot: tuple[str, date, str], delta: int, step: int) -> None:
        """Notes that from this step on, more or less counts of a deployment, day and kind."""
        deployment_id, day, kind = spot
        movements = self.movements[deployment_id, _label(day)]
        movements.append(Movement(step, day, kind, delta))
        self.counted[spot] += delta

    def days(
        self, deployment_id: str, label: str, kind: str, until: int | None = None
    ) -> dict[date, int]:
        """Returns a month's usage of one kind by day, as known at step `until`."""
        quantities: dict[date, int] = defaultdict(int)
        for move in self.movements.get((deployment_id, label), ()):
            if move.kind == kind and (until is None or move.step <= until):
                quantities[move.day] += move.delta
        return quantities

    def moments(self, deployment_id: str, label: str, kind: str, since: int) -> list[int]:
        """Returns this step and all later ones at which a month's usage of a kind changed."""
        movements = self.movements.get((deployment_id, label), ())
        later = {move.step for move in movements if move.kind == kind and move.step > since}
        return [since, *sorted(later)]

    def most(self, deployment_id: str, label: str, kind: str, since: int) -> int:
        """Returns the highest total of a month and kind at this step, or since."""
        return max(
            sum(self.days(deployment_id, label, kind, step).values())
            for step in self.moments(deployment_id, label, kind, since)
        )

    def much_in(self, deployment_ids: Iterable[str], label: str) -> bool:
        """Whether some kind of usage of these deployments in a month has nearly all its digits."""
        return any(
            sum(self.days(deployment_id, label, kind).values()) * 10 >= TOO_MUCH
            for deployment_id in deployment_ids
            for kind in KINDS
        )

    def reject(self, sent: Sent, since: int) -> bool:
        """Notes that an event was rejected; returns whether it was too much at any time since.

        It is too much by itself, or for its month's total.
        """
        deployment_id, day, kind = sent.spot
        self.rejected.add((sent.identity, sent.digest))
        return sent.quantity + self.most(deployment_id, _label(day), kind, since) >= TOO_MUCH

    def unanswered(self) -> Iterator[Sent]:
        """Yields the contents that were not rejected, of events of which none is recorded yet."""
        for identity, known in self.contents.items():
            if identity not in self.recorded:
                yield from (s for s in known if (identity, s.digest) not in self.rejected)


def too_old_after(sent: Sent) -> datetime:
    """Returns the last moment at which the event is not refused for its age (90 days)."""
    return datetime.fromisoformat(sent.document["occurred_at"]) + timedelta(days=90)


def judge(sent: Sent, outcome: str, books: Books) -> str | None:
    """Returns what is wrong with the answer to an event that was not rejected, or None."""
    recorded: Any = books.recorded.get(sent.identity)
    if recorded is None:
        return f"{sent.key} answered {outcome}, but nothing is recorded under its id"
    same_content = recorded.digest == sent.digest
    if (outcome in COUNTED) != same_content or outcome not in (*COUNTED, "conflict"):
        return f"{sent.key} of {sent.quantity} answered {outcome}; recorded: {recorded.quantity}"
    return None


def _label(day: date) -> str:
    return f"{day.year}-{day.month:02}"
