"""Issue, pay and void by the API: at once, between two steps of everybody else, or call by call.

An order names what was reviewed, a revision or a fingerprint. Sometimes that is an old one, which
must not be issued; sometimes two people give the same order.
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
    """Gives orders, and holds the answers against what was done."""

    world: World

    def at_once(self, tenant_id: str, label: str, action: str) -> bool:
        """Gives an order that is carried out at this very moment; whether it was."""
        document = self.world.invariants.standing.get((tenant_id, label))
        if document is None:
            return False
        answer = self.world.functions.change.handler(self._event(document, action, "ann"), None)
        self.world.look_at_writes()
        if answer["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            errors = self.world.functions.change.log.lines
            raise InvariantViolated("I5", f"{action} failed without a fault: {errors[-1:]}")
        self._judge(document, action, answer)
        done: bool = answer["statusCode"] == HTTPStatus.OK
        self.world.say(f"{action} {tenant_id} {label}: {'done' if done else 'refused'}")
        return done

    def start(self, tenant_id: str, label: str, action: str) -> None:
        """Gives an order that is carried out call by call, and may fail."""
        world = self.world
        document = world.invariants.standing.get((tenant_id, label))
        if document is None:
            return
        if world.rng.random() < 0.2:
            revision = world.rng.randint(1, document.revision)
            document = world.invariants.version(tenant_id, label, revision) or document
        event = self._event(document, action, world.rng.choice(PEOPLE))
        world.say(f"{action} {tenant_id} {label} r{document.revision} is ordered")

        def done(answer: Any, error: BaseException | None) -> None:
            if error is None:
                self._judge(document, action, answer)

        world.invoke(world.functions.change, event, done, seconds=15)

    def _event(self, document: RawInvoice, action: str, person: str) -> dict[str, Any]:
        rng = self.world.rng
        request: dict[str, Any] = {"reason": "simulated"}
        if rng.random() < 0.5:
            request["revision"] = document.revision
        else:
            request["fingerprint"] = document.item["fingerprint"]
        now_ms = int(self.world.now.timestamp() * 1000)
        event = api_event("platform_admin", now_ms, httpMethod="POST", body=json.dumps(request))
        event["requestContext"]["authorizer"]["claims"]["sub"] = person
        event["resource"] = f"/api/v1/invoices/{{id}}/{action}"
        return event | {"pathParameters": {"id": f"{document.tenant_id}.{document.label}"}}

    def _judge(self, document: RawInvoice, action: str, answer: Any) -> None:
        """I5: what was answered as done was done, to an invoice that says what was reviewed."""
        if answer["statusCode"] != HTTPStatus.OK:
            return
        header = json.loads(answer["body"])
        name = f"{action} of {document.tenant_id} {document.label} r{document.revision}"
        if header["fingerprint"] != document.item["fingerprint"]:
            raise InvariantViolated("I5", f"{name} was done to what nobody had reviewed")
        found = self.world.invariants.version(
            document.tenant_id, document.label, header["revision"]
        )
        reached = self.world.invariants.states.get(found.attempt, set()) if found else set()
        if MOVES[action] not in reached:
            raise InvariantViolated("I5", f"{name} was answered as done, and was not")
