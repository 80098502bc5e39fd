"""The invoice: what it contains, the states it may be in, and how it is numbered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from invoicing.accounts.account import TaxTreatment, Tenant
from invoicing.foundation.settings import Settings
from invoicing.invoices.billed_usage import NOTHING_BILLED, Billed
from invoicing.invoices.invoice_number import has_last_letter, invoice_number
from quote_engine import Line, Period, Quote, QuoteRequest, UnpricedUsage, fingerprint, line_json


class InvoiceStatus(StrEnum):
    """draft -> issued -> paid; draft or issued -> void. Only draft and void may be replaced."""

    DRAFT = "draft"
    ISSUED = "issued"
    PAID = "paid"
    VOID = "void"


# A void invoice frees its period: a forced run puts a new revision in its place.
REPLACEABLE = frozenset((InvoiceStatus.DRAFT, InvoiceStatus.VOID))


@dataclass(frozen=True, slots=True)
class Header:
    """An invoice without its lines. Amounts are in cents, dates in the billing time zone."""

    tenant_id: str
    number: str
    period_start: date
    period_end: date
    status: InvoiceStatus
    revision: int
    currency: str
    subtotal_cents: int
    tax_cents: int
    total_cents: int
    issued_at: datetime | None
    due_on: date | None
    fingerprint: str

    @property
    def period(self) -> Period:
        """The calendar month that is billed."""
        return Period(self.period_start, self.period_end)

    @property
    def id(self) -> str:
        """`<tenant_id>.<YYYY-MM>`: readable, and found by key."""
        return f"{self.tenant_id}.{self.period.label}"

    @property
    def no_number_follows(self) -> str:
        """Says that no number follows this issued document's, which is Z; empty if one does."""
        if self.issued_at is None or not has_last_letter(self.number):
            return ""
        return f"no number follows {self.number}, so its month cannot be billed again"


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice with its lines and the parts that are not shown.

    Those are the tax treatment of the month (late usage of earlier months keeps that of its own),
    the usage that no rate of the plan prices, the record of what was billed, and the run that
    wrote it, with the run's own time.
    """

    header: Header
    lines: tuple[Line, ...]
    tax: TaxTreatment
    unpriced: tuple[UnpricedUsage, ...] = ()
    billed: Billed = NOTHING_BILLED
    run_id: str = ""
    run_at: datetime | None = None


class InconsistentInvoice(Exception):
    """An invoice whose lines do not sum to its totals; never written."""


@dataclass(frozen=True, slots=True)
class Issue:
    """When an invoice is issued, and when payment is due (a date in the billing zone)."""

    issued_at: datetime
    due_on: date

    @classmethod
    def at(cls, moment: datetime, settings: Settings) -> "Issue":
        """Returns an issue at this moment, due `due_days` after its date in the billing zone."""
        today = moment.astimezone(settings.zone).date()
        return cls(moment, today + timedelta(days=settings.due_days))


@dataclass(frozen=True, slots=True)
class Revision:
    """The revision to write: its number, its issue if issued at once, and the run writing it.

    `letters_used` is how many letters issued documents of the month have used up.
    """

    number: int
    issue: Issue | None
    run_id: str = ""
    run_at: datetime | None = None
    letters_used: int = 0


def new_invoice(
    tenant: Tenant, request: QuoteRequest, quote: Quote, revision: Revision, billed: Billed
) -> Invoice:
    """Builds the invoice of a priced request: a draft, or issued at once if the revision says so.

    Raises InconsistentInvoice when the lines do not sum to the totals (invariants I2 and I3).
    """
    period, issue = request.period, revision.issue
    header = Header(
        tenant_id=tenant.tenant_id,
        number=invoice_number(tenant.account_number, period, revision.letters_used),
        period_start=period.start,
        period_end=period.end,
        status=InvoiceStatus.ISSUED if issue else InvoiceStatus.DRAFT,
        revision=revision.number,
        currency=quote.currency,
        subtotal_cents=quote.subtotal_cents,
        tax_cents=quote.tax_cents,
        total_cents=quote.total_cents,
        issued_at=issue.issued_at if issue else None,
        due_on=issue.due_on if issue else None,
        fingerprint=fingerprint(request, quote),
    )
    invoice = Invoice(
        header=header,
        lines=quote.lines,
        tax=request.tax,
        unpriced=quote.unpriced,
        billed=billed,
        run_id=revision.run_id,
        run_at=revision.run_at,
    )
    refuse_inconsistent(invoice)
    return invoice


def treatment_said(lines: Iterable[Line]) -> TaxTreatment:
    """Returns the treatment that the tax line says: all there is on the oldest invoices.

    Each of those taxes all of its lines alike. Later ones may say of which part the tax is.
    """
    untaxed = any(line.kind == "tax" and line.description == "GST-free" for line in lines)
    return "gst_free" if untaxed else "gst"


def refuse_inconsistent(invoice: Invoice) -> None:
    """Raises InconsistentInvoice unless lines, subtotal, tax and total agree to the cent."""
    header = invoice.header
    tax = sum(line.amount_cents for line in invoice.lines if line.kind == "tax")
    charges = sum(line.amount_cents for line in invoice.lines if line.kind != "tax")
    agreed = (charges, tax, charges + tax)
    if agreed != (header.subtotal_cents, header.tax_cents, header.total_cents):
        raise InconsistentInvoice(
            f"invoice {header.id}: lines give {agreed}, totals say "
            f"{(header.subtotal_cents, header.tax_cents, header.total_cents)} cents"
        )


def header_json(header: Header) -> dict[str, Any]:
    """Returns the header as the API shows it."""
    return {
        "id": header.id,
        "number": header.number,
        "tenant_id": header.tenant_id,
        "period_start": header.period_start.isoformat(),
        "period_end": header.period_end.isoformat(),
        "status": header.status.value,
        "revision": header.revision,
        "currency": header.currency,
        "subtotal_cents": header.subtotal_cents,
        "tax_cents": header.tax_cents,
        "total_cents": header.total_cents,
        "issued_at": header.issued_at.isoformat() if header.issued_at else None,
        "due_on": header.due_on.isoformat() if header.due_on else None,
        "fingerprint": header.fingerprint,
    }


def invoice_json(invoice: Invoice) -> dict[str, Any]:
    """Returns header and lines as the API shows them: only what tenants may see."""
    lines = [line_json(line) for line in invoice.lines]
    return header_json(invoice.header) | {"lines": lines}


def unpriced_json(unpriced: Iterable[UnpricedUsage]) -> list[dict[str, str]]:
    """Returns unpriced usage for the log line and the stored invoice; never for tenants.

    Only late usage names its month, `period`.
    """
    return [
        {
            "deployment_id": usage.deployment_id,
            "resource_kind": usage.resource_kind,
            "quantity": format(usage.quantity, "f"),
        }
        | ({} if usage.period is None else {"period": usage.period})
        for usage in unpriced
    ]
