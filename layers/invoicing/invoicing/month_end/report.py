"""The report of a month's end, worked out from its books each time. It reads nothing itself."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import Listed
from invoicing.invoices.review import Finding, findings, stopped
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_ends_table import RunRecord
from invoicing.month_end.month_reader import ListedMonth, TenantCheck
from quote_engine import Period


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
    runs: tuple[RunRecord, ...]

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


def month_report(
    listing: ListedMonth, looks: Sequence[TenantCheck], as_of: datetime
) -> MonthReport:
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
