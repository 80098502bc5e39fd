"""I11 and I12: an invoice written under faults is the same without faults, and as it is quoted.

When nothing of a tenant changed while its invoice was made, a cold worker gets the same message
once more, without faults, over the tables as they were before the write. Then the engine is asked
for a quote, with a request that the simulation builds itself.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from quote_engine import price, quote_json
from quote_engine.parse import parse_request
from tests.simulation.aws.queues import Message
from tests.simulation.aws.tables import ItemChange
from tests.simulation.books.model import ADDON_CENTS, ADDON_CODE, KINDS, CustomerSegment
from tests.simulation.books.stored_invoices import SAID, RawInvoice, read_invoice
from tests.simulation.checks.invariants import INVOICES, USAGE
from tests.simulation.checks.ledger import month_of
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.functions import Function
from tests.simulation.world.seeding import FIRST_DAY
from tests.simulation.world.world import Context, World

OFTEN = 0.4
DATED = ("status", "issued_at", "due_on", "period_start")


@dataclass(slots=True)
class Repeats:
    """Makes invoices a second time and compares them."""

    world: World
    worker: Function
    checked: Counter[str] = field(default_factory=Counter)
    _touched: dict[str, int] = field(default_factory=dict)

    def look(self, changes: Iterable[ItemChange]) -> None:
        """Repeats some of the invoices in a write that was just made."""
        world, changes = self.world, list(changes)
        writer = world.cloud.writer
        for invoice in world.invariants.new:
            touched_at = self._touched.get(invoice.tenant_id, -1)
            if writer is None or touched_at > writer.began_at or world.rng.random() >= OFTEN:
                continue
            message = self._message(invoice, writer.batch)
            if message is not None:
                self._repeat(invoice, message, changes)
                self._quote(invoice)
        for change in changes:
            self._touched[_whose(change)] = world.clock.step

    def _message(self, invoice: RawInvoice, batch: Iterable[Message]) -> Message | None:
        """Returns the message that the invoice was made for; None unless exactly one fits."""
        names = (f'"{invoice.tenant_id}"', f'"{invoice.label}"')
        messages = [message for message in batch if all(name in message.body for name in names)]
        return messages[0] if len(messages) == 1 else None

    def _repeat(self, invoice: RawInvoice, message: Message, changes: list[ItemChange]) -> None:
        """I11: the same inputs give the same bytes, whatever the worker went through."""
        world = self.world
        real, copy = world.cloud.dynamodb, world.cloud.dynamodb.copy()
        for change in changes:
            copy.tables[change.table].put(change.key, change.before)
        world.cloud.dynamodb = copy
        try:
            self.worker.start_cold()
            process = world.process("repeats", steady=True)
            event = {"Records": [message.record()]}
            answer = self.worker.handler(event, Context(world, process, 900))
        finally:
            world.cloud.dynamodb = real
        self.checked["repeated"] += 1
        self._compare(invoice, answer, copy.tables[INVOICES])

    def _compare(self, invoice: RawInvoice, answer: Any, table: Any) -> None:
        name = f"{invoice.tenant_id} {invoice.label}"
        item = table.get((invoice.tenant_id, month_of(invoice.label).first.isoformat()))
        if answer["batchItemFailures"] or item is None:
            errors = [error for *_, error in self.worker.log.lines]
            raise InvariantViolated("I11", f"{name} cannot be made a second time: {errors}")
        repeated = read_invoice(table, item)
        attributes = [attribute for attribute in (*SAID, *DATED) if attribute != "attempt"]
        differing = [
            attribute
            for attribute in attributes
            if repeated.item.get(attribute) != invoice.item.get(attribute)
        ]
        if differing or repeated.lines != invoice.lines:
            text = f"{name}, made again, has other {', '.join(differing)}: {repeated.item}"
            raise InvariantViolated("I11", text)

    def _quote(self, invoice: RawInvoice) -> None:
        """I12: a quote for the same inputs has the same lines."""
        label, tenant_id = invoice.label, invoice.tenant_id
        invoices = [
            standing
            for key, standing in self.world.invariants.standing.items()
            if key[0] == tenant_id
        ]
        if any(line["kind"] == "adjustment" for standing in invoices for line in standing.lines):
            return
        request = parse_request(self._request(tenant_id, label, invoice.tax))
        quoted: Any = quote_json(request, price(request))
        self.checked["quoted"] += 1
        if json.loads(json.dumps(quoted["lines"])) != invoice.lines:
            raise InvariantViolated("I12", f"{tenant_id} {label} was quoted {quoted['lines']}")

    def _request(self, tenant_id: str, label: str, tax: str) -> dict[str, Any]:
        customer, month = self.world.customer(tenant_id), month_of(label)
        return {
            "period": {"start": month.first.isoformat(), "end": month.next().first.isoformat()},
            "currency": "AUD",
            "tax": tax,
            "subscriptions": [
                self._subscription(deployment_id, segment, label)
                for deployment_id, segments in customer.deployments.items()
                for segment in segments
                if any(map(segment.active, month.days))
            ],
        }

    def _subscription(
        self, deployment_id: str, segment: CustomerSegment, label: str
    ) -> dict[str, Any]:
        terms, books = segment.terms, self.world.books
        used = {
            kind: sum(
                quantity
                for day, quantity in books.days(deployment_id, label, kind).items()
                if segment.active(day)
            )
            for kind in KINDS
        }
        rates = [
            {
                "resource_kind": kind,
                "unit": "unit",
                "model": "per_unit",
                "included": str(rate.included),
                "unit_price": _dollars(rate.cents),
            }
            | ({"convert": {"multiply_by": str(rate.times)}} if rate.times > 1 else {})
            for kind, rate in terms.rates.items()
        ]
        plan = {"code": terms.code, "name": f"{terms.code.title()} plan", "proration": "daily"}
        addons = [
            {
                "code": ADDON_CODE,
                "price": _dollars(ADDON_CENTS),
                "quantity": run.quantity,
                "starts_on": run.first.isoformat(),
                "ends_on": run.last.isoformat(),
            }
            for run in segment.addon_runs(month_of(label).days)
        ]
        return {
            "deployment_id": deployment_id,
            "starts_on": (segment.first or FIRST_DAY).isoformat(),
            "ends_on": segment.last.isoformat() if segment.last else None,
            "plan": plan | {"price": _dollars(terms.base_cents), "rates": rates},
            "addons": addons,
            "usage": {kind: str(quantity) for kind, quantity in used.items() if quantity},
        }


def _whose(change: ItemChange) -> str:
    """Returns the tenant whose invoice the change may affect; the key of a page is no tenant."""
    if change.table == USAGE:
        item = change.after or change.before or {}
        return str(item.get("tenant_id", {}).get("S", ""))
    return change.key[0]


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
