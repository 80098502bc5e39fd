"""Invocations of `start_month_end` by the schedule, by hand and by itself, tried three times."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.aws.faults import Fault
from tests.simulation.books.model import Month
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.functions import Function
from tests.simulation.world.world import World

RETRIES = 2
RETRY_AFTER = timedelta(minutes=1)
TWICE = 0.08
BY_HAND = "a message made by hand"


@dataclass(slots=True)
class Start:
    """An asynchronous event for the function; `refused` if its run must not happen."""

    event: dict[str, Any]
    not_before: datetime
    tries: int = 0
    refused: bool = False
    # The sweep that it starts, if any; None: `start_month_end`.
    sweep: Function | None = None


@dataclass(slots=True)
class Starts:
    """Events waiting for an invocation, and those that failed for good (dead letters)."""

    world: World
    waiting: list[Start] = field(default_factory=list)
    dead: list[Start] = field(default_factory=list)
    running: int = 0
    runs: int = 0

    def schedule(self, month: Month) -> None:
        """Fires the schedule for the month: EventBridge does so at least once."""
        self.runs += 1
        now = self.world.now
        event = {
            "id": f"scheduled-{month.label}-{self.runs}",
            "detail-type": "Scheduled Event",
            "time": now.isoformat(),
        }
        self._add(event)
        self.world.say(f"the schedule fires for {month.label}")

    def by_hand(self, month: Month, tenant_ids: list[str] | None = None, **more: Any) -> None:
        """Starts a run as an operator does."""
        event: dict[str, Any] = {"period": month.label, **more}
        if tenant_ids is not None:
            event["tenant_ids"] = tenant_ids
        self.world.say(f"by hand: {json.dumps(event)}")
        self._add(event)

    def sweep(self) -> None:
        """Starts the hourly sweep: whoever is due and has no invoice gets a message."""
        self._sweep(self.world.functions.sweep)

    def sweep_late(self) -> None:
        """Starts the daily sweep, which finds out what usage waits."""
        self._sweep(self.world.functions.sweep_late)

    def _sweep(self, function: Function) -> None:
        now = self.world.now.isoformat()
        event = {"id": f"sweep-{self.runs}", "detail-type": "Scheduled Event", "time": now}
        self.world.say(f"the schedule of {function.name}")
        self.waiting.append(Start(event, self.world.now, sweep=function))

    def of_open_month(self, month: Month) -> None:
        """Starts a run of a month that is not over, which must be refused."""
        self.world.say(f"by hand, too early: {month.label}")
        self.waiting.append(Start({"period": month.label}, self.world.now, refused=True))

    def _add(self, event: dict[str, Any]) -> None:
        world = self.world
        self.waiting.append(Start(event, world.now))
        if world.cloud.faults.on and world.rng.random() < TWICE:
            world.count(Fault.DELIVERED_TWICE, "start")
            self.waiting.append(Start(event, world.now))

    def take_continuations(self) -> None:
        """Queues what the function handed over to its own next invocation."""
        for event in self.world.cloud.invoked:
            self._add(event)
        self.world.cloud.invoked.clear()

    def due(self) -> list[Start]:
        """Returns the events that could be handed over now."""
        return [start for start in self.waiting if start.not_before <= self.world.now]

    def invoke(self) -> None:
        """Invokes a function with one of the events that are due."""
        world = self.world
        start = world.rng.choice(self.due())
        self.waiting.remove(start)
        self.running += 1

        def done(result: Any, error: BaseException | None) -> None:
            self.running -= 1
            if error is not None:
                self._failed(start, error)
            elif start.refused:
                raise InvariantViolated("I10", f"an open month was started: {result}")
            elif start.sweep is not None:
                world.say(f"swept: {result}")
            elif result["complete"]:
                self._complete(start, result)

        function = start.sweep or world.functions.start
        world.invoke(function, start.event, done, seconds=900 if start.sweep else 300)

    def _failed(self, start: Start, error: BaseException) -> None:
        self.world.say(f"start failed: {error!r:.200}")
        if start.refused:
            self._nothing_sent(start)
        elif start.tries < RETRIES:
            start.tries += 1
            start.not_before = self.world.now + RETRY_AFTER
            self.waiting.append(start)
        else:
            self.dead.append(start)

    def _complete(self, start: Start, result: dict[str, Any]) -> None:
        """I8: a run that calls itself complete has sent a message for each of its tenants."""
        named = start.event.get("tenant_ids")
        wanted = named if named else [customer.tenant_id for customer in self.world.customers]
        sent = {body["tenant_id"] for body in self._sent() if body["run_id"] == result["run_id"]}
        missing = sorted(set(wanted) - sent)
        if missing:
            text = f"run {result['run_id']} calls itself complete without {', '.join(missing)}"
            raise InvariantViolated("I8", text)

    def _sent(self) -> list[dict[str, Any]]:
        """Returns the bodies of all runs' messages, without those made by hand."""
        bodies = self.world.rollups.bodies
        return [json.loads(body) for body in bodies if BY_HAND not in body and body[0] == "{"]

    def _nothing_sent(self, start: Start) -> None:
        label = start.event["period"]
        if any(body["period"] == label for body in self._sent()):
            raise InvariantViolated("I10", f"messages were sent for {label}, which is open")
