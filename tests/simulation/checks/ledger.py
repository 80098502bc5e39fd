"""I9: what counts of usage is billed exactly once over all invoices. The simulation's own sums.

After every write: the usage table counts each recorded event once (`metered.py`); all invoices
bill no more of a month than was recorded, and a new one bills no less than that, at one moment or
another since the work on it began. At the end all invoices together bill what all recorded events
cost, to the cent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.simulation.books.model import KINDS, Customer, Month
from tests.simulation.books.stored_invoices import Amounts, RawInvoice
from tests.simulation.books.treatments import Treatments, tax_due
from tests.simulation.books.usage import Books, Sent
from tests.simulation.stage.report import InvariantViolated


def month_of(label: str) -> Month:
    """Returns the month of a label such as `2026-04`."""
    year, number = label.split("-")
    return Month(int(year), int(number))


@dataclass(slots=True)
class Ledger:
    """Compares what is billed with what was recorded."""

    books: Books
    customers: Mapping[str, Customer]
    treatments: Treatments
    # By attempt: usage at this step or later is what the invoice and those before it bill.
    since: dict[str, int] = field(default_factory=dict)
    # The same of the newest revision, by tenant and label.
    newest: dict[tuple[str, str], int] = field(default_factory=dict)

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
        self._enter(invoice, invoices, began_at)
        self._taxed_as_their_months(invoices)
        self._not_too_much(customer, invoices)
        self._not_too_little(customer, invoice, invoices, began_at)

    def _enter(self, invoice: RawInvoice, invoices: Iterable[RawInvoice], began_at: int) -> None:
        """Notes how old the usage may be that the invoice bills.

        If a later invoice goes on from it, it ends where the one did that it was made in place of.
        """
        bills, key = {invoice.label, *invoice.adjusts()}, (invoice.tenant_id, invoice.label)
        later = [other for other in invoices if other.label > invoice.label]
        since = began_at
        if any(bills & other.adjusts() for other in later):
            since = min(since, self.newest.get(key, since))
        self.since[invoice.attempt] = self.newest[key] = since

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
        """Raises I9 if more is billed of a month than was due since its last invoice was begun.

        What a void invoice took back still counts: it is made again as it was, if a later invoice
        goes on from it.
        """
        invoices = sorted(invoices, key=lambda invoice: invoice.label)
        amounts, since = billed(invoices), dict[tuple[str, str, str], int]()
        for invoice in invoices:
            for key, cents in invoice.usage_cents().items():
                if invoice.status != "void":
                    since[key] = self.since[invoice.attempt]
                elif cents < 0:
                    amounts[key] += cents
        for key, cents in sorted(amounts.items()):
            label, name, kind = key
            if cents <= 0:
                continue
            limit = max(self._dues(customer, label, name, kind, since[key]))
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
            adjusted for other in invoices if other is not invoice for adjusted in other.adjusts()
        }
        # A later invoice may have billed the late usage: then this one ends where that begins.
        if label in billed_by_others:
            return
        for name in customer.deployments:
            for kind in KINDS:
                least = min(self._dues(customer, label, name, kind, began_at))
                if own[label, name, kind] < least:
                    text = (
                        f"{name} {kind} of {label}: {own[label, name, kind]} cents are billed, "
                        f"{least} were recorded while the work was done"
                    )
                    raise InvariantViolated("I9", text)

    def _dues(self, customer: Customer, label: str, name: str, kind: str, since: int) -> list[int]:
        """Returns the cents for a month's usage at a step, and after each change since."""
        moments = self.books.moments(name, label, kind, since)
        return [self.due(customer, label, name, kind, moment) for moment in moments]

    def due(
        self, customer: Customer, label: str, name: str, kind: str, until: int | None = None
    ) -> int:
        """Returns the cents for a month's recorded usage, as known at step `until`."""
        days = self.books.days(name, label, kind, until)
        return customer.usage_cents(name, kind, month_of(label), days) if days else 0

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
