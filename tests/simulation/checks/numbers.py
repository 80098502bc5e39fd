"""I6: letters are for issued documents, in a row, and no issued number is ever used again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.simulation.books.model import Customer
from tests.simulation.books.stored_invoices import RawInvoice
from tests.simulation.stage.report import InvariantViolated

LETTERS = "BCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class NumberBook:
    """The numbers of all issued documents, and how many there are by tenant and month."""

    customers: Mapping[str, Customer]
    bearers: dict[str, str] = field(default_factory=dict)
    issued: Counter[tuple[str, str]] = field(default_factory=Counter)

    def written(self, invoice: RawInvoice) -> None:
        """Raises I6 unless the invoice has the next number that no issued document has."""
        year, month = invoice.label.split("-")
        account = self.customers[invoice.tenant_id].account_number
        before = self.issued[invoice.tenant_id, invoice.label]
        letter = LETTERS[before - 1] if before else ""
        number, expected = invoice.item["number"], f"{year[2:]}{month}-{account}{letter}"
        if number != expected:
            text = f"{_name(invoice)} is {number}, though {before} issued documents were before it"
            raise InvariantViolated("I6", f"{text}: {expected}")

    def issued_now(self, invoice: RawInvoice) -> None:
        """Enters a document at its issue. Raises I6 if another one was issued by its number."""
        number = invoice.item["number"]
        if number in self.bearers:
            text = f"{_name(invoice)} is issued as {number}, which is {self.bearers[number]}'s"
            raise InvariantViolated("I6", text)
        self.bearers[number] = _name(invoice)
        self.issued[invoice.tenant_id, invoice.label] += 1


def _name(invoice: RawInvoice) -> str:
    return f"{invoice.tenant_id} {invoice.label} r{invoice.revision} {invoice.attempt}"
