"""The simulation's own books: the usage that was sent, and what is recorded of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from invoicing.usage.usage_event import UsageEvent
from tests.simulation.books.model import KINDS, Customer, Month

SOURCES = ("meter-a", "meter-b")
COUNTED = ("accepted", "duplicate")


@dataclass(frozen=True, slots=True)
class Sent:
    """One event as it was sent; `day` is its day in the billing zone."""

    tenant_id: str
    document: dict[str, str]
    day: date
    # The product's own digest of the content: used to tell contents apart, for nothing else.
    digest: str

    @property
    def key(self) -> str:
        """The identity of the event within the tenant."""
        return f"{self.document['source']}#{self.document['id']}"

    @property
    def quantity(self) -> int:
        """The quantity used."""
        return int(self.document["quantity"])

    @property
    def spot(self) -> tuple[str, date, str]:
        """The deployment, day and kind for which the event counts."""
        return self.document["deployment_id"], self.day, self.document["resource_kind"]


@dataclass(slots=True)
class Books:
    """All events by identity (several contents are a conflict), and which content is recorded."""

    contents: dict[tuple[str, str], list[Sent]] = field(default_factory=lambda: defaultdict(list))
    recorded: dict[tuple[str, str], Sent] = field(default_factory=dict)
    # Events in the order of recording, each with its step: what was known when.
    history: list[tuple[int, Sent]] = field(default_factory=list)

    def add(self, sent: Sent) -> None:
        """Adds an event that will be sent."""
        known = self.contents[sent.tenant_id, sent.key]
        if sent.digest not in [event.digest for event in known]:
            known.append(sent)

    def find(self, tenant_id: str, key: str, digest: str) -> Sent | None:
        """Returns the event with this content, or None if it was never sent."""
        known = self.contents.get((tenant_id, key), [])
        return next((event for event in known if event.digest == digest), None)

    def record(self, sent: Sent, step: int) -> None:
        """Notes that the store holds this event from this step on."""
        self.recorded[sent.tenant_id, sent.key] = sent
        self.history.append((step, sent))

    def days(
        self, tenant_id: str, deployment_id: str, until: int | None = None
    ) -> dict[tuple[date, str], int]:
        """Returns a deployment's recorded usage by day and kind, as known at step `until`."""
        quantities: dict[tuple[date, str], int] = defaultdict(int)
        for step, sent in self.history:
            name, day, kind = sent.spot
            matches = sent.tenant_id == tenant_id and name == deployment_id
            if matches and (until is None or step <= until):
                quantities[day, kind] += sent.quantity
        return quantities

    def unanswered(self) -> Iterator[Sent]:
        """Yields the events of which no content is recorded yet."""
        for identity, known in self.contents.items():
            if identity not in self.recorded:
                yield from known


class Meters:
    """Makes usage events with whole quantities; a few share an id but not the quantity."""

    def __init__(self, rng: Random, zone: ZoneInfo) -> None:
        self._rng, self._zone = rng, zone
        self._number = 0

    def month(self, customer: Customer, month: Month, count: int) -> Iterator[Sent]:
        """Draws events of a customer on billed days of the month."""
        spots = [
            (deployment_id, day)
            for deployment_id, segments in customer.deployments.items()
            for day in month.days
            if any(segment.active(day) for segment in segments)
        ]
        for _ in range(count if spots else 0):
            deployment_id, day = self._rng.choice(spots)
            self._number += 1
            sent = self._event(customer.tenant_id, deployment_id, day)
            yield sent
            if self._rng.random() < 0.1:
                yield self._other_content(sent)

    def _event(self, tenant_id: str, deployment_id: str, day: date) -> Sent:
        # The first and last second of a day are where a wrong zone shows.
        moment = self._rng.choice((time(0, 0, 0), time(23, 59, 59), time(12, 0, 0)))
        occurred = datetime.combine(day, moment, tzinfo=self._zone)
        if self._rng.random() < 0.5:
            occurred = occurred.astimezone(UTC)
        event = {
            "id": f"e{self._number}",
            "source": self._rng.choice(SOURCES),
            "deployment_id": deployment_id,
            "resource_kind": self._rng.choice(KINDS),
            "quantity": str(self._rng.choice((1, 2, 5, 30, 90))),
            "occurred_at": occurred.isoformat(),
        }
        return self._sent(tenant_id, event, day)

    def _other_content(self, sent: Sent) -> Sent:
        quantity = str(sent.quantity + self._rng.randint(1, 9))
        return self._sent(sent.tenant_id, sent.document | {"quantity": quantity}, sent.day)

    def _sent(self, tenant_id: str, event: dict[str, str], day: date) -> Sent:
        return Sent(tenant_id, event, day, UsageEvent.model_validate(event).digest)


def too_old_after(sent: Sent) -> datetime:
    """Returns the last moment at which the event is not refused for its age (90 days)."""
    return datetime.fromisoformat(sent.document["occurred_at"]) + timedelta(days=90)


def judge(sent: Sent, outcome: str, books: Books) -> str | None:
    """Returns what is wrong with the answer to an event, or None."""
    recorded: Any = books.recorded.get((sent.tenant_id, sent.key))
    if recorded is None:
        return f"{sent.key} answered {outcome}, but nothing is recorded under its id"
    same_content = recorded.digest == sent.digest
    if (outcome in COUNTED) != same_content or outcome not in (*COUNTED, "conflict"):
        return f"{sent.key} of {sent.quantity} answered {outcome}; recorded: {recorded.quantity}"
    return None
