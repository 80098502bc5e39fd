"""I9: every usage event is billed exactly once over all invoices. The simulation's own sums.

After every write: the usage table holds each recorded event once, in its day and in its month; no
invoice bills more of a month than is recorded, and none less than was recorded when it was begun.
At the end: what all invoices bill is what all recorded events cost, to the cent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tests.simulation.aws.expressions import Item
from tests.simulation.aws.tables import ItemChange
from tests.simulation.books.model import KINDS, Customer, Month
from tests.simulation.books.stored_invoices import Amounts, RawInvoice
from tests.simulation.books.usage import Books, Sent
from tests.simulation.stage.report import InvariantViolated

DEDUPE, TOTAL = "event", "total"


def month_of(label: str) -> Month:
    """The month of a label such as `2026-04`."""
    year, number = label.split("-")
    return Month(int(year), int(number))


@dataclass(slots=True)
class Ledger:
    """Compares what is stored and billed with what was sent and recorded."""

    books: Books
    customers: Mapping[str, Customer]

    def usage_written(self, changes: Sequence[ItemChange], step: int) -> None:
        """Raises I9 unless the items that changed hold exactly the events that are recorded."""
        touched = {self._recorded(each, step) for each in changes if each.key[1] == DEDUPE}
        for change in changes:
            name, day = change.key
            if day not in (DEDUPE, TOTAL) and change.after is not None:
                touched.add((name.rpartition("#")[0], day))
        items = {change.key: change.after for change in changes}
        for deployment_id, day in sorted(touched - {("", "")}):
            self._compare(deployment_id, day, items)

    def _recorded(self, change: ItemChange, step: int) -> tuple[str, str]:
        """Takes note of a dedupe item; where its event counts."""
        if change.after is None:
            return "", ""
        tenant_id, _, key = change.key[0].partition("#")
        sent = self.books.find(tenant_id, key, change.after["digest"]["S"])
        if sent is None:
            raise InvariantViolated("I9", f"an event was recorded that nobody sent: {change.key}")
        if (tenant_id, key) not in self.books.recorded:
            self.books.record(sent, step)
        return sent.document["deployment_id"], sent.day.isoformat()

    def _compare(
        self, deployment_id: str, day: str, items: Mapping[tuple[str, str], Item | None]
    ) -> None:
        label = day[:7]
        expected_day: Counter[str] = Counter()
        expected_month: Counter[str] = Counter()
        for sent in self.books.recorded.values():
            name, on, kind = sent.spot
            if name == deployment_id and on.isoformat()[:7] == label:
                expected_month[kind] += sent.quantity
                if on.isoformat() == day:
                    expected_day[kind] += sent.quantity
        name = f"{deployment_id}#{label}"
        for key, expected in ((day, expected_day), (TOTAL, expected_month)):
            held = _quantities(items.get((name, key)))
            if held != expected:
                text = f"usage of {name} {key} is {dict(held)}; recorded are {dict(expected)}"
                raise InvariantViolated("I9", text)

    def invoice_written(
        self, document: RawInvoice, mine: Iterable[RawInvoice], began_at: int
    ) -> None:
        """Raises I9 or I11 for an invoice that cannot be right; `mine` are all of the tenant's."""
        customer = self.customers[document.tenant_id]
        name = f"{document.tenant_id} {document.label}"
        fixed = customer.fixed_cents(month_of(document.label))
        if document.fixed_cents() != fixed:
            text = f"{name} bills {dict(document.fixed_cents())}, not {dict(fixed)}"
            raise InvariantViolated("I11", text)
        header = document.item
        if header["tax_cents"] != customer.tax_cents(int(header["subtotal_cents"])):
            raise InvariantViolated("I11", f"{name} has {header['tax_cents']} cents of tax")
        mine = list(mine)
        self._not_too_much(customer, mine)
        self._not_too_little(customer, document, mine, began_at)

    def _not_too_much(self, customer: Customer, mine: Iterable[RawInvoice]) -> None:
        for (label, name, kind), cents in sorted(billed(mine).items()):
            limit = self.due(customer, label, name, kind)
            if cents > limit:
                text = f"{name} {kind} of {label}: {cents} cents are billed, {limit} are recorded"
                raise InvariantViolated("I9", text)

    def _not_too_little(
        self, customer: Customer, document: RawInvoice, mine: Iterable[RawInvoice], began_at: int
    ) -> None:
        label = document.label
        own = document.usage_cents()
        others = {
            key[0]
            for each in mine
            if each is not document
            for key in each.usage_cents()
            if each.label != key[0]
        }
        # A later invoice may have taken what came late: then this one ends where that begins.
        if label in others:
            return
        for name in customer.deployments:
            for kind in KINDS:
                least = self.due(customer, label, name, kind, until=began_at)
                if own[label, name, kind] < least:
                    text = (
                        f"{name} {kind} of {label}: {own[label, name, kind]} cents are billed, "
                        f"{least} were recorded before the work began"
                    )
                    raise InvariantViolated("I9", text)

    def due(
        self, customer: Customer, label: str, name: str, kind: str, until: int | None = None
    ) -> int:
        """What a month's recorded usage costs, in cents; as it was known at a step."""
        days: Mapping[tuple[date, str], int] = self.books.days(customer.tenant_id, name, until)
        return customer.usage_cents(name, kind, month_of(label), days)

    def all_billed(
        self, customer: Customer, labels: Iterable[str], mine: Iterable[RawInvoice]
    ) -> None:
        """Raises I9 unless these invoices bill exactly what is recorded, over all months."""
        found = billed(mine)
        for label in labels:
            for name in customer.deployments:
                for kind in KINDS:
                    due = self.due(customer, label, name, kind)
                    if found.pop((label, name, kind), 0) != due:
                        text = f"{name} {kind} of {label}: {due} cents are due, billed are others"
                        raise InvariantViolated("I9", text)
        if any(found.values()):
            raise InvariantViolated("I9", f"billed for nothing: {dict(found)}")

    def unrecorded(self) -> list[Sent]:
        """Events that were sent and are recorded in no form."""
        return list(self.books.unanswered())


def billed(documents: Iterable[RawInvoice]) -> Amounts:
    """What standing invoices bill for usage; a void one bills nothing."""
    found: Amounts = Counter()
    for document in documents:
        if document.status != "void":
            found.update(document.usage_cents())
    return found


def _quantities(item: Item | None) -> Counter[str]:
    found = item or {}
    return Counter({kind: int(found[kind]["N"]) for kind in KINDS if kind in found})
