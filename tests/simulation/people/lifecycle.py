"""Issue, pay and void by the API: at once, between two steps of everybody else, or call by call.

A request names what was reviewed, by revision or fingerprint. Sometimes that is an old one, which
must not be issued; sometimes two people make the same request.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.simulation.books.stored_invoices import RawInvoice
from tests.simulation.people.producers import api_event
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.world import World

MOVES = {"issue": "issued", "pay": "paid", "void": "void"}
PEOPLE = ("ann", "bob")


@dataclass(slots=True)
class Lifecycle:
    """Makes requests, and compares the answers with what was done."""

    world: World

    def at_once(self, tenant_id: str, label: str, action: str) -> bool:
        """Makes a request that is handled at once, without faults; returns whether it was done."""
        invoice = self.world.invariants.standing.get((tenant_id, label))
        if invoice is None:
            return False
        answer = self.world.functions.change.handler(self._event(invoice, action, "ann"), None)
        self.world.look_at_writes()
        if answer["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            errors = self.world.functions.change.log.lines
            raise InvariantViolated("I5", f"{action} failed without a fault: {errors[-1:]}")
        self._judge(invoice, action, answer)
        done: bool = answer["statusCode"] == HTTPStatus.OK
        self.world.say(f"{action} {tenant_id} {label}: {'done' if done else 'refused'}")
        return done

    def start(self, tenant_id: str, label: str, action: str) -> None:
        """Makes a request that is handled call by call, and may fail."""
        world = self.world
        invoice = world.invariants.standing.get((tenant_id, label))
        if invoice is None:
            return
        if world.rng.random() < 0.2:
            revision = world.rng.randint(1, invoice.revision)
            invoice = world.invariants.version(tenant_id, label, revision) or invoice
        event = self._event(invoice, action, world.rng.choice(PEOPLE))
        world.say(f"{action} {tenant_id} {label} r{invoice.revision} is ordered")

        def done(answer: Any, error: BaseException | None) -> None:
            if error is None:
                self._judge(invoice, action, answer)

        world.invoke(world.functions.change, event, done, seconds=15)

    def _event(self, invoice: RawInvoice, action: str, person: str) -> dict[str, Any]:
        rng = self.world.rng
        body: dict[str, Any] = {"reason": "simulated"}
        if rng.random() < 0.5:
            body["revision"] = invoice.revision
        else:
            body["fingerprint"] = invoice.item["fingerprint"]
        now_ms = int(self.world.now.timestamp() * 1000)
        event = api_event("platform_admin", now_ms, httpMethod="POST", body=json.dumps(body))
        event["requestContext"]["authorizer"]["claims"]["sub"] = person
        event["resource"] = f"/api/v1/invoices/{{id}}/{action}"
        return event | {"pathParameters": {"id": f"{invoice.tenant_id}.{invoice.label}"}}

    def _judge(self, invoice: RawInvoice, action: str, answer: Any) -> None:
        """I5: what was answered as done was done, to an invoice with the reviewed content."""
        if answer["statusCode"] != HTTPStatus.OK:
            return
        header = json.loads(answer["body"])
        name = f"{action} of {invoice.tenant_id} {invoice.label} r{invoice.revision}"
        if header["fingerprint"] != invoice.item["fingerprint"]:
            raise InvariantViolated("I5", f"{name} was done to what nobody had reviewed")
        changed = self.world.invariants.version(
            invoice.tenant_id, invoice.label, header["revision"]
        )
        reached = self.world.invariants.states.get(changed.attempt, set()) if changed else set()
        if MOVES[action] not in reached:
            raise InvariantViolated("I5", f"{name} was answered as done, and was not")
