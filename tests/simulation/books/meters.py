"""The meters of the simulation's customers. They do not know what anybody pays for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from random import Random
from zoneinfo import ZoneInfo

from invoicing.usage.usage_event import UsageEvent
from tests.simulation.books.model import KINDS, Customer, Month
from tests.simulation.books.usage import TOO_MUCH, Sent

SOURCES = ("meter-a", "meter-b")
KIND_WEIGHTS = (4, 4, 2)
QUANTITIES = (1, 2, 5, 30, 90)
# The most that an event may have and a little less; one more than that, and what broke a month.
EXTREMES = (TOO_MUCH - 1, TOO_MUCH - 1, TOO_MUCH - 90, TOO_MUCH, 10**19 - 1)
EXTREME_SEEDS, EXTREME = 0.3, 0.15
# How often a meter runs on a day that no subscription has, if some days are billed, or if none is.
STRAY, STRAY_ALONE = 0.15, 0.5

type Spot = tuple[str, date]
"""A deployment and a day."""


class Meters:
    """Makes usage events with whole quantities; a few share an id but not the quantity."""

    def __init__(self, rng: Random, zone: ZoneInfo) -> None:
        self._rng, self._zone = rng, zone
        self._extreme = EXTREME if rng.random() < EXTREME_SEEDS else 0.0
        self._number = 0

    def month(self, customer: Customer, month: Month, count: int) -> Iterator[Sent]:
        """Draws events of a customer's month, now and then on days that are not billed."""
        billed: list[Spot] = []
        stray: list[Spot] = []
        for deployment_id, segments in customer.deployments.items():
            for day in month.days:
                active = any(segment.active(day) for segment in segments)
                (billed if active else stray).append((deployment_id, day))
        for _ in range(count):
            spot = self._spot(billed, stray)
            if spot is None:
                continue
            self._number += 1
            sent = self._event(customer.tenant_id, *spot)
            yield sent
            if self._rng.random() < 0.1:
                yield self._other_content(sent)

    def _spot(self, billed: list[Spot], stray: list[Spot]) -> Spot | None:
        rng = self._rng
        if stray and rng.random() < (STRAY if billed else STRAY_ALONE):
            return rng.choice(stray)
        return rng.choice(billed) if billed else None

    def _event(self, tenant_id: str, deployment_id: str, day: date) -> Sent:
        rng = self._rng
        # The first and last second of a day are where a wrong zone shows.
        moment = rng.choice((time(0, 0, 0), time(23, 59, 59), time(12, 0, 0)))
        occurred = datetime.combine(day, moment, tzinfo=self._zone)
        if rng.random() < 0.5:
            occurred = occurred.astimezone(UTC)
        extreme = self._extreme and rng.random() < self._extreme
        [kind] = rng.choices(KINDS, KIND_WEIGHTS)
        event = {
            "id": f"e{self._number}",
            "source": rng.choice(SOURCES),
            "deployment_id": deployment_id,
            "resource_kind": kind,
            "quantity": str(rng.choice(EXTREMES if extreme else QUANTITIES)),
            "occurred_at": occurred.isoformat(),
        }
        return _sent(tenant_id, event, day)

    def _other_content(self, sent: Sent) -> Sent:
        quantity = str(sent.quantity + self._rng.randint(1, 9))
        return _sent(sent.tenant_id, sent.document | {"quantity": quantity}, sent.day)


def _sent(tenant_id: str, event: dict[str, str], day: date) -> Sent:
    acceptable = int(event["quantity"]) < TOO_MUCH
    digest = UsageEvent.model_validate(event).digest if acceptable else ""
    return Sent(tenant_id, event, day, digest)
