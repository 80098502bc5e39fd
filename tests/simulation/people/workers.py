"""Lambda reading queues: batches go to workers, failures stay, what was handled is deleted."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.aws.faults import Fault
from tests.simulation.aws.queues import Message, Queue
from tests.simulation.aws.tables import ItemChange
from tests.simulation.checks.ledger import month_of
from tests.simulation.people.starts import BY_HAND
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.functions import Function
from tests.simulation.world.world import World

TWICE = 0.15

type Handled = Callable[[Message], None]


@dataclass(slots=True)
class QueueReader:
    """Delivers one queue to some processes; `handled` looks at each message before it goes."""

    world: World
    queue: Queue
    functions: Iterable[Function]
    handled: Handled
    busy: set[int] = field(default_factory=set)

    def idle(self) -> list[Function]:
        """The processes that wait for a batch."""
        return [each for each in self.functions if id(each) not in self.busy]

    def could_deliver(self) -> bool:
        """Whether there is a message to read and somebody to read it."""
        return bool(self.idle() and self.queue.visible(self.world.now))

    def deliver(self) -> None:
        """Hands a batch to an idle process."""
        world, function = self.world, world_choice(self.world, self.idle())
        twice = world.cloud.faults.on and world.rng.random() < TWICE
        batch = self.queue.receive(world.now, twice=twice)
        if not batch:
            return
        if twice:
            world.count(Fault.DELIVERED_TWICE, self.queue.name)
        self.busy.add(id(function))
        event = {"Records": [message.record() for message in batch]}
        named = ", ".join(message.message_id for message in batch)
        world.say(f"{function.name} gets {named}{' (and again)' if twice else ''}")

        def done(result: Any, error: BaseException | None) -> None:
            self.busy.discard(id(function))
            if error is None:
                self._delete(batch, result)

        world.invoke(function, event, done).batch = batch

    def _delete(self, batch: list[Message], result: Any) -> None:
        failed = {each["itemIdentifier"] for each in result["batchItemFailures"]}
        names = {message.message_id for message in batch}
        if not failed <= names:
            raise InvariantViolated("I8", f"failures {failed} of a batch of {names}")
        for message in batch:
            if message.message_id not in failed:
                self.handled(message)
                self.queue.delete(message)


def world_choice[T](world: World, found: list[T]) -> T:
    """One of these, by the seed."""
    return world.rng.choice(found)


@dataclass(slots=True)
class Rollups:
    """What the rollup's messages and log lines must amount to."""

    world: World
    outcomes: Counter[str] = field(default_factory=Counter)
    _written: set[tuple[str, str, int]] = field(default_factory=set)
    _told: set[tuple[Any, ...]] = field(default_factory=set)

    def handled(self, message: Message) -> None:
        """I8: a message may only be forgotten once its tenant's month is settled."""
        self.read_logs()
        if BY_HAND in message.body:
            raise InvariantViolated("I8", f"taken as done: {message.body}")
        body = json.loads(message.body)
        tenant_id, label = body["tenant_id"], body["period"]
        if body.get("dry_run"):
            return
        if (tenant_id, label) in self.world.invariants.standing:
            return
        if self.world.customer(tenant_id).billed_in(month_of(label)):
            text = f"the message of {tenant_id} for {label} is gone, and there is no invoice"
            raise InvariantViolated("I8", text)

    def look(self, _: Sequence[ItemChange]) -> None:
        """A dry run writes no invoice."""
        writer = self.world.cloud.writer
        letters = [each.body for each in writer.batch] if writer else []
        bodies = [json.loads(body) for body in letters if BY_HAND not in body]
        for document in self.world.invariants.new:
            key = document.tenant_id, document.label
            mine = [each for each in bodies if (each["tenant_id"], each["period"]) == key]
            if mine and all(each.get("dry_run") for each in mine):
                raise InvariantViolated("I8", f"a dry run wrote an invoice: {key}")

    def read_logs(self) -> None:
        """I1: of each revision one worker alone says that it wrote it. I8: failures say why."""
        for function in self.world.functions.rollups:
            lines = function.log.lines
            for message, said, error in lines:
                outcome = said.get("outcome")
                if outcome is None:
                    continue
                self.outcomes[outcome] += 1
                if outcome == "failed" and not said.get("reason"):
                    raise InvariantViolated("I8", f"{message}: without a reason")
                self.world.say(f"{function.name}: {_words(said)}{_cause(error)}")
                if said.get("dry_run"):
                    continue
                if outcome in ("rolled", "replaced"):
                    self._wrote(said)
                self._recognised(function, said)
            lines.clear()

    def _wrote(self, said: Any) -> None:
        key = said["tenant_id"], said["period"], said["revision"]
        if key in self._written:
            raise InvariantViolated("I1", f"two workers say that they wrote {key}")
        self._written.add(key)

    def _recognised(self, function: Function, said: Any) -> None:
        """I1: who has written an invoice and lost the reply does not take it for another's."""
        process = next(
            each.strand.process for each in self.world.running if each.function is function
        )
        key = said.get("tenant_id"), said.get("period")
        first = (process.name, *key) not in self._told
        self._told.add((process.name, *key))
        standing = self.world.invariants.standing.get(key)
        if said["outcome"] != "skipped" or standing is None or not first:
            return
        if self.world.invariants.writers.get(standing.attempt) is process:
            raise InvariantViolated("I1", f"{process.name} does not know its own invoice of {key}")


def _words(said: Any) -> str:
    words = (said.get(name) for name in ("tenant_id", "period", "outcome", "reason"))
    return " ".join(str(word) for word in words if word)


def _cause(error: BaseException | None) -> str:
    return "" if error is None or error.__cause__ is None else f" [{error.__cause__!r:.200}]"
