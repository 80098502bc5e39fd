"""Somebody who reads invoices by the API between any two writes, and while others write."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tests.simulation.aws.tables import ItemChange
from tests.simulation.books.stored_invoices import RawInvoice, refuse_inconsistent
from tests.simulation.people.producers import api_event
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.world import World

ADMIN = "platform_admin"
OFTEN = 0.45
READ_TRIES = 3


@dataclass(slots=True)
class InvoiceReader:
    """Reads as a tenant, as another tenant, and as an admin."""

    world: World
    looks: int = 0
    reading: bool = False

    def look(self, _: Sequence[ItemChange]) -> None:
        """Often reads what was just written, as somebody may at any moment."""
        world = self.world
        if world.rng.random() >= OFTEN:
            return
        self.looks += 1
        tenant_id, label = self._whom()
        draw = world.rng.random()
        if draw < 0.6:
            self.read_one(tenant_id, label, f"tenant:{tenant_id}")
        elif draw < 0.75:
            self._list_own(tenant_id)
        elif draw < 0.85:
            self._stranger(tenant_id, label)
        elif draw < 0.93:
            self._old_revision(tenant_id, label)
        else:
            self._list_all(label)

    def _whom(self) -> tuple[str, str]:
        world = self.world
        if world.invariants.new and world.rng.random() < 0.8:
            invoice = world.rng.choice(world.invariants.new)
            return invoice.tenant_id, invoice.label
        month = world.rng.choice(world.settings.months)
        return world.rng.choice(world.customers).tenant_id, month.label

    def _event(self, groups: str, **fields: Any) -> dict[str, Any]:
        return api_event(groups, int(self.world.now.timestamp() * 1000), **fields)

    def _get(self, groups: str, invoice_id: str, **query: str) -> tuple[int, Any]:
        fields = {"pathParameters": {"id": invoice_id}, "queryStringParameters": query}
        answer = self.world.functions.get.handler(self._event(groups, **fields), None)
        return answer["statusCode"], json.loads(answer["body"])

    def _list(self, groups: str, **query: str) -> list[Mapping[str, Any]]:
        """Lists invoices page by page; returns all headers."""
        headers: list[Mapping[str, Any]] = []
        while True:
            event = self._event(groups, queryStringParameters={**query, "limit": "3"})
            answer = self.world.functions.list.handler(event, None)
            if answer["statusCode"] != HTTPStatus.OK:
                raise InvariantViolated("I4", f"a list failed: {answer['body']}{self._why()}")
            page = json.loads(answer["body"])
            headers += page["invoices"]
            if page["next_cursor"] is None:
                return headers
            query["cursor"] = page["next_cursor"]

    def _why(self) -> str:
        functions = self.world.functions
        errors = [
            error
            for function in (functions.get, functions.list)
            for *_, error in function.log.lines
        ]
        return f" [{errors[-1]!r:.300}]" if errors else ""

    def read_one(self, tenant_id: str, label: str, groups: str) -> None:
        """I4: the invoice that is read is the current one, whole."""
        status, body = self._get(groups, f"{tenant_id}.{label}")
        standing = self.world.invariants.standing.get((tenant_id, label))
        if standing is None and status == HTTPStatus.NOT_FOUND:
            return
        if standing is None or status != HTTPStatus.OK:
            text = f"{tenant_id} {label} was answered {status}: {body}{self._why()}"
            raise InvariantViolated("I4", text)
        refuse_inconsistent(f"{tenant_id} {label}, as read", body, body["lines"])
        self._same(body, standing)

    def could_start_slowly(self) -> bool:
        """Whether there is something to read, and no slow reader yet."""
        return bool(self.world.invariants.standing) and not (self.reading or self.world.cloud.down)

    def start_slowly(self) -> None:
        """Starts to read one invoice call by call, while others write."""
        world = self.world
        self.reading = True
        tenant_id, label = self._whom()
        began_with = world.invariants.standing.get((tenant_id, label))
        known = len(world.invariants.known)
        fields = {"pathParameters": {"id": f"{tenant_id}.{label}"}, "queryStringParameters": {}}

        def done(answer: Any, error: BaseException | None) -> None:
            self.reading = False
            if error is not None:
                raise error
            written = list(world.invariants.known.values())[known:]
            meanwhile = [
                invoice
                for invoice in written
                if (invoice.tenant_id, invoice.label) == (tenant_id, label)
            ]
            possible = [*([began_with] if began_with else []), *meanwhile]
            self._read_slowly(answer, f"{tenant_id} {label}", possible, began_with is None)

        world.invoke(world.functions.get, self._event(ADMIN, **fields), done, steady=True)

    def _read_slowly(
        self, answer: Any, name: str, possible: list[RawInvoice], may_be_absent: bool
    ) -> None:
        """I4: what was read is one of the invoices that were current meanwhile, whole."""
        status, body = answer["statusCode"], json.loads(answer["body"])
        if status == HTTPStatus.NOT_FOUND and may_be_absent:
            return
        if status != HTTPStatus.OK:
            # A reader overtaken three times in a row gets an error, not a part of an invoice.
            if self.world.cloud.down or len(possible) > READ_TRIES:
                return
            raise InvariantViolated("I4", f"{name} was answered {status}: {body}{self._why()}")
        if body["lines"] not in [invoice.lines for invoice in possible]:
            raise InvariantViolated("I4", f"{name} was read with lines that it never had")

    def _same(self, body: Mapping[str, Any], invoice: RawInvoice) -> None:
        name = f"{invoice.tenant_id} {invoice.label} r{invoice.revision}"
        if body["lines"] != invoice.lines or body["status"] != invoice.status:
            raise InvariantViolated("I4", f"{name} was read with other lines than it has")

    def _stranger(self, tenant_id: str, label: str) -> None:
        """Another tenant's invoice is answered like one that does not exist."""
        other = "tenant:somebody-else"
        theirs = self._get(other, f"{tenant_id}.{label}")
        nothing = self._get(other, f"nobody.{label}")
        if theirs != nothing or theirs[0] != HTTPStatus.NOT_FOUND:
            raise InvariantViolated("scope", f"{other} reads {tenant_id} {label}: {theirs}")
        if self._list(other, tenant_id=tenant_id):
            raise InvariantViolated("scope", f"{other} lists {tenant_id}")

    def _list_own(self, tenant_id: str) -> None:
        headers = self._list(f"tenant:{tenant_id}")
        listed = [(header["tenant_id"], header["period_start"][:7]) for header in headers]
        standing = [key for key in self.world.invariants.standing if key[0] == tenant_id]
        if listed != sorted(standing, reverse=True):
            text = f"{tenant_id} lists {listed}; there are {sorted(standing)}"
            raise InvariantViolated(
                "I4" if {tenant_id} >= {key[0] for key in listed} else "scope", text
            )

    def _list_all(self, label: str) -> None:
        """Lists by an index, which may lag: each header is one that was written."""
        for header in self._list(ADMIN, period=label):
            written = self.world.invariants.version(
                header["tenant_id"], header["period_start"][:7], header["revision"]
            )
            total = header["subtotal_cents"] + header["tax_cents"]
            if total != header["total_cents"]:
                raise InvariantViolated("I3", f"the list says {header}")
            if written is None or written.item["number"] != header["number"]:
                raise InvariantViolated("I4", f"the list shows what was never written: {header}")

    def _old_revision(self, tenant_id: str, label: str) -> None:
        standing = self.world.invariants.standing.get((tenant_id, label))
        if standing is None:
            return
        wanted = self.world.rng.randint(1, standing.revision)
        invoice = self.world.invariants.version(tenant_id, label, wanted)
        status, body = self._get(ADMIN, f"{tenant_id}.{label}", revision=str(wanted))
        if invoice is None or status != HTTPStatus.OK:
            raise InvariantViolated("I5", f"{tenant_id} {label} r{wanted}: {status} {body}")
        refuse_inconsistent(f"{tenant_id} {label} r{wanted}", body, body["lines"])
        if body["lines"] != invoice.lines:
            raise InvariantViolated("I5", f"{tenant_id} {label} r{wanted} has other lines now")
