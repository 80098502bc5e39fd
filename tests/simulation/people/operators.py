"""People at work while everything fails: they force, issue, void, redrive, and start once more."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation.aws.faults import Fault
from tests.simulation.books.model import SMALL_LATER, Customer, Month
from tests.simulation.books.stored_invoices import CLOSED
from tests.simulation.books.usage import too_old_after
from tests.simulation.checks.ledger import month_of
from tests.simulation.people.lifecycle import Lifecycle
from tests.simulation.people.producers import Producers
from tests.simulation.people.starts import BY_HAND, Starts
from tests.simulation.world.seeding import store_plan
from tests.simulation.world.world import World

OUTAGE = timedelta(hours=6)
MARGIN = timedelta(days=7)
LIKELY = 0.35

type Deed = Callable[[], None]


@dataclass(slots=True)
class Operators:
    """What people do in a month: some deeds, at any moment between two AWS calls."""

    world: World
    starts: Starts
    producers: Producers
    lifecycle: Lifecycle
    plans: list[Deed] = field(default_factory=list)
    may_come_late: bool = True

    def plan(self) -> None:
        """Draws this month's deeds."""
        deeds: tuple[Deed, ...] = (
            *(self._force, self._correct, self._correct, self._correct, self._void_and_force),
            *(self._issue, self._issue, self._issue, self._pay, self._void),
            *(self._redrive, self._start_again, self._schedule_again, self._too_early),
            *(self._poison, self._new_price, self._lag, self._rehearse, self._sweep),
        )
        rng = self.world.rng
        self.plans = [deed for deed in deeds if rng.random() < LIKELY]
        if rng.random() < 0.2:
            self.plans.append(self._outage)
        rng.shuffle(self.plans)

    def act(self) -> None:
        """The next deed."""
        self.plans.pop()()

    def months(self) -> list[Month]:
        """Months that are over."""
        return [
            month
            for month in self.world.settings.months
            if self.world.settings.end_of(month) <= self.world.now
        ]

    def _someone(self) -> Customer:
        """Rather the first one: what happens to one tenant at once is where races are."""
        customers = self.world.customers
        return customers[0] if self.world.rng.random() < 0.5 else self.world.rng.choice(customers)

    def _force(self) -> None:
        rng, months = self.world.rng, self.months()
        if not months:
            return
        everyone = rng.random() < 0.3
        named = None if everyone else [self._someone().tenant_id]
        self.starts.by_hand(rng.choice(months), named, force=True)

    def _correct(self) -> None:
        """Usage comes late for a month; it and those after it are made anew, all at once."""
        world, months = self.world, self.months()
        if not months or not self.may_come_late:
            return
        customer, first = self._late_for(months)
        found = world.meters.month(customer, first, world.rng.randint(1, 2))
        late = [sent for sent in found if too_old_after(sent) > world.now + MARGIN]
        for sent in late:
            self.producers.plan(sent)
        if late:
            self.producers.post(late)
        for month in months[months.index(first) :]:
            self.starts.by_hand(month, [customer.tenant_id], force=True)

    def _late_for(self, months: list[Month]) -> tuple[Customer, Month]:
        """Rather for an invoice that is closed: what comes late is another invoice's then."""
        world = self.world
        closed = [
            key for key, each in sorted(world.invariants.standing.items()) if each.status in CLOSED
        ]
        if closed and world.rng.random() < 0.7:
            tenant_id, label = world.rng.choice(closed)
            return world.customer(tenant_id), month_of(label)
        return self._someone(), world.rng.choice(months)

    def _void_and_force(self) -> None:
        """What was wrong is made anew, perhaps while the next month goes on from it."""
        found = self._one()
        if found is not None and self.lifecycle.at_once(*found, "void"):
            tenant_id, label = found
            self.starts.by_hand(month_of(label), [tenant_id], force=True)

    def _start_again(self) -> None:
        months = self.months()
        if months:
            self.starts.by_hand(self.world.rng.choice(months))

    def _schedule_again(self) -> None:
        """The schedule's event comes a second time, some days late."""
        self.world.clock.now += timedelta(hours=self.world.rng.choice((0, 1, 50)))
        months = self.months()
        if months and self.world.settings.end_of(months[-1].next()) > self.world.now:
            self.starts.schedule(months[-1])

    def _too_early(self) -> None:
        """The month that is running now is not over."""
        last = self.world.settings.months[-1]
        self.starts.of_open_month(last.next().next())

    def interfere(self, tenant_id: str, label: str) -> None:
        """Somebody is in the way of a worker that is about to write this invoice."""
        rng = self.world.rng
        if rng.random() < 0.5:
            action = rng.choice(("issue", "issue", "pay", "void"))
            self.lifecycle.at_once(tenant_id, label, action)
            return
        # An invoice of another month may bill the same late usage.
        other = rng.choice(self.months())
        if rng.random() < 0.5:
            self.lifecycle.at_once(tenant_id, other.label, "void")
        self.starts.by_hand(other, [tenant_id], force=True)

    def _one(self) -> tuple[str, str] | None:
        """An invoice, rather one that somebody works on."""
        world = self.world
        standing = sorted(world.invariants.standing)
        touched = [key for key in standing if key in self._worked_on()]
        found = touched if touched and world.rng.random() < 0.7 else standing
        return world.rng.choice(found) if found else None

    def _order(self, action: str) -> None:
        found = self._one()
        if found is not None:
            self.lifecycle.start(*found, action)

    def _worked_on(self) -> set[tuple[str, str]]:
        """Whom a message is under way for that was received already."""
        bodies = [
            json.loads(message.body)
            for message in self.world.rollups.messages
            if message.receives and BY_HAND not in message.body
        ]
        return {(body["tenant_id"], body["period"]) for body in bodies}

    def _issue(self) -> None:
        self._order("issue")

    def _pay(self) -> None:
        self._order("pay")

    def _void(self) -> None:
        self._order("void")

    def _rehearse(self) -> None:
        """A dry run of a month, which writes nothing."""
        months = self.months()
        if months:
            self.starts.by_hand(self.world.rng.choice(months), dry_run=True)

    def _sweep(self) -> None:
        self.starts.sweep()

    def _redrive(self) -> None:
        count = self.world.rollups.redrive(self.world.now)
        self.world.say(f"{count} dead letters are redriven")

    def _poison(self) -> None:
        """Messages that nobody can handle: not JSON, another version, nobody's, an open month."""
        world = self.world
        late = world.settings.months[-1].next().next()
        message = {
            "version": 1,
            "tenant_id": self._someone().tenant_id,
            "period": world.settings.months[0].label,
            "run_id": BY_HAND,
            "run_at": world.now.isoformat(),
            "force": False,
        }
        bad = (
            f"not JSON, {BY_HAND}",
            json.dumps(message | {"version": 2}),
            json.dumps(message | {"tenant_id": "nobody"}),
            json.dumps(message | {"period": late.label}),
        )
        body = world.rng.choice(bad)
        world.say(f"poison: {body}")
        world.rollups.send(body, world.now)

    def _new_price(self) -> None:
        """The price changes while the month is rolled up; nobody is pinned to the new one."""
        store_plan(SMALL_LATER)
        self.world.say("a new version of the small plan")

    def _lag(self) -> None:
        world = self.world
        for table in world.dynamodb.tables.values():
            table.lag(not table.lags)
        world.count(Fault.LAGGING, "indexes")
        world.say("indexes lag, or catch up")

    def _outage(self) -> None:
        """DynamoDB does not answer for six hours."""
        world = self.world
        world.cloud.down_until = world.now + OUTAGE
        world.say("DynamoDB goes down for six hours")
