"""After the faults: every tenant is invoiced or listed by name, and everything adds up."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.simulation.aws.expressions import Item
from tests.simulation.books.model import UNKNOWN, Customer, Month
from tests.simulation.checks.invariants import USAGE
from tests.simulation.checks.ledger import month_of
from tests.simulation.checks.metered import DEDUPE
from tests.simulation.people.correctors import Correctors
from tests.simulation.people.operators import Operators
from tests.simulation.people.producers import BATCH, Producers
from tests.simulation.people.reader import InvoiceReader
from tests.simulation.people.starts import BY_HAND, Starts
from tests.simulation.plot.naming import Naming
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.seeding import store_plan
from tests.simulation.world.world import World

AFTER_MIDNIGHT = timedelta(hours=3)
# Usage is refused after 90 days, and what was recorded is forgotten after 106.
VERY_LATE = timedelta(days=220)
# A month-end looks back four months; it looks at older ones only if they were corrected. A year is
# the most.
LONG_AGO, MONTHS_LATER = 0.2, (6, 7, 9, 12)
# How often the reports are added up: at the end of a month, and when everything is billed.
ADDED_UP, ADDED_UP_LAST = 0.25, 0.5


@dataclass(slots=True)
class Liveness:
    """Brings months to their end without faults, as people would, and audits them."""

    world: World
    starts: Starts
    operators: Operators
    producers: Producers
    correctors: Correctors
    reader: InvoiceReader
    quiet: Callable[[], None]
    naming: Naming
    mended: bool = False

    def month_end(self) -> None:
        """I8: after a repair (a redrive, another start or a sweep) every month is settled."""
        world, months = self.world, self.operators.months()
        self._make_barred_again()
        repair = world.rng.choice(("redrive", "start again", "sweep"))
        # Earlier months were settled already and must stay so, whether run again or not.
        again = months if world.rng.random() < 0.3 else months[-1:]
        if repair == "start again":
            labels = [f'"{month.label}"' for month in again]
            world.rollups.dead = [
                message
                for message in world.rollups.dead
                if not any(label in message.body for label in labels)
            ]
        if repair != "sweep":
            world.rollups.redrive(world.now)
        if repair == "start again" or (self.starts.dead and repair == "redrive"):
            for month in again:
                self.starts.by_hand(month)
        if repair == "sweep":
            self.starts.sweep()
        self.starts.dead.clear()
        world.usages.redrive(world.now)
        world.say(f"repaired by: {repair}")
        self.quiet()
        if repair == "sweep":
            # A sweep looks at the tables, not at dead letters; people redrive those all the same.
            self._settled(months[-1], strict=False)
            world.rollups.redrive(world.now)
            self.quiet()
        if world.usages.dead:
            raise InvariantViolated("I8", f"usage cannot be recorded: {world.usages.dead}")
        for month in months:
            self._settled(month)
        self._reported(months[-1])
        if world.rng.random() < ADDED_UP:
            self.naming.look(months, self._sound())
        if self.producers.waiting or world.ledger.unrecorded():
            raise InvariantViolated("I9", f"never recorded: {world.ledger.unrecorded()}")

    def _make_barred_again(self) -> None:
        """Makes and issues the months that cannot be made in the tenant's treatment of today.

        A later invoice bills their late usage in the treatment that they had: people give it to
        the tenant again, for as long as it takes.
        """
        world, invoices = self.world, self.world.invariants.standing
        for (tenant_id, label), invoice in sorted(invoices.items()):
            now = world.treatments.now(tenant_id)
            if invoice.status not in ("draft", "void") or invoice.tax == now:
                continue
            others = [other for key, other in invoices.items() if key[0] == tenant_id]
            if any(label in other.adjusts() for other in others if other.status != "void"):
                self.operators.treat(tenant_id, invoice.tax)
                self.starts.by_hand(month_of(label), [tenant_id], force=True)
                self.quiet()
                self.operators.lifecycle.at_once(tenant_id, label, "issue")
                self.operators.treat(tenant_id, now)

    def _settled(self, month: Month, *, strict: bool = True) -> None:
        """I8: due = invoiced + failed and listed by name. I17: no usage is too much to price."""
        world = self.world
        texts = [message.body for message in world.rollups.dead if BY_HAND not in message.body]
        named = {(body["tenant_id"], body["period"]) for body in map(json.loads, texts)}
        for customer in world.customers:
            key = customer.tenant_id, month.label
            invoiced = key in world.invariants.standing
            if customer.billed_in(month) and not invoiced and key not in named:
                raise InvariantViolated("I8", f"{key} is neither invoiced nor listed by name")
            if strict and key in named and not self._hopeless(customer):
                much = world.books.much_in(customer.deployments, month.label)
                text = f"{key} fails, though nothing is wrong with it"
                raise InvariantViolated("I17" if much else "I8", text)

    def _reported(self, month: Month) -> None:
        """I8, from the tables: the report names everybody once; all due are billed or failed."""
        world, label = self.world, month.label
        report = self.naming.report(label)
        invoiced = [key[0] for key in world.invariants.standing if key[1] == label]
        failed = [tenant["tenant_id"] for tenant in report["failed"]["tenants"]]
        others = report["missing"]["tenant_ids"] + report["nothing_to_invoice"]["tenant_ids"]
        everybody = sorted(customer.tenant_id for customer in world.customers)
        if sorted(invoiced + failed + others) != everybody:
            text = f"the report of {label} names {invoiced} + {failed} + {others}"
            raise InvariantViolated("I8", text)
        for customer in world.customers:
            name = customer.tenant_id
            if customer.billed_in(month) and name not in (*invoiced, *failed):
                raise InvariantViolated("I8", f"the report of {label} does not say why not {name}")

    def _sound(self) -> list[Customer]:
        """Returns the customers that can be priced."""
        return [each for each in self.world.customers if not self._hopeless(each)]

    def _hopeless(self, customer: Customer) -> bool:
        return customer.poison and not self.mended

    def finish(self) -> None:
        """Forces, issues and bills everything; then nothing may be missing or billed twice."""
        if self.world.rng.random() < 0.5:
            self._mend()
        self._make_barred_again()
        months = self.operators.months()
        for month in months:
            self.starts.by_hand(month, force=True)
        self.quiet()
        for tenant_id, label in sorted(self.world.invariants.standing):
            self.operators.lifecycle.at_once(tenant_id, label, "issue")
        self._close(months[-1].next())
        months.append(months[-1].next())
        self._audit(months)
        if self.world.rng.random() < ADDED_UP_LAST:
            self.naming.look(months, self._sound())
        if self.world.rng.random() < LONG_AGO:
            self._correct_long_ago(months)
        self._resend_very_late()

    def _mend(self) -> None:
        """Adds the price that was missing, and redrives the dead letters."""
        store_plan(UNKNOWN)
        self.mended = True
        self.world.say("the missing plan version is there now")
        self.world.rollups.dead = [
            message for message in self.world.rollups.dead if BY_HAND not in message.body
        ]
        self.world.rollups.redrive(self.world.now)
        self.quiet()
        for month in self.operators.months():
            self._settled(month)

    def _close(self, month: Month) -> None:
        """Closes one more month, without usage of its own: it bills what came late."""
        world = self.world
        world.clock.now = max(world.now, world.settings.end_of(month) + AFTER_MIDNIGHT)
        self.starts.schedule(month)
        self.quiet()
        self._settled(month)

    def _correct_long_ago(self, months: list[Month]) -> None:
        """Usage of the first month is corrected half a year later: the next invoice bills it."""
        world, running = self.world, months[0]
        for _ in range(world.rng.choice(MONTHS_LATER)):
            running = running.next()
        world.clock.now = world.settings.end_of(running) - timedelta(days=9)
        self._forget()
        for customer in world.customers:
            recorded = world.books.recorded.values()
            old = [sent for sent in recorded if sent.day in months[0].days]
            asked = self.correctors.drawn(customer, old)
            if asked is not None:
                self.correctors.ask(asked)
        self.quiet()
        self._close(running)
        self._audit([*months, running])

    def _audit(self, months: list[Month]) -> None:
        """I9 in cents over all invoices, each of which is read once more."""
        world = self.world
        labels = [month.label for month in months]
        for customer in world.customers:
            invoices = [
                invoice
                for key, invoice in world.invariants.standing.items()
                if key[0] == customer.tenant_id
            ]
            for invoice in invoices:
                # An invoice for late usage alone may stay void: by now another has billed it.
                due = customer.billed_in(month_of(invoice.label))
                if due and invoice.status == "void":
                    text = f"{customer.tenant_id} {invoice.label}: void, and not billed again"
                    raise InvariantViolated("I8", text)
            if not self._hopeless(customer):
                world.ledger.all_billed(customer, labels, invoices)
            for label in labels:
                self.reader.read_one(customer.tenant_id, label, f"tenant:{customer.tenant_id}")

    def _resend_very_late(self) -> None:
        """I9: by the time an event is forgotten, it is too old to be counted again."""
        world = self.world
        world.clock.now += VERY_LATE
        self._forget()
        before = self._usage()
        events = list(world.books.recorded.values())
        for first in range(0, len(events), BATCH):
            self.producers.post(events[first : first + BATCH])
        self.quiet()
        if self._usage() != before:
            raise InvariantViolated("I9", "usage that was sent again very late counted again")

    def _forget(self) -> None:
        """DynamoDB deletes what has expired."""
        world = self.world
        table = world.dynamodb.tables[USAGE]
        for item in list(table.items()):
            if "expires_at" in item and int(item["expires_at"]["N"]) < world.now.timestamp():
                table.put(table.key_of(item), None)
                tenant_id, _, key = table.key_of(item)[0].partition("#")
                world.books.forgotten.add((tenant_id, key))

    def _usage(self) -> dict[tuple[str, str], Item]:
        table = self.world.dynamodb.tables[USAGE]
        items = {table.key_of(item): item for item in table.items()}
        return {key: item for key, item in items.items() if key[1] != DEDUPE}
