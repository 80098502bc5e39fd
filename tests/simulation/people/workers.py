"""Lambda reading queues: batches go to workers, handled messages are deleted, failures stay."""

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
    """Delivers one queue to some processes. `handled` checks each message before its deletion."""

    world: World
    queue: Queue
    functions: Iterable[Function]
    handled: Handled
    busy: set[int] = field(default_factory=set)

    def idle(self) -> list[Function]:
        """Returns the processes that wait for a batch."""
        return [function for function in self.functions if id(function) not in self.busy]

    def could_deliver(self) -> bool:
        """Whether there is a visible message, and an idle process for it."""
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
        failed = {failure["itemIdentifier"] for failure in result["batchItemFailures"]}
        names = {message.message_id for message in batch}
        if not failed <= names:
            raise InvariantViolated("I8", f"failures {failed} of a batch of {names}")
        for message in batch:
            if message.message_id not in failed:
                self.handled(message)
                self.queue.delete(message)


def world_choice[T](world: World, items: list[T]) -> T:
    """Draws one of these items."""
    return world.rng.choice(items)


@dataclass(slots=True)
class Rollups:
    """Checks the rollup's messages and log lines, and counts its outcomes."""

    world: World
    outcomes: Counter[str] = field(default_factory=Counter)
    _written: set[tuple[str, str, int]] = field(default_factory=set)
    _reported: set[tuple[Any, ...]] = field(default_factory=set)

    def handled(self, message: Message) -> None:
        """I8: a message may only be deleted once its tenant's month is settled."""
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
        texts = [message.body for message in writer.batch] if writer else []
        bodies = [json.loads(body) for body in texts if BY_HAND not in body]
        for invoice in self.world.invariants.new:
            key = invoice.tenant_id, invoice.label
            sent_for_it = [body for body in bodies if (body["tenant_id"], body["period"]) == key]
            if sent_for_it and all(body.get("dry_run") for body in sent_for_it):
                raise InvariantViolated("I8", f"a dry run wrote an invoice: {key}")

    def read_logs(self) -> None:
        """I1: only one worker reports that it wrote a revision. I8: failures give a reason."""
        for function in self.world.functions.rollups:
            lines = function.log.lines
            for message, fields, error in lines:
                outcome = fields.get("outcome")
                if outcome is None:
                    continue
                self.outcomes[outcome] += 1
                if outcome == "failed" and not fields.get("reason"):
                    raise InvariantViolated("I8", f"{message}: without a reason")
                self.world.say(f"{function.name}: {_words(fields)}{_cause(error)}")
                if fields.get("dry_run"):
                    continue
                if outcome in ("rolled", "replaced"):
                    self._wrote(fields)
                self._recognised(function, fields)
            lines.clear()

    def _wrote(self, fields: Any) -> None:
        key = fields["tenant_id"], fields["period"], fields["revision"]
        if key in self._written:
            raise InvariantViolated("I1", f"two workers say that they wrote {key}")
        self._written.add(key)

    def _recognised(self, function: Function, fields: Any) -> None:
        """I1: a worker that wrote an invoice and lost the reply recognises it as its own."""
        process = next(
            running.strand.process
            for running in self.world.running
            if running.function is function
        )
        key = fields.get("tenant_id"), fields.get("period")
        first = (process.name, *key) not in self._reported
        self._reported.add((process.name, *key))
        standing = self.world.invariants.standing.get(key)
        if fields["outcome"] != "skipped" or standing is None or not first:
            return
        if self.world.invariants.writers.get(standing.attempt) is process:
            raise InvariantViolated("I1", f"{process.name} does not know its own invoice of {key}")


def _words(fields: Any) -> str:
    words = (fields.get(name) for name in ("tenant_id", "period", "outcome", "reason"))
    return " ".join(str(word) for word in words if word)


def _cause(error: BaseException | None) -> str:
    return "" if error is None or error.__cause__ is None else f" [{error.__cause__!r:.200}]"
