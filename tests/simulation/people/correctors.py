"""People who take usage back, by the API, and ask again until they are answered.

They correct a day, an event, or events that they give again. A reply may be lost, a request be
made twice at once, and the same be asked for under another id; usage of the same day comes in
meanwhile. A repeat of an id must change nothing, whenever it comes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from tests.simulation.books.corrections import (
    DAY,
    EVENT,
    EVENTS,
    AskedCorrection,
    CorrectionTrace,
    UsageSpot,
)
from tests.simulation.books.model import KINDS, Customer
from tests.simulation.books.usage import TOO_MUCH, Sent
from tests.simulation.people.producers import api_event
from tests.simulation.people.usage_reader import look_at_usage
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.world import World

PROCESSES = 2
WAIT = timedelta(minutes=5)
# How often a request is made again after its answer, under its own id or under another one; and
# how often a change is undone.
AGAIN, ANOTHER, UNDONE = 0.25, 0.2, 0.3
# How often somebody expects what does not stand there.
MISTAKEN = 0.1
FORMS = (DAY, EVENT, EVENTS)
FORM_WEIGHTS = (4, 3, 4)
MOST_EVENTS = 5


@dataclass(slots=True)
class Correctors:
    """Corrections on their way. One is done when it is answered."""

    world: World
    waiting: list[AskedCorrection] = field(default_factory=list)
    # How many more of them people begin with in this month.
    left: int = 0
    posting: int = 0
    not_before: datetime | None = None
    # The ids of those that somebody has interfered with.
    forestalled: set[str] = field(default_factory=set)
    # Tenant and label of months that were corrected, for those who bill them anew.
    corrected: list[tuple[str, str]] = field(default_factory=list)

    def could_send(self) -> bool:
        """Whether there is something to ask for, and nobody waits for the store to come back."""
        patient = self.not_before is not None and self.world.now < self.not_before
        return bool(self.waiting) and self.posting < PROCESSES and not patient

    def begin(self) -> None:
        """Draws a correction of what was used, if anything was."""
        self.left -= 1
        world = self.world
        customers = world.customers
        customer = customers[0] if world.rng.random() < 0.5 else world.rng.choice(customers)
        asked = self.drawn(customer, list(world.books.recorded.values()))
        if asked is not None:
            self.ask(asked)

    def drawn(self, customer: Customer, recorded: list[Sent]) -> AskedCorrection | None:
        """Draws a correction of some of these events of the customer, or of one of their days."""
        rng = self.world.rng
        recorded = [sent for sent in recorded if sent.tenant_id == customer.tenant_id]
        if not recorded:
            return None
        [form] = rng.choices(FORMS, FORM_WEIGHTS)
        # The newest are those whose producers are still at it.
        sent = rng.choice(recorded[-8:] if rng.random() < 0.5 else recorded)
        if form == EVENTS:
            others = rng.sample(recorded, min(len(recorded), rng.randint(0, MOST_EVENTS - 1)))
            events = (sent, *(other for other in others if other is not sent))
            return AskedCorrection(self._name(), form, customer.tenant_id, events=events)
        spot = sent.spot
        if form == DAY and rng.random() < 0.2:
            spot = (*spot[:2], rng.choice(KINDS))
        events = (sent,) if form == EVENT else ()
        stands = self._stands(spot, events)
        expect = stands + (rng.random() < MISTAKEN)
        quantity = rng.choice([n for n in (0, stands // 2, stands + 7, 40) if n != expect])
        return AskedCorrection(
            self._name(), form, customer.tenant_id, spot, expect, quantity, events
        )

    def ask(self, asked: AskedCorrection) -> None:
        """Adds a correction to those that are asked for."""
        self.world.corrections.asked[asked.name] = asked
        self.waiting.append(asked)
        self.world.say(f"to be corrected: {json.dumps(asked.body)}")

    def _name(self) -> str:
        return f"c{len(self.world.corrections.asked)}"

    def _stands(self, spot: UsageSpot, events: tuple[Sent, ...]) -> int:
        """Returns what stands of the event, if it is one, or else of the day."""
        books = self.world.books
        return books.standing[events[0].identity] if events else books.counted[spot]

    def send(self) -> None:
        """Asks for one of them, now and then twice at once."""
        rng = self.world.rng
        asked = rng.choice(self.waiting)
        self._post(asked)
        if rng.random() < AGAIN and self.posting < PROCESSES:
            self._post(asked)

    def _post(self, asked: AskedCorrection) -> None:
        world = self.world
        self.posting += 1
        began_at = world.clock.step

        def done(result: Any, error: BaseException | None) -> None:
            self.posting -= 1
            if error is None and result["statusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
                self._answered(asked, result, began_at)
                self.not_before = None
            else:
                self.not_before = world.now + WAIT

        world.invoke(world.functions.correct, self._request(asked), done, seconds=15)

    def _request(self, asked: AskedCorrection) -> dict[str, Any]:
        now_ms = int(self.world.now.timestamp() * 1000)
        body = json.dumps(asked.body)
        return api_event("platform_admin", now_ms, httpMethod="POST", body=body)

    def interfere(self, name: str) -> None:
        """Somebody is faster than a correction that is about to be written, once for each.

        A copy of it arrives, or another does the same; then what stood on the day is put back, so
        that it looks as if nothing had happened.
        """
        corrections, rng = self.world.corrections, self.world.rng
        if name in self.forestalled or self.world.cloud.down:
            return
        self.forestalled.add(name)
        asked = corrections.asked[name]
        spots = [asked.spot] if asked.spot else [sent.spot for sent in asked.events]
        stood = {spot: self.world.books.counted[spot] for spot in spots}
        if rng.random() < 0.4:
            self._at_once(asked)
        else:
            self._at_once(asked.under(self._name()))
        for spot, before in stood.items():
            now = self.world.books.counted[spot]
            if now != before and rng.random() < 0.7:
                again = AskedCorrection(self._name(), DAY, asked.tenant_id, spot, now, before)
                self._at_once(again)

    def _at_once(self, asked: AskedCorrection) -> None:
        """Makes a request that is handled at once, without faults."""
        world = self.world
        world.corrections.asked[asked.name] = asked
        world.say(f"corrected at once: {json.dumps(asked.body)}")
        began_at = world.clock.step

        def done(answer: Any, error: BaseException | None) -> None:
            if error is not None or answer["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
                errors = world.functions.correct.log.lines
                text = f"a correction failed without a fault: {errors[-1:]} {error}"
                raise InvariantViolated("I9", text)
            self._answered(asked, answer, began_at)

        event = self._request(asked)
        world.finish(world.invoke(world.functions.correct, event, done, steady=True))

    def _answered(self, asked: AskedCorrection, answer: Any, began_at: int) -> None:
        status, body = answer["statusCode"], json.loads(answer["body"])
        made = self.world.corrections.traces.get(asked.name, [])
        if status == HTTPStatus.OK:
            fault = self._fault_of_answer(asked, body, made, began_at)
        else:
            fault = self._fault_of_refusal(asked, made, began_at)
        if fault is not None:
            text = f"correction {asked.name} was answered {status}, but {fault}: {body}"
            raise InvariantViolated("I9", text)
        self.world.say(f"{asked.name} is answered {status}")
        for trace in made[:1]:
            look_at_usage(self.world, trace.deployment_id, trace.day)
        if asked in self.waiting:
            self.waiting.remove(asked)
            self._go_on(asked, status)

    def _fault_of_answer(
        self, asked: AskedCorrection, body: Any, made: list[CorrectionTrace], began_at: int
    ) -> str | None:
        """Returns what is wrong with an answer that says that all is done.

        Of a list of events, a copy of the request may have done more since a day was looked at.
        """
        told = [
            (day["deployment_id"], day["day"], _figures(day["changes"])) for day in body["days"]
        ]
        unsaid = [trace for trace in made if trace.told not in told]
        if len(told) + len(unsaid) != len(made) or (not told and asked.form != EVENTS):
            return f"what was changed is {made}"
        if any(trace.step <= began_at or asked.form != EVENTS for trace in unsaid):
            return f"it does not tell of {unsaid}"
        if asked.form != EVENTS and made[0].step <= began_at and not body["repeated"]:
            return "it was a repeat"
        changed, last = self.world.corrections.changed[asked.name], self.world.corrections.last
        for sent, result in zip(asked.events, body["results"], strict=False):
            corrected, at = result["outcome"] == "corrected", changed.get(sent.identity)
            # Another correction may have made something of it again since.
            before = at is not None and at <= began_at and at == last[sent.identity]
            if result["id"] != sent.document["id"] or not before <= corrected <= (at is not None):
                return f"{sent.key} was changed at {at}"
        return None

    def _fault_of_refusal(
        self, asked: AskedCorrection, made: list[CorrectionTrace], began_at: int
    ) -> str | None:
        """Returns what is wrong with a refusal: it was made, or nothing stood in its way."""
        if made:
            return "it was made"
        if asked.spot is None:
            return "a list of events is answered one by one"
        books, (deployment_id, day, kind) = self.world.books, asked.spot
        label = f"{day:%Y-%m}"
        if len(books.moments(deployment_id, label, kind, began_at)) > 1:
            return None
        more = asked.quantity - asked.expect
        total = books.most(deployment_id, label, kind, began_at)
        stands = self._stands(asked.spot, asked.events)
        if any(sent.identity in books.forgotten for sent in asked.events):
            return None
        if stands != asked.expect or books.counted[asked.spot] + more < 0:
            return None
        return None if total + more >= TOO_MUCH else "nothing stood in its way"

    def _go_on(self, asked: AskedCorrection, status: int) -> None:
        """What people do after the first answer to a correction."""
        world = self.world
        if status == HTTPStatus.OK:
            spots = [asked.spot] if asked.spot else [sent.spot for sent in asked.events]
            self.corrected += [(asked.tenant_id, f"{day:%Y-%m}") for _, day, _ in spots]
            if asked.spot is not None and world.rng.random() < UNDONE:
                self.ask(asked.undone(self._name()))
        if world.rng.random() < ANOTHER:
            self.ask(asked.under(self._name()))
        if world.rng.random() < AGAIN:
            # A copy of the request is still on its way.
            self._post(asked)


def _figures(changes: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[int, int]]:
    return {
        kind: (int(figures["before"]), int(figures["after"])) for kind, figures in changes.items()
    }
