"""The story of one seed: usage and month-ends under faults; then the faults stop, and all is well.

One `random.Random` decides whose turn it is, which message is delivered, what fails and what
people do. The functions that ship run over an AWS of plain dictionaries, one AWS call at a time.
docs/reliability.md says what is broken on purpose and what must hold.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.simulation.aws.faults import Fault
from tests.simulation.books.model import Month
from tests.simulation.people.correctors import Correctors
from tests.simulation.people.lifecycle import Lifecycle
from tests.simulation.people.operators import Operators
from tests.simulation.people.producers import Producers
from tests.simulation.people.reader import InvoiceReader
from tests.simulation.people.starts import Starts
from tests.simulation.people.subscribers import Subscribers
from tests.simulation.people.workers import QueueReader, Rollups
from tests.simulation.plot.liveness import Liveness
from tests.simulation.plot.naming import Naming
from tests.simulation.plot.repeats import Repeats
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.stage.stage import Strand
from tests.simulation.world.functions import Functions, running
from tests.simulation.world.seeding import store_catalogue, store_customer
from tests.simulation.world.world import World

USAGE_STEPS, MONTH_END_STEPS, QUIET_STEPS = 60, 400, 20_000
BEFORE_MIDNIGHT, AFTER_MIDNIGHT = timedelta(hours=12), timedelta(hours=3)
CALM, UNEVENTFUL, MOSTLY = 0.3, 0.7, 0.8
# How many corrections people begin with in a month.
CORRECTIONS = (0, 0, 1, 2, 3)

type Offer = tuple[float, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class SeedOutcome:
    """The counts and the trace of a seed that broke nothing."""

    steps: int
    faults: Counter[tuple[Fault, str]]
    outcomes: Counter[str]
    looks: int
    repeated: int
    trace: tuple[str, ...]


class Story:
    """Runs one seed from its first usage event to its last audit."""

    def __init__(self, world: World) -> None:
        self.world, functions = world, world.functions
        self.rollups = Rollups(world)
        self.producers = Producers(world)
        self.starts = Starts(world)
        self.lifecycle = Lifecycle(world)
        self.subscribers = Subscribers(world)
        self.correctors = Correctors(world)
        self.operators = Operators(
            world, self.starts, self.producers, self.correctors, self.lifecycle
        )
        self.reader = InvoiceReader(world)
        self.queues = (
            QueueReader(world, world.rollups, functions.rollups, self.rollups.handled),
            QueueReader(world, world.usages, (functions.ingest,), self.producers.handled),
        )
        self.liveness = Liveness(
            world,
            self.starts,
            self.operators,
            self.producers,
            self.correctors,
            self.reader,
            self.quiet,
            Naming(world),
        )
        world.after_turn.append(self.rollups.read_logs)
        self.repeats = Repeats(world, functions.repeat)
        world.after_write += [self.rollups.look, self.reader.look, self.repeats.look]
        # In most seeds usage goes on while the month is rolled up.
        self.calm = world.rng.random() < CALM
        self.operators.may_come_late = not self.calm

    def tell(self) -> None:
        """Runs the whole story. Raises InvariantViolated for the first invariant that breaks."""
        store_catalogue()
        for customer in self.world.customers:
            store_customer(customer)
        self.world.dynamodb.changes.clear()
        first, *others = self.world.settings.months
        if self.world.rng.random() < UNEVENTFUL:
            self._uneventful_month(first)
        else:
            self._month(first)
        for month in others:
            self._month(month)
        self.liveness.finish()

    def _uneventful_month(self, month: Month) -> None:
        """Runs a month without faults and issues most invoices: a past for later months."""
        world = self.world
        world.say(f"--- {month.label}, without faults")
        world.cloud.faults.on = False
        self._to_end_of(month, 2)
        self.quiet()
        self._fire(month)
        self.quiet()
        for tenant_id, label in sorted(world.invariants.standing):
            if world.rng.random() < MOSTLY:
                self.lifecycle.at_once(tenant_id, label, "issue")

    def _month(self, month: Month) -> None:
        world = self.world
        world.say(f"--- {month.label}, faults at {world.cloud.faults.intensity}")
        world.cloud.faults.on = True
        self._to_end_of(month, 3)
        self.correctors.left = world.rng.choice(CORRECTIONS)
        self._run(USAGE_STEPS)
        if self.calm:
            self.correctors.left = 0
            self._settle()
            world.cloud.faults.on = True
        else:
            self._plan_usage(month, 2)
        self._fire(month)
        self.operators.plan()
        self._run(MONTH_END_STEPS)
        self._settle()
        self.liveness.month_end()

    def _to_end_of(self, month: Month, count: int) -> None:
        """Moves the clock to 12 hours before the end of the month, and plans its usage.

        By then its customers have said what they want in it.
        """
        end = self.world.settings.end_of(month)
        self.world.clock.now = max(self.world.now, end - BEFORE_MIDNIGHT)
        self.subscribers.before_the_end_of(month)
        self._plan_usage(month, count)

    def _fire(self, month: Month) -> None:
        """Fires the schedule, three hours into the next month at the earliest."""
        end = self.world.settings.end_of(month)
        self.world.clock.now = max(self.world.now, end + AFTER_MIDNIGHT)
        self.starts.schedule(month)

    def _plan_usage(self, month: Month, count: int) -> None:
        """Plans usage of this month, and some late usage of the month before."""
        world = self.world
        months = [month]
        index = world.settings.months.index(month)
        if index and not self.calm:
            months.append(world.settings.months[index - 1])
        for usage_month in months:
            for customer in world.customers:
                for sent in world.meters.month(customer, usage_month, world.rng.randint(0, count)):
                    self.producers.plan(sent)

    def _settle(self) -> None:
        """Stops the faults and lets everything under way finish."""
        world = self.world
        world.say("the faults stop")
        world.cloud.faults.on = False
        if world.cloud.down_until is not None:
            world.clock.now = max(world.now, world.cloud.down_until)
            world.cloud.down_until = None
        for table in world.dynamodb.tables.values():
            table.lag(False)
        self.operators.plans.clear()
        self.quiet()

    def quiet(self) -> None:
        """Runs until nothing is left to do; raises I8 if QUIET_STEPS turns do not get there."""
        self._run(QUIET_STEPS)
        if self._offers():
            raise InvariantViolated("I8", "messages go round and round, without faults")

    def _run(self, steps: int) -> None:
        """Takes at most this many turns; stops when nothing is left to do."""
        world = self.world
        for _ in range(steps):
            self.starts.take_continuations()
            offers = self._offers()
            if not offers and not self._wait():
                return
            if offers:
                weights = [weight for weight, _ in offers]
                [(_, deed)] = world.rng.choices(offers, weights)
                deed()

    def _offers(self) -> list[Offer]:
        world, offers = self.world, []
        ready = world.stage.prompt()
        held = len(world.stage.strands) - len(ready)
        if ready:
            offers.append((10.0, lambda: world.take_turn(world.rng.choice(ready))))
        for queue in self.queues:
            if queue.could_deliver():
                offers.append((3.0, queue.deliver))
        if self.producers.could_send():
            offers.append((2.0, self.producers.send))
        if self.correctors.could_send():
            offers.append((2.0, self.correctors.send))
        if world.cloud.faults.on and self.correctors.left and world.books.recorded:
            offers.append((0.3, self.correctors.begin))
        if self.starts.due():
            offers.append((3.0, self.starts.invoke))
        if world.cloud.late:
            offers.append((1.0, self._arrive))
        if world.cloud.faults.on and self.operators.plans:
            offers.append((2.0 if held else 0.25, self.operators.act))
        if world.cloud.faults.on and ready and self.reader.could_start_slowly():
            offers.append((0.3, self.reader.start_slowly))
        if world.cloud.faults.on:
            offers += [
                (1.0, self._ambush(strand)) for strand in world.stage.strands if strand.commits
            ]
            offers += [
                (1.0, self._forestall(strand)) for strand in world.stage.strands if strand.corrects
            ]
        if not offers and (slow := world.stage.ready()):
            offers.append((1.0, lambda: world.take_turn(world.rng.choice(slow))))
        return offers

    def _ambush(self, strand: Strand) -> Callable[[], None]:
        """Returns a deed: somebody interferes with the invoice that the strand will write next."""

        def act() -> None:
            invoice, strand.commits = strand.commits, None
            if invoice is not None:
                self.operators.interfere(*invoice)

        return act

    def _forestall(self, strand: Strand) -> Callable[[], None]:
        """Returns a deed: somebody is faster than the strand, which corrects usage next."""

        def act() -> None:
            name, strand.corrects = strand.corrects, None
            if name is not None:
                self.correctors.interfere(name)

        return act

    def _arrive(self) -> None:
        self.world.cloud.arrive(self.world.rng.choice(self.world.cloud.late))
        self.world.look_at_writes()

    def _wait(self) -> bool:
        """Moves the clock on to when something is due; False if nothing ever will be."""
        world = self.world
        moments = [
            *(message.visible_at for queue in self.queues for message in queue.queue.messages),
            *(start.not_before for start in self.starts.waiting),
        ]
        if self.producers.waiting and self.producers.not_before is not None:
            moments.append(self.producers.not_before)
        if self.correctors.waiting and self.correctors.not_before is not None:
            moments.append(self.correctors.not_before)
        later = [moment for moment in moments if moment > world.now]
        if not later:
            return False
        world.clock.now = min(later)
        return True


def tell(seed: int, functions: Functions, *, aloud: bool = False) -> SeedOutcome:
    """Runs a seed. Raises InvariantViolated, with the last steps of the trace in its notes."""
    world = World(seed, functions, aloud=aloud)
    with running(world, functions, seed):
        try:
            story = Story(world)
            story.tell()
        except InvariantViolated as error:
            error.add_note(world.trace.tail())
            raise
        return SeedOutcome(
            steps=world.clock.step,
            faults=world.cloud.faults.counts,
            outcomes=story.rollups.outcomes,
            looks=story.reader.looks,
            repeated=story.repeats.checked["quoted"],
            trace=tuple(world.trace.lines),
        )
