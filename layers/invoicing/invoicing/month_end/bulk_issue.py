"""Issues every draft of a reviewed month that is not held back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Annotated, Any

from pydantic import Field

from invoicing.foundation.audit import Actor, Reason
from invoicing.foundation.json_input import read_body
from invoicing.foundation.parallel import at_once
from invoicing.foundation.parsing import StrictModel
from invoicing.foundation.settings import Settings
from invoicing.foundation.time_limit import TimeLimit
from invoicing.invoices.invoice import Header, InvoiceStatus, Issue
from invoicing.invoices.invoice_lists_table import InvoiceLists, ListedInvoice
from invoicing.invoices.lifecycle import (
    Action,
    ChangeRefused,
    ChangeRequest,
    Fingerprint,
    Held,
    InvalidChangeRequest,
    InvoiceChange,
)
from invoicing.invoices.lifecycle_table import Changed, LifecycleTable
from invoicing.invoices.review import Finding, finding_json
from invoicing.month_end.month_reader import standing_before
from invoicing.month_end.report import digest, held_by
from quote_engine import Period

# How many drafts are issued between two checks of the time limit.
ISSUED_AT_ONCE = 64
MOST_OVERRIDES = 1000
# How many held and how many refused invoices are shown at most; the counts cover all of them.
MOST_SHOWN = 1000
DONE = frozenset((InvoiceStatus.ISSUED, InvoiceStatus.PAID))

Overrides = Annotated[dict[str, Reason], Field(max_length=MOST_OVERRIDES)]


class BulkIssueRequest(StrictModel):
    """The digest of the month that was reviewed, and why held drafts are issued anyway."""

    reviewed: Fingerprint
    overrides: Overrides = Field(default_factory=dict)


def read_bulk_issue_request(body: Any) -> BulkIssueRequest:
    """Reads the request from a body; raises InvalidChangeRequest with every faulty field."""
    return read_body(BulkIssueRequest, body, InvalidChangeRequest)


class MonthChanged(Exception):
    """The month is not what was reviewed; carries its current digest."""

    def __init__(self, current: str) -> None:
        super().__init__("an invoice came, went or changed since the month was reviewed")
        self.current = current


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who issues, when (UTC), and the dates that the issue sets."""

    actor: Actor
    at: datetime
    issue: Issue

    def change(self, header: Header, reason: str | None) -> InvoiceChange:
        """Returns the issue of one draft, in exactly the revision and content that was listed."""
        request = ChangeRequest(
            revision=header.revision, fingerprint=header.fingerprint, reason=reason
        )
        return InvoiceChange(Action.ISSUE, request, self.actor, self.at, self.issue)


@dataclass(slots=True)
class BulkIssued:
    """The result for a month's drafts; repeating the request continues where this one stopped."""

    already: int
    issued: int = 0
    held: list[tuple[Header, Sequence[Finding]]] = field(default_factory=list)
    refused: list[tuple[Header, str]] = field(default_factory=list)
    complete: bool = True

    def take(self, header: Header, outcome: Changed | ChangeRefused) -> None:
        """Counts the outcome of one draft."""
        if isinstance(outcome, Held):
            self.held.append((header, outcome.holding))
        elif isinstance(outcome, Changed) and outcome.now:
            self.issued += 1
        elif isinstance(outcome, Changed) or _same_and_done(header, outcome.current):
            self.already += 1
        else:
            self.refused.append((header, str(outcome)))


def _same_and_done(header: Header, current: Header) -> bool:
    """Whether somebody else has issued the same revision meanwhile."""
    return current.status in DONE and current.revision == header.revision


@dataclass(frozen=True, slots=True)
class BulkIssue:
    """Issues drafts of a month, each as if it were issued alone."""

    lists: InvoiceLists
    table: LifecycleTable

    @classmethod
    def over(cls, settings: Settings) -> "BulkIssue":
        """Returns bulk issue over the deployed table."""
        return cls(InvoiceLists(settings.invoices_table), LifecycleTable(settings.invoices_table))

    def issue(
        self, period: Period, request: BulkIssueRequest, issuing: Issuing, limit: TimeLimit
    ) -> BulkIssued:
        """Issues what may be issued until the time is up.

        Raises ReviewedAnother, and InvalidChangeRequest for an override that names no invoice of
        the month; in both cases nothing has been issued.
        """
        invoices = self.lists.whole_period(period)
        _refuse_another(invoices, request)
        before = standing_before(self.lists, period)
        result = BulkIssued(sum(1 for listed in invoices if listed.header.status in DONE))
        free: list[Header] = []
        for listed in invoices:
            holding = held_by(listed, before.get(listed.header.tenant_id))
            if holding and listed.header.id not in request.overrides:
                result.held.append((listed.header, holding))
            elif listed.header.status is InvoiceStatus.DRAFT:
                free.append(listed.header)
        for drafts in batched(free, ISSUED_AT_ONCE, strict=False):
            if limit.over:
                result.complete = False
                break
            outcomes = at_once(partial(self._issue_draft, request.overrides, issuing), drafts)
            for header, outcome in zip(drafts, outcomes, strict=True):
                result.take(header, outcome)
        return result

    def _issue_draft(
        self, overrides: Mapping[str, str], issuing: Issuing, header: Header
    ) -> Changed | ChangeRefused:
        change = issuing.change(header, overrides.get(header.id))
        try:
            return self.table.changed(header.tenant_id, header.period, change)
        except ChangeRefused as refusal:
            return refusal


def _refuse_another(invoices: Sequence[ListedInvoice], request: BulkIssueRequest) -> None:
    current = digest(listed.header for listed in invoices)
    if current != request.reviewed:
        raise MonthChanged(current)
    unknown = sorted(request.overrides.keys() - {listed.header.id for listed in invoices})
    if unknown:
        text = "is no invoice of this month"
        raise InvalidChangeRequest({f"overrides.{name}": text for name in unknown})


def issued_json(result: BulkIssued) -> dict[str, Any]:
    """Returns the result for a month's drafts as the API shows it."""
    return {
        "issued": result.issued,
        "already": result.already,
        "complete": result.complete,
        "held_count": len(result.held),
        "held": [
            {
                "invoice_id": header.id,
                "revision": header.revision,
                "total_cents": header.total_cents,
                "findings": [finding_json(finding) for finding in holding],
            }
            for header, holding in result.held[:MOST_SHOWN]
        ],
        "refused_count": len(result.refused),
        "refused": [
            {"invoice_id": header.id, "detail": why} for header, why in result.refused[:MOST_SHOWN]
        ],
    }
