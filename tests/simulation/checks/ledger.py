"""I9: every usage event is billed exactly once over all invoices. The simulation's own sums.

After every write: the usage table counts each recorded event once in its day and once in its
month; all invoices bill no more of a month than is recorded, and a new one bills no less than was
recorded when the work on it began. At the end all invoices together bill what all recorded events
cost, to the cent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tests.simulation.aws.expressions import Item
from tests.simulation.aws.tables import ItemChange
from tests.simulation.books.model import KINDS, Customer, Month
from tests.simulation.books.stored_invoices import Amounts, RawInvoice
from tests.simulation.books.treatments import Treatments, tax_due
from tests.simulation.books.usage import Books, Sent
from tests.simulation.stage.report import InvariantViolated

DEDUPE, TOTAL = "event", "total"


def month_of(label: str) -> Month:
    """Returns the month of a label such as `2026-04`."""
    year, number = label.split("-")
    return Month(int(year), int(number))


@dataclass(slots=True)
class Ledger:
    """Compares what is stored and billed with what was sent and recorded."""

    books: Books
    customers: Mapping[str, Customer]
    treatments: Treatments

    def usage_written(self, changes: Sequence[ItemChange], step: int) -> None:
        """Raises I9 unless the items that changed hold exactly the events that are recorded."""
        touched = {self._recorded(change, step) for change in changes if change.key[1] == DEDUPE}
        for change in changes:
            name, day = change.key
            if day not in (DEDUPE, TOTAL) and change.after is not None:
                touched.add((name.rpartition("#")[0], day))
        items = {change.key: change.after for change in changes}
        for deployment_id, day in sorted(touched - {("", "")}):
            self._compare(deployment_id, day, items)

    def _recorded(self, change: ItemChange, step: int) -> tuple[str, str]:
        """Records the event of a dedupe item; returns the deployment and day where it counts."""
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
            name, event_day, kind = sent.spot
            if name == deployment_id and event_day.isoformat()[:7] == label:
                expected_month[kind] += sent.quantity
                if event_day.isoformat() == day:
                    expected_day[kind] += sent.quantity
        name = f"{deployment_id}#{label}"
        for key, expected in ((day, expected_day), (TOTAL, expected_month)):
            stored = _quantities(items.get((name, key)))
            if stored != expected:
                text = f"usage of {name} {key} is {dict(stored)}; recorded are {dict(expected)}"
                raise InvariantViolated("I9", text)

    def invoice_written(
        self, invoice: RawInvoice, invoices: Iterable[RawInvoice], began_at: int
    ) -> None:
        """Raises I9, I11 or I15 for a wrong invoice; `invoices` are all of the tenant's."""
        customer = self.customers[invoice.tenant_id]
        name = f"{invoice.tenant_id} {invoice.label}"
        fixed = customer.fixed_cents(month_of(invoice.label))
        if invoice.fixed_cents() != fixed:
            text = f"{name} bills {dict(invoice.fixed_cents())}, not {dict(fixed)}"
            raise InvariantViolated("I11", text)
        if invoice.tax not in self.treatments.since(invoice.tenant_id, began_at):
            raise InvariantViolated("I15", f"{name} is {invoice.tax}, which its tenant was not")
        invoices = list(invoices)
        self._taxed_as_their_months(invoices)
        self._not_too_much(customer, invoices)
        self._not_too_little(customer, invoice, invoices, began_at)

    def _taxed_as_their_months(self, invoices: Iterable[RawInvoice]) -> None:
        """Raises I15 unless the GST of each is that of its lines, each taxed as its month."""
        treatments = {invoice.label: invoice.tax for invoice in invoices}
        for invoice in invoices:
            if invoice.status == "void":
                continue
            due = tax_due(invoice.cents_by_treatment(treatments))
            if invoice.tax_line() != due:
                text = f"{invoice.tenant_id} {invoice.label}: {invoice.tax_line()}; due: {due}"
                raise InvariantViolated("I15", text)

    def _not_too_much(self, customer: Customer, invoices: Iterable[RawInvoice]) -> None:
        for (label, name, kind), cents in sorted(billed(invoices).items()):
            limit = self.due(customer, label, name, kind)
            if cents > limit:
                text = f"{name} {kind} of {label}: {cents} cents are billed, {limit} are recorded"
                raise InvariantViolated("I9", text)

    def _not_too_little(
        self,
        customer: Customer,
        invoice: RawInvoice,
        invoices: Iterable[RawInvoice],
        began_at: int,
    ) -> None:
        label = invoice.label
        own = invoice.usage_cents()
        billed_by_others = {
            key[0]
            for other in invoices
            if other is not invoice
            for key in other.usage_cents()
            if other.label != key[0]
        }
        # A later invoice may have billed the late usage: then this one ends where that begins.
        if label in billed_by_others:
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
        """Returns the cents for a month's recorded usage, as known at step `until`."""
        days: Mapping[tuple[date, str], int] = self.books.days(customer.tenant_id, name, until)
        return customer.usage_cents(name, kind, month_of(label), days)

    def all_billed(
        self, customer: Customer, labels: Iterable[str], invoices: Iterable[RawInvoice]
    ) -> None:
        """Raises I9 unless these invoices bill exactly what is recorded, over all months."""
        amounts = billed(invoices)
        for label in labels:
            for name in customer.deployments:
                for kind in KINDS:
                    due = self.due(customer, label, name, kind)
                    if amounts.pop((label, name, kind), 0) != due:
                        text = f"{name} {kind} of {label}: {due} cents are due, billed are others"
                        raise InvariantViolated("I9", text)
        if any(amounts.values()):
            raise InvariantViolated("I9", f"billed for nothing: {dict(amounts)}")

    def unrecorded(self) -> list[Sent]:
        """Returns the events that were sent and of which no content is recorded."""
        return list(self.books.unanswered())


def billed(invoices: Iterable[RawInvoice]) -> Amounts:
    """Returns the cents that these invoices bill for usage; a void one bills nothing."""
    amounts: Amounts = Counter()
    for invoice in invoices:
        if invoice.status != "void":
            amounts.update(invoice.usage_cents())
    return amounts


def _quantities(item: Item | None) -> Counter[str]:
    values = item or {}
    return Counter({kind: int(values[kind]["N"]) for kind in KINDS if kind in values})
