"""People at work while everything fails: they force, issue, void, redrive, and start once more."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.simulation.aws.faults import Fault
from tests.simulation.books.model import SMALL_LATER, Customer, Month
from tests.simulation.books.stored_invoices import CLOSED
from tests.simulation.books.treatments import GST, GST_FREE
from tests.simulation.books.usage import too_old_after
from tests.simulation.checks.ledger import month_of
from tests.simulation.people.correctors import Correctors
from tests.simulation.people.lifecycle import Lifecycle
from tests.simulation.people.producers import Producers
from tests.simulation.people.starts import BY_HAND, Starts
from tests.simulation.world.seeding import store_plan, store_tenant
from tests.simulation.world.world import World

OUTAGE = timedelta(hours=6)
MARGIN = timedelta(days=7)
LIKELY = 0.35

type Deed = Callable[[], None]


@dataclass(slots=True)
class Operators:
    """People who do some deeds in a month, at any moment between two AWS calls."""

    world: World
    starts: Starts
    producers: Producers
    correctors: Correctors
    lifecycle: Lifecycle
    plans: list[Deed] = field(default_factory=list)
    may_come_late: bool = True

    def plan(self) -> None:
        """Draws this month's deeds."""
        deeds: tuple[Deed, ...] = (
            *(self._force, self._late, self._late, self._late, self._void_and_force),
            *(self._issue, self._issue, self._issue, self._pay, self._void),
            *(self._redrive, self._start_again, self._schedule_again, self._too_early),
            *(self._poison, self._new_price, self._lag, self._rehearse, self._sweep),
            *(self._new_treatment, self._sweep_late, self._bill_corrected, self._bill_corrected),
        )
        rng = self.world.rng
        self.plans = [deed for deed in deeds if rng.random() < LIKELY]
        if rng.random() < 0.2:
            self.plans.append(self._outage)
        rng.shuffle(self.plans)

    def act(self) -> None:
        """Does the next deed."""
        self.plans.pop()()

    def months(self) -> list[Month]:
        """Returns the months that are over."""
        return [
            month
            for month in self.world.settings.months
            if self.world.settings.end_of(month) <= self.world.now
        ]

    def _someone(self) -> Customer:
        """Draws a customer, often the first: races need several deeds to meet at one tenant."""
        customers = self.world.customers
        return customers[0] if self.world.rng.random() < 0.5 else self.world.rng.choice(customers)

    def _force(self) -> None:
        rng, months = self.world.rng, self.months()
        if not months:
            return
        everyone = rng.random() < 0.3
        named = None if everyone else [self._someone().tenant_id]
        self.starts.by_hand(rng.choice(months), named, force=True)

    def _late(self) -> None:
        """Usage comes late for a month; that month and all later ones are forced at once."""
        world, months = self.world, self.months()
        if not months or not self.may_come_late:
            return
        customer, first = self._late_for(months)
        events = world.meters.month(customer, first, world.rng.randint(1, 2))
        late = [sent for sent in events if too_old_after(sent) > world.now + MARGIN]
        for sent in late:
            self.producers.plan(sent)
        if late:
            self.producers.post(late)
        for month in months[months.index(first) :]:
            self.starts.by_hand(month, [customer.tenant_id], force=True)

    def _bill_corrected(self) -> None:
        """A month that was corrected and all later ones are forced at once."""
        over = [month.label for month in self.months()]
        corrected = [key for key in self.correctors.corrected if key[1] in over]
        if corrected:
            tenant_id, label = self.world.rng.choice(corrected)
            for later in over[over.index(label) :]:
                self.starts.by_hand(month_of(later), [tenant_id], force=True)

    def _late_for(self, months: list[Month]) -> tuple[Customer, Month]:
        """Draws who is late, often for a closed invoice: then another one bills the late usage."""
        world = self.world
        closed = [
            key
            for key, invoice in sorted(world.invariants.standing.items())
            if invoice.status in CLOSED
        ]
        if closed and world.rng.random() < 0.7:
            tenant_id, label = world.rng.choice(closed)
            return world.customer(tenant_id), month_of(label)
        return self._someone(), world.rng.choice(months)

    def _void_and_force(self) -> None:
        """A wrong invoice is made anew, perhaps while the next month builds on it."""
        key = self._some_invoice()
        if key is not None and self.lifecycle.at_once(*key, "void"):
            tenant_id, label = key
            self.starts.by_hand(month_of(label), [tenant_id], force=True)

    def _start_again(self) -> None:
        months = self.months()
        if months:
            self.starts.by_hand(self.world.rng.choice(months))

    def _schedule_again(self) -> None:
        """The schedule fires a second time, up to 50 hours late."""
        self.world.clock.now += timedelta(hours=self.world.rng.choice((0, 1, 50)))
        months = self.months()
        if months and self.world.settings.end_of(months[-1].next()) > self.world.now:
            self.starts.schedule(months[-1])

    def _too_early(self) -> None:
        """Somebody starts a month that is not over."""
        last = self.world.settings.months[-1]
        self.starts.of_open_month(last.next().next())

    def interfere(self, tenant_id: str, label: str) -> None:
        """Interferes with a worker that is about to write this invoice."""
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

    def _some_invoice(self) -> tuple[str, str] | None:
        """Draws an invoice, often one that a worker is busy with."""
        world = self.world
        standing = sorted(world.invariants.standing)
        worked_on = [key for key in standing if key in self._worked_on()]
        candidates = worked_on if worked_on and world.rng.random() < 0.7 else standing
        return world.rng.choice(candidates) if candidates else None

    def _request(self, action: str) -> None:
        key = self._some_invoice()
        if key is not None:
            self.lifecycle.start(*key, action)

    def _worked_on(self) -> set[tuple[str, str]]:
        """Returns tenant and month of the messages that were received but not yet deleted."""
        bodies = [
            json.loads(message.body)
            for message in self.world.rollups.messages
            if message.receives and BY_HAND not in message.body
        ]
        return {(body["tenant_id"], body["period"]) for body in bodies}

    def _issue(self) -> None:
        self._request("issue")

    def _pay(self) -> None:
        self._request("pay")

    def _void(self) -> None:
        self._request("void")

    def _rehearse(self) -> None:
        """A dry run of a month, which writes nothing."""
        months = self.months()
        if months:
            self.starts.by_hand(self.world.rng.choice(months), dry_run=True)

    def _sweep(self) -> None:
        self.starts.sweep()

    def _sweep_late(self) -> None:
        self.starts.sweep_late()

    def _redrive(self) -> None:
        count = self.world.rollups.redrive(self.world.now)
        self.world.say(f"{count} dead letters are redriven")

    def _poison(self) -> None:
        """Sends a bad message: not JSON, of another version, for no tenant or an open month."""
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
        """The price changes while the month is rolled up; no customer is pinned to the new one."""
        store_plan(SMALL_LATER)
        self.world.say("a new version of the small plan")

    def _new_treatment(self) -> None:
        """A customer begins or ceases to export; perhaps a month is to be made again as such."""
        world, rng = self.world, self.world.rng
        tenant_id = self._someone().tenant_id
        self.treat(tenant_id, GST_FREE if world.treatments.now(tenant_id) == GST else GST)
        invoices = sorted(world.invariants.standing)
        labels = [label for owner, label in invoices if owner == tenant_id]
        if labels and rng.random() < 0.5:
            label = rng.choice(labels)
            if self.lifecycle.at_once(tenant_id, label, "void"):
                self.starts.by_hand(month_of(label), [tenant_id], force=True)

    def treat(self, tenant_id: str, tax: str) -> None:
        """Gives a customer another tax treatment, from the next invoice on."""
        world = self.world
        world.treatments.change(tenant_id, tax, world.clock.step)
        store_tenant(world.customer(tenant_id), tax)
        world.look_at_writes()
        world.say(f"{tenant_id} is {tax} from now on")

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
