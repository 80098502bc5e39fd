"""One simulated deployment: its tables, queues, clock, customers, and what runs in it."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local.handlers import LambdaContext
from local.template import table_definition
from tests.simulation.aws.client import Aws, Clock
from tests.simulation.aws.dynamodb import DynamoDB
from tests.simulation.aws.faults import Fault
from tests.simulation.aws.queues import Queue
from tests.simulation.aws.tables import ItemChange
from tests.simulation.books.corrections import CorrectionBook
from tests.simulation.books.meters import Meters
from tests.simulation.books.model import Customer, Month
from tests.simulation.books.sorts import customers
from tests.simulation.books.treatments import Treatments
from tests.simulation.books.usage import Books
from tests.simulation.checks.invariants import INVOICES, USAGE, Invariants
from tests.simulation.checks.ledger import Ledger
from tests.simulation.checks.metered import MeteredUsage
from tests.simulation.checks.numbers import NumberBook
from tests.simulation.stage.report import Trace
from tests.simulation.stage.stage import Killed, Process, Stage, Strand
from tests.simulation.world.functions import ROLLUP_QUEUE, USAGE_QUEUE, Function, Functions

ZONES = ("UTC", "UTC", "Australia/Sydney")
FIRST_MONTHS = (Month(2026, 3), Month(2026, 1), Month(2025, 11), Month(2026, 8))
TABLES = ("accounts", INVOICES, USAGE)
PAGE_ITEMS = 5
ALMOST_OUT_OF_TIME_MS = 1_000

type Done = Callable[[Any, BaseException | None], None]


class Context(LambdaContext):
    """Lambda's context over the simulated clock, sometimes near its end."""

    def __init__(self, world: "World", process: Process, seconds: int) -> None:
        super().__init__(aws_request_id=process.name)
        self._world, self._steady = world, process.steady
        self._ends_at = world.now + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        """Returns how many milliseconds are left of the invocation."""
        if not self._steady and self._world.cloud.faults.out_of_time("invocation"):
            return ALMOST_OUT_OF_TIME_MS
        left = int((self._ends_at - self._world.now).total_seconds() * 1000)
        return max(0, left)


@dataclass(slots=True)
class Running:
    """An invocation under way. `done` is called with its result or its error."""

    strand: Strand
    function: Function
    done: Done


@dataclass(frozen=True, slots=True)
class SeedSettings:
    """Settings that differ from seed to seed."""

    zone: ZoneInfo
    issue_immediately: bool
    months: tuple[Month, ...]

    @classmethod
    def drawn(cls, rng: random.Random) -> "SeedSettings":
        """Draws two or three months in a row, and a billing zone."""
        months = [rng.choice(FIRST_MONTHS)]
        for _ in range(rng.choice((1, 2))):
            months.append(months[-1].next())
        return cls(ZoneInfo(rng.choice(ZONES)), rng.random() < 0.25, tuple(months))

    def end_of(self, month: Month) -> datetime:
        """Returns the moment (UTC) at which the month is over in the billing zone."""
        return datetime.combine(month.next().first, time.min, tzinfo=self.zone).astimezone(UTC)


class World:
    """Everything of one seed. Implements SimulatedWorld for the patched functions."""

    def __init__(self, seed: int, functions: Functions, *, aloud: bool = False) -> None:
        self.seed, self.functions = seed, functions
        self.rng = random.Random(seed)
        self.settings = SeedSettings.drawn(self.rng)
        self.trace = Trace(aloud=aloud)
        self.clock = Clock(self.settings.end_of(self.settings.months[0]) - timedelta(days=12))
        definitions = {name: table_definition(f"{name.title()}Table") for name in TABLES}
        self.dynamodb = DynamoDB(definitions, PAGE_ITEMS)
        self.cloud = Aws(self.rng, self.dynamodb, self.clock, self.trace)
        self.rollups = Queue("rollup", self.rng)
        self.usages = Queue("usage", self.rng)
        self.cloud.queues = {ROLLUP_QUEUE: self.rollups, USAGE_QUEUE: self.usages}
        self.customers = customers(self.rng, self.settings.months)
        self.books = Books()
        self.meters = Meters(self.rng, self.settings.zone)
        by_id = {customer.tenant_id: customer for customer in self.customers}
        self.treatments = Treatments.first(self.customers)
        self.ledger = Ledger(self.books, by_id, self.treatments)
        self.corrections = CorrectionBook()
        metered = MeteredUsage(self.books, self.corrections, self.dynamodb.tables[USAGE])
        table = self.dynamodb.tables[INVOICES]
        self.invariants = Invariants(
            table, metered, self.ledger, self.settings.zone, NumberBook(by_id)
        )
        self.running: list[Running] = []
        self.invocations = 0
        # Called after every turn, and after every turn that wrote.
        self.after_turn: list[Callable[[], None]] = []
        self.after_write: list[Callable[[Sequence[ItemChange]], None]] = []

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of this deployment."""
        return {
            "BILLING_TIME_ZONE": self.settings.zone.key,
            "ISSUE_IMMEDIATELY": str(self.settings.issue_immediately).lower(),
        }

    @property
    def now(self) -> datetime:
        """The simulated time."""
        return self.clock.now

    @property
    def stage(self) -> Stage:
        """All strands, and whose turn it is."""
        return self.cloud.stage

    def aws(self, client: Any, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers an AWS call."""
        return self.cloud.call(client, operation, request)

    def sleep(self, seconds: float) -> None:
        """Pauses the code under test; others go on meanwhile."""
        self.clock.now += timedelta(seconds=seconds)
        if self.stage.current is not None:
            self.stage.current.pause()

    def say(self, text: str) -> None:
        """Adds a line to the trace."""
        self.trace.say(self.clock.step, text)

    def process(self, name: str, *, steady: bool = False) -> Process:
        """Returns a process for one more invocation."""
        self.invocations += 1
        return Process(f"{name}-{self.invocations}", self.clock.step, steady=steady)

    def invoke(
        self,
        function: Function,
        event: Any,
        done: Done,
        *,
        seconds: int = 60,
        steady: bool = False,
    ) -> Process:
        """Starts an invocation; it runs turn by turn."""
        process = self.process(function.name, steady=steady)
        context = Context(self, process, seconds)
        strand = self.stage.start(process, lambda: function.handler(event, context))
        self.running.append(Running(strand, function, done))
        return process

    def finish(self, process: Process) -> None:
        """Gives turns to one invocation alone, until it has ended."""
        while mine := [strand for strand in self.stage.ready() if strand.process is process]:
            self.take_turn(mine[0])

    def take_turn(self, strand: Strand) -> None:
        """Runs a strand to its next AWS call; checks all invariants; ends what has finished."""
        self.stage.run(strand)
        self.look_at_writes()
        for look in self.after_turn:
            look()
        finished = [running for running in self.running if running.strand.done]
        self.running = [running for running in self.running if not running.strand.done]
        for running in finished:
            error = running.strand.error
            if isinstance(error, Killed):
                self.say(f"{error} is dead")
                running.function.start_cold()
            elif error is not None and not isinstance(error, Exception):
                raise error
            running.done(running.strand.result, error)

    def look_at_writes(self) -> None:
        """Checks everything written since the last time against the invariants."""
        changes = list(self.dynamodb.changes)
        if not changes:
            return
        self.dynamodb.changes.clear()
        self.invariants.after_write(changes, self.clock.step, self.now, self.cloud.writer)
        for look in self.after_write:
            look(changes)

    def customer(self, tenant_id: str) -> Customer:
        """Returns the customer with this id."""
        return self.ledger.customers[tenant_id]

    def count(self, fault: Fault, what: str) -> None:
        """Counts a fault that is not of an AWS call."""
        self.cloud.faults.hit(fault, what)
