"""The report of a month's end, worked out from stored data each time. It reads nothing itself."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from invoicing.invoices.invoice import Header, InvoiceStatus
from invoicing.invoices.invoice_lists_table import ListedInvoice
from invoicing.invoices.review import Finding, findings, naming, stopped
from invoicing.month_end.failures import Failure
from invoicing.month_end.month_ends_table import RunRecord
from invoicing.month_end.month_reader import ListedMonth, TenantCheck
from invoicing.usage.usage_table import EXACT
from quote_engine import Period, UnpricedUsage


@dataclass(frozen=True, slots=True)
class UnbilledUsage:
    """Usage that is billed nothing: on an invoice that says so, or of a tenant without one.

    `period` is the label of the month in which it was used: an invoice may say so of late usage of
    an earlier month, too.
    """

    tenant_id: str
    deployment_id: str
    resource_kind: str
    period: str
    quantity: Decimal
    invoice_id: str | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The review of one tenant; `invoice` is None where there is none to hold."""

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


def findings_of(listed: ListedInvoice, before: Header | None) -> tuple[Finding, ...]:
    """Returns what the review finds in a draft beside last month's invoice; empty if no draft.

    `before` is None if there was none last month, or if it was void.
    """
    header = listed.header
    if header.status is not InvoiceStatus.DRAFT:
        return ()
    cents = before.total_cents if before else None
    return findings(header.total_cents, listed.flags, cents)


def held_by(listed: ListedInvoice, before: Header | None) -> tuple[Finding, ...]:
    """Returns the findings that hold a draft back; empty if it may be issued without a reason."""
    return tuple(finding for finding in findings_of(listed, before) if finding.holds)


@dataclass(frozen=True, slots=True)
class MonthReport:
    """A month's end at one moment (UTC); lists are in order of tenant id."""

    period: Period
    as_of: datetime
    invoices: tuple[ListedInvoice, ...]
    before: Mapping[str, Header]
    nothing_to_invoice: tuple[str, ...]
    failed: tuple[Failure, ...]
    missing: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    unbilled: tuple[UnbilledUsage, ...]
    late_usage: Mapping[str, Any] | None

    @property
    def digest(self) -> str:
        """Identifies a review: the same until an invoice comes, goes or changes its money."""
        return digest(listed.header for listed in self.invoices)

    def review(self) -> list[Reviewed]:
        """Drafts with findings, and stopped tenants: held ones first, then the biggest movers."""
        unbilled: dict[str | None, list[UnpricedUsage]] = defaultdict(list)
        for usage in self.unbilled:
            what = UnpricedUsage(usage.deployment_id, usage.resource_kind, usage.quantity)
            unbilled[usage.invoice_id].append(what)
        drafts = [self._reviewed(listed, unbilled[listed.header.id]) for listed in self.invoices]
        gone = [
            Reviewed(tenant_id, None, before, (stopped(before.total_cents),))
            for tenant_id in self.nothing_to_invoice
            if (before := self.before.get(tenant_id)) is not None and before.total_cents
        ]
        entries = [entry for entry in (*drafts, *gone) if entry.findings]
        return sorted(
            entries, key=lambda entry: (not entry.held, -abs(entry.moved_cents), entry.tenant_id)
        )

    def _reviewed(self, listed: ListedInvoice, unbilled: Sequence[UnpricedUsage]) -> Reviewed:
        before = self.before.get(listed.header.tenant_id)
        found = naming(findings_of(listed, before), unbilled)
        return Reviewed(listed.header.tenant_id, listed.header, before, found)


def digest(headers: Iterable[Header]) -> str:
    """Returns the SHA-256 of invoices' tenants, revisions and fingerprints, by tenant id.

    State is left out: issuing some of what was reviewed does not make it another review.
    """
    identities = sorted(
        (header.tenant_id, header.revision, header.fingerprint) for header in headers
    )
    return hashlib.sha256(json.dumps(identities).encode()).hexdigest()


def month_report(
    listing: ListedMonth, checks: Sequence[TenantCheck], as_of: datetime
) -> MonthReport:
    """Builds the report from a listing and the checks of its other tenants."""
    late = [check.invoice for check in checks if check.invoice is not None]
    without = [check for check in checks if check.invoice is None]
    invoices = sorted((*listing.invoices, *late), key=lambda listed: listed.header.tenant_id)
    due = [check for check in without if check.due]
    return MonthReport(
        period=listing.period,
        as_of=as_of,
        invoices=tuple(invoices),
        before=listing.before,
        nothing_to_invoice=tuple(check.tenant_id for check in without if not check.due),
        failed=tuple(check.failure for check in due if check.failure is not None),
        missing=tuple(check.tenant_id for check in due if check.failure is None),
        runs=listing.runs,
        unbilled=tuple(_unbilled(listing, checks)),
        late_usage=listing.late_usage,
    )


def _unbilled(listing: ListedMonth, checks: Sequence[TenantCheck]) -> Iterator[UnbilledUsage]:
    """Yields what is billed nothing, in order of tenant; each kind once for each month of use.

    Some of it may have no rate and some no subscription, which is the same to a reader.
    """
    label = listing.period.label
    found = dict(listing.unbilled) | {check.tenant_id: check.unbilled for check in checks}
    without = {check.tenant_id for check in checks if check.invoice is None}
    for tenant_id in sorted(found):
        quantities: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for usage in found[tenant_id]:
            key = usage.deployment_id, usage.resource_kind, usage.period or label
            quantities[key] = EXACT.add(quantities[key], usage.quantity)
        invoice_id = None if tenant_id in without else f"{tenant_id}.{label}"
        for key in sorted(quantities):
            yield UnbilledUsage(tenant_id, *key, quantities[key], invoice_id)
