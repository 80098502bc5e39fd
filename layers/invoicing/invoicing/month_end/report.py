"""The report of a month's end, worked out from its books each time. It reads nothing itself."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import Listed
from invoicing.invoices.review import Finding, finding_document, findings, stopped
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_ends_table import Run
from invoicing.month_end.month_reader import Listing, Look
from quote_engine import Period

# Of each list at most so many entries are shown, beside how many there are.
MOST_SHOWN = 1000
# What a stored report may take of DynamoDB's 400 KB, and how far its lists are cut for it.
STORED_BYTES = 300 * 1024
STORED_CUTS = (1000, 300, 100, 30, 0)
AMOUNTS = ("subtotal_cents", "tax_cents", "total_cents")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What the review says of one tenant; without an invoice where there is none to hold."""

    tenant_id: str
    invoice: Header | None
    before: Header | None
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether it is a draft that is not issued without a reason."""
        return any(finding.holds for finding in self.findings)

    @property
    def moved_cents(self) -> int:
        """How far the total moved from last month's, in cents."""
        now = self.invoice.total_cents if self.invoice else 0
        return now - (self.before.total_cents if self.before else 0)


def findings_of(listed: Listed, before: Header | None) -> tuple[Finding, ...]:
    """What the review finds in a draft beside last month's invoice; nothing in another state.

    `before` is None if there was none last month, or if it was void.
    """
    header = listed.header
    if header.status is not InvoiceStatus.DRAFT:
        return ()
    cents = before.total_cents if before else None
    return findings(header.total_cents, listed.flags, cents)


def held_by(listed: Listed, before: Header | None) -> tuple[Finding, ...]:
    """Why a draft is not issued without a reason; empty if it may be."""
    return tuple(finding for finding in findings_of(listed, before) if finding.holds)


@dataclass(frozen=True, slots=True)
class MonthReport:
    """A month's end at one moment (UTC); lists are in order of tenant id."""

    period: Period
    as_of: datetime
    invoices: tuple[Listed, ...]
    before: Mapping[str, Header]
    nothing: tuple[str, ...]
    failed: tuple[Failure, ...]
    missing: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def digest(self) -> str:
        """What a review is of: the same until an invoice comes, goes or changes its money."""
        return digest(listed.header for listed in self.invoices)

    def review(self) -> list[Reviewed]:
        """Drafts with findings, and who has stopped: held ones first, then the biggest movers."""
        drafts = [self._reviewed(each) for each in self.invoices]
        gone = [
            Reviewed(name, None, before, (stopped(before.total_cents),))
            for name in self.nothing
            if (before := self.before.get(name)) is not None and before.total_cents
        ]
        found = [each for each in (*drafts, *gone) if each.findings]
        return sorted(
            found, key=lambda each: (not each.held, -abs(each.moved_cents), each.tenant_id)
        )

    def _reviewed(self, listed: Listed) -> Reviewed:
        before = self.before.get(listed.header.tenant_id)
        found = findings_of(listed, before)
        return Reviewed(listed.header.tenant_id, listed.header, before, found)


def digest(headers: Iterable[Header]) -> str:
    """SHA-256 over tenant, revision and fingerprint of invoices, in order of tenant id.

    Their state is left out: issuing some of what was reviewed does not make it another review.
    """
    said = sorted((header.tenant_id, header.revision, header.fingerprint) for header in headers)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def month_report(listing: Listing, looks: Sequence[Look], as_of: datetime) -> MonthReport:
    """The report of a month whose other tenants were all looked at."""
    late = [look.invoice for look in looks if look.invoice is not None]
    unbilled = [look for look in looks if look.invoice is None]
    invoices = sorted((*listing.invoices, *late), key=lambda listed: listed.header.tenant_id)
    due = [look for look in unbilled if look.due]
    return MonthReport(
        period=listing.period,
        as_of=as_of,
        invoices=tuple(invoices),
        before=listing.before,
        nothing=tuple(look.tenant_id for look in unbilled if not look.due),
        failed=tuple(look.failure for look in due if look.failure is not None),
        missing=tuple(look.tenant_id for look in due if look.failure is None),
        runs=listing.runs,
    )


def report_document(report: MonthReport, most: int = MOST_SHOWN) -> dict[str, Any]:
    """The report as the API shows it, with at most so many entries of each list."""
    states = Counter(listed.header.status for listed in report.invoices)
    headers = [listed.header for listed in report.invoices]
    void = [each.tenant_id for each in headers if each.status is InvoiceStatus.VOID]
    due = len(headers) + len(report.failed) + len(report.missing)
    return {
        "period": report.period.label,
        "as_of": report.as_of.isoformat(),
        "stored": False,
        "digest": report.digest,
        "tenants": due + len(report.nothing),
        "due": due,
        "invoiced": {status.value: states[status] for status in InvoiceStatus},
        "by_status": _by_status(headers),
        "totals": _totals(headers),
        "nothing_to_invoice": _names(report.nothing, most),
        "failed": _cut("tenants", [_failure_document(each) for each in report.failed], most),
        "missing": _names(report.missing, most),
        "void_not_reissued": _names(void, most),
        # The newest: of very many the oldest are left out.
        "runs": _cut("runs", [_run_document(run) for run in reversed(report.runs)], most),
        "review": review_document(report.review(), most),
    }


def stored_document(report: MonthReport) -> dict[str, Any]:
    """The report as it is kept: its lists are cut until it fits into an item."""
    for most in STORED_CUTS:
        document = report_document(report, most)
        if len(json.dumps(document, ensure_ascii=False).encode()) <= STORED_BYTES:
            break
    return document


def review_document(review: Sequence[Reviewed], most: int) -> dict[str, Any]:
    """The review list: how many entries, how many of them held back, and the first of them."""
    held = sum(1 for each in review if each.held)
    shown = [reviewed_document(each) for each in review[:most]]
    return {"count": len(review), "held": held, "entries": shown}


def reviewed_document(each: Reviewed) -> dict[str, Any]:
    """An entry of the review list; amounts are cents."""
    invoice = each.invoice
    return {
        "tenant_id": each.tenant_id,
        "invoice_id": invoice.id if invoice else None,
        "revision": invoice.revision if invoice else None,
        "total_cents": invoice.total_cents if invoice else None,
        "last_total_cents": each.before.total_cents if each.before else None,
        "held": each.held,
        "findings": [finding_document(finding) for finding in each.findings],
    }


def _by_status(headers: Sequence[Header]) -> list[dict[str, Any]]:
    kinds = sorted({(each.currency, each.status) for each in headers})
    return [
        {"currency": currency, "status": status.value}
        | _sums([each for each in headers if (each.currency, each.status) == (currency, status)])
        for currency, status in kinds
    ]


def _totals(headers: Sequence[Header]) -> list[dict[str, Any]]:
    """Of what is billed: a void invoice is not. One row a currency, and nearly always one."""
    billed = [each for each in headers if each.status is not InvoiceStatus.VOID]
    return [
        {"currency": currency} | _sums([each for each in billed if each.currency == currency])
        for currency in sorted({each.currency for each in billed})
    ]


def _sums(headers: Sequence[Header]) -> dict[str, int]:
    sums = {name: sum(getattr(each, name) for each in headers) for name in AMOUNTS}
    return {"invoices": len(headers)} | sums


def _cut(name: str, entries: Sequence[Any], most: int) -> dict[str, Any]:
    return {"count": len(entries), name: list(entries[:most])}


def _names(tenant_ids: Sequence[str], most: int) -> dict[str, Any]:
    return _cut("tenant_ids", tenant_ids, most)


def _failure_document(failure: Failure) -> dict[str, Any]:
    return {
        "tenant_id": failure.tenant_id,
        "reason": failure.reason,
        "run_id": failure.run_id,
        "sent_at": failure.sent_at.isoformat(),
        "receive_count": failure.receive_count,
    }


def _run_document(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "run_at": run.run_at.isoformat(),
        "by": run.by,
        "force": run.force,
        "tenants": run.tenants,
        "tenant_ids": list(run.named) if run.named else None,
    }
