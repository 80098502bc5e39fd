"""Issues a month's drafts in one go, as they were reviewed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.month_end.closed_month import EVERYTHING, closed_month, report_now
from cli.month_end.show_month import review_table, totals_table
from cli.stack.caller_identity import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.ask import confirmed, someone_is_there
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import complain, progress, show
from cli.terminal.tables import money, print_table
from cli.terminal.text import cell, cells, counted
from invoicing.foundation.time_limit import TimeLimit
from invoicing.invoices.invoice import InvoiceStatus, Issue
from invoicing.invoices.lifecycle import InvalidChangeRequest
from invoicing.month_end.bulk_issue import (
    BulkIssue,
    BulkIssued,
    BulkIssueRequest,
    Issuing,
    MonthChanged,
    issued_json,
    read_bulk_issue_request,
)
from invoicing.month_end.report_json import report_json
from quote_engine import Period

# Seconds between two steps of the progress bar; each go lists the month anew.
SECONDS_A_GO = 10.0
MOST_ROWS = 100
NOT_NAMED = "--reviewed: name the digest of the report that was reviewed, or say --yes"


@dataclass(frozen=True, slots=True)
class MonthWords:
    """A person's options for issuing a month."""

    overrides: Sequence[str]
    reviewed: str | None
    yes: bool

    @property
    def any_given(self) -> bool:
        """Whether any of the options is given."""
        return bool(self.overrides) or self.reviewed is not None or self.yes

    @property
    def reasons(self) -> dict[str, str]:
        """Why held invoices are issued all the same, by invoice id; raises BadInput if faulty."""
        reasons: dict[str, str] = {}
        for override in self.overrides:
            invoice_id, equals, reason = override.partition("=")
            if not (equals and invoice_id.strip() and reason.strip()):
                raise BadInput(f"--override: TENANT.YYYY-MM=REASON, not {override}")
            reasons[invoice_id] = reason.strip()
        return reasons


def issue_month(chosen: Chosen, label: str, words: MonthWords) -> None:
    """Issues the reviewed drafts that are not held, or that an override names.

    Raises NotAllowed if the month has changed since the review, or if any was held or refused.
    """
    reasons = words.reasons
    asks = not words.yes and words.reviewed is None
    if asks and (chosen.as_json or not someone_is_there()):
        raise BadInput(NOT_NAMED)
    stack = chosen.connect()
    period = closed_month(stack, label, datetime.now(UTC))
    reviewed = words.reviewed
    if reviewed is None:
        reviewed = _reviewed(chosen, stack, period, asks)
    request = _request(reviewed, reasons)
    try:
        outcome = _issue(stack, period, request)
    except MonthChanged as error:
        show(chosen.as_json, {"refused": str(error), "digest": error.current}, Table)
        raise NotAllowed(f"{error}: review it again with `monthend report`") from error
    except InvalidChangeRequest as error:
        raise BadInput(_in_words(error)) from error
    body = {"period": period.label, **issued_json(outcome)}
    show(chosen.as_json, body, lambda: _left_table(body), _summary(body))
    if outcome.held or outcome.refused:
        raise NotAllowed(f"{len(outcome.held)} held, {len(outcome.refused)} refused")


def _reviewed(chosen: Chosen, stack: Stack, period: Period, asks: bool) -> str:
    """Shows the month as it is now and returns its digest.

    Raises NotAllowed if the person is asked and does not agree.
    """
    report = report_now(stack, period)
    body = report_json(report, EVERYTHING)
    if not chosen.as_json:
        for table in (totals_table(body), review_table(body["review"])):
            if table.row_count:
                print_table(table)
    if lacking := len(report.missing) + len(report.failed):
        complain(f"{counted(lacking, 'tenant')} due without an invoice yet: `monthend status`")
    drafts = body["invoiced"][InvoiceStatus.DRAFT]
    held = body["review"]["held"]
    question = f"Issue the {drafts} drafts of {period.label}, but for the {held} that are held?"
    if asks and not confirmed(question):
        raise NotAllowed(f"{period.label}: nothing was done")
    return report.digest


def _request(reviewed: str, reasons: Mapping[str, str]) -> BulkIssueRequest:
    try:
        return read_bulk_issue_request({"reviewed": reviewed, "overrides": dict(reasons)})
    except InvalidChangeRequest as error:
        raise BadInput(_in_words(error)) from error


def _in_words(error: InvalidChangeRequest) -> str:
    return f"--{error}".replace("--overrides.", "--override ")


def _issue(stack: Stack, period: Period, request: BulkIssueRequest) -> BulkIssued:
    at = datetime.now(UTC)
    issuing = Issuing(caller(stack), at, Issue.at(at, stack.settings))
    bulk, issued, seconds = BulkIssue.over(stack.settings), 0, SECONDS_A_GO
    with progress("invoices issued", lambda: _drafts(stack, period)) as advance:
        while True:
            outcome = bulk.issue(period, request, issuing, TimeLimit(seconds))
            advance(outcome.issued)
            issued += outcome.issued
            if outcome.complete:
                break
            if not outcome.issued:
                # The month is so large that listing it took all of the time.
                seconds = max(1.0, 2 * seconds)
    # The last go counts as issued already what earlier goes have issued.
    outcome.already -= issued - outcome.issued
    outcome.issued = issued
    return outcome


def _drafts(stack: Stack, period: Period) -> int:
    invoices = BulkIssue.over(stack.settings).lists.whole_period(period)
    return sum(invoice.header.status is InvoiceStatus.DRAFT for invoice in invoices)


def _left_table(body: Mapping[str, Any]) -> Table:
    """The drafts that were not issued, and why."""
    table = Table(title="Not issued", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Invoice", no_wrap=True)
    table.add_column("Total", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for draft in body["held"][:MOST_ROWS]:
        why = cells(*(f"{finding['rule']}: {finding['detail']}" for finding in draft["findings"]))
        table.add_row(draft["invoice_id"], money(draft["total_cents"]), f"held: {why}")
    for refusal in body["refused"][:MOST_ROWS]:
        table.add_row(refusal["invoice_id"], "", cell(refusal["detail"]))
    return table


def _summary(body: Mapping[str, Any]) -> str:
    counts = (f"{body['issued']:,} issued", f"{body['already']:,} issued before")
    left = (f"{body['held_count']:,} held", f"{body['refused_count']:,} refused")
    return f"{body['period']}: {', '.join((*counts, *left))}."
