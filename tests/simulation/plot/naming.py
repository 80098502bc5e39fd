"""I16: whatever is metered is billed, or named as billed nothing, or named as waiting.

People read it in the reports of the months, after the daily sweep of late usage. What invoices
bill is read from the record that they keep of it, and judged by the simulation's own terms.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from tests.simulation.books.model import KINDS, Customer, Month
from tests.simulation.books.stored_invoices import RawInvoice
from tests.simulation.people.producers import api_event
from tests.simulation.stage.report import InvariantViolated
from tests.simulation.world.functions import Function
from tests.simulation.world.seeding import FIRST_DAY
from tests.simulation.world.world import World

UNPRICED = "unpriced"


class UsedKind(NamedTuple):
    """A kind of usage of a deployment in a month."""

    label: str
    deployment_id: str
    kind: str


@dataclass(slots=True)
class Reported:
    """What all reports say: what is billed nothing, and what waits to be billed or named."""

    billed_nothing: Counter[UsedKind]
    to_be_billed: Counter[UsedKind]
    to_be_named: Counter[UsedKind]


@dataclass(frozen=True, slots=True)
class Naming:
    """Adds up what reports and invoices say of each kind of usage."""

    world: World

    def look(self, months: Iterable[Month], customers: Iterable[Customer]) -> None:
        """Raises I16 unless all usage of these customers in these months is found again."""
        world = self.world
        event = {"id": "daily", "detail-type": "Scheduled Event", "time": world.now.isoformat()}
        world.functions.sweep_late.handler(event, None)
        months = list(months)
        reported = self._reported(months)
        for customer in customers:
            for month in months:
                self._adds_up(customer, month, reported)

    def _reported(self, months: Iterable[Month]) -> Reported:
        reported = Reported(Counter(), Counter(), Counter())
        for month in months:
            report = self.report(month.label)
            for entry in report["unbilled_usage"]["entries"]:
                reported.billed_nothing[_used(entry, entry["period"])] += int(entry["quantity"])
            for entry in report["late_usage"]["entries"]:
                unpriced = entry["fate"] == UNPRICED
                waiting = reported.to_be_named if unpriced else reported.to_be_billed
                waiting[_used(entry, month.label)] += int(entry["quantity"])
        return reported

    def report(self, label: str) -> Any:
        """Reads the report of a month's end."""
        function: Function = self.world.functions.report
        now_ms = int(self.world.now.timestamp() * 1000)
        event = api_event("platform_admin", now_ms, pathParameters={"period": label})
        answer = function.handler(event, None)
        if answer["statusCode"] != HTTPStatus.OK:
            raise InvariantViolated("I8", f"no report of {label}: {function.log.lines[-1:]}")
        return json.loads(answer["body"])

    def _adds_up(self, customer: Customer, month: Month, reported: Reported) -> None:
        standing = self.world.invariants.standing
        invoice = standing.get((customer.tenant_id, month.label))
        if invoice is None and customer.billed_in(month):
            return
        if invoice is not None and invoice.status == "void":
            return
        invoices = [each for key, each in standing.items() if key[0] == customer.tenant_id]
        if _lacks_a_void_one(month.label, invoices):
            return
        for deployment_id in customer.deployments:
            for kind in KINDS:
                used = UsedKind(month.label, deployment_id, kind)
                days = self.world.books.days(deployment_id, month.label, kind)
                nothing = customer.billed_nothing(deployment_id, kind, days)
                named = reported.billed_nothing[used], reported.to_be_named[used]
                if sum(named) != nothing:
                    text = f"{nothing} of {used} are billed nothing; named or to be named: {named}"
                    raise InvariantViolated("I16", text)
                priced = sum(days.values()) - nothing
                billed = sum(_billed(each, customer, used) for each in invoices)
                if billed + reported.to_be_billed[used] != priced:
                    text = f"{priced} of {used} are priced: {billed} are billed, and there wait"
                    raise InvariantViolated("I16", f"{text} {reported.to_be_billed[used]}")


def _lacks_a_void_one(label: str, invoices: Iterable[RawInvoice]) -> bool:
    """Whether an invoice goes on from what a void one billed of the month.

    What the void one billed is on no invoice then, until it is made again.
    """
    late = [invoice for invoice in invoices if label in invoice.adjusts()]
    void = [invoice.label for invoice in late if invoice.status == "void"]
    return any(
        each.status != "void" and each.label > min(void, default=each.label) for each in late
    )


def _billed(invoice: RawInvoice, customer: Customer, used: UsedKind) -> int:
    """Returns how much of the usage an invoice says that it bills, at the customer's terms."""
    if invoice.status == "void":
        return 0
    quantity = 0
    for entry in invoice.billed:
        if entry.get("period", invoice.label) != used.label or not _rated(entry, customer, used):
            continue
        if "period" in entry:
            quantity += int(entry["after"].get(used.kind, 0))
            quantity -= int(entry["before"].get(used.kind, 0))
        else:
            quantity += int(entry["usage"].get(used.kind, 0))
    return quantity


def _rated(entry: Mapping[str, Any], customer: Customer, used: UsedKind) -> bool:
    """Whether the segment of the entry is the deployment's and has a rate for the kind."""
    return any(
        entry["segment"] == f"{used.deployment_id} {segment.first or FIRST_DAY}"
        and used.kind in segment.terms.rates
        for segment in customer.deployments[used.deployment_id]
    )


def _used(entry: Mapping[str, Any], label: str) -> UsedKind:
    return UsedKind(label, entry["deployment_id"], entry["resource_kind"])
