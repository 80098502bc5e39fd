"""Issues a month's drafts in one go, as they were reviewed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cli.month_end.month import EVERYTHING, closed_month, report_now
from cli.month_end.show_month import review_table, totals_table
from cli.stack.caller import caller
from cli.stack.global_options import Chosen
from cli.stack.stack import Stack
from cli.terminal.ask import confirmed, someone_is_there
from cli.terminal.errors import BadInput, NotAllowed
from cli.terminal.output import complain, progress, show
from cli.terminal.show import money, print_table
from cli.terminal.text import cell, cells, counted
from invoicing.foundation.parallel import TimeLimit
from invoicing.invoices.invoice import InvoiceStatus, Issue
from invoicing.invoices.lifecycle import InvalidChangeRequest
from invoicing.month_end.bulk_issue import (
    BulkIssue,
    BulkIssued,
    BulkIssueRequest,
    Issuing,
    ReviewedAnother,
    issued_json,
    read_bulk_issue_request,
)
from invoicing.month_end.report_json import report_json
from quote_engine import Period

# Between two movements of the bar; each time the month is listed anew.
SECONDS_A_GO = 10.0
MOST_ROWS = 100
NOT_NAMED = "--reviewed: name the digest of the report that was reviewed, or say --yes"


@dataclass(frozen=True, slots=True)
class MonthWords:
    """What the person says about issuing a month."""

    overrides: Sequence[str]
    reviewed: str | None
    yes: bool

    @property
    def any_given(self) -> bool:
        """Whether anything is said at all."""
        return bool(self.overrides) or self.reviewed is not None or self.yes

    @property
    def reasons(self) -> dict[str, str]:
        """Why invoices are issued although they are held, by their ids."""
        found: dict[str, str] = {}
        for each in self.overrides:
            invoice_id, equals, reason = each.partition("=")
            if not (equals and invoice_id.strip() and reason.strip()):
                raise BadInput(f"--override: TENANT.YYYY-MM=REASON, not {each}")
            found[invoice_id] = reason.strip()
        return found


def issue_month(chosen: Chosen, label: str, words: MonthWords) -> None:
    """Issues what was reviewed and is not held; raises NotAllowed if the month has changed."""
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
        found = _issue(stack, period, request)
    except ReviewedAnother as error:
        show(chosen.as_json, {"refused": str(error), "digest": error.current}, Table)
        raise NotAllowed(f"{error}: review it again with `monthend report`") from error
    except InvalidChangeRequest as error:
        raise BadInput(_in_words(error)) from error
    document = {"period": period.label, **issued_json(found)}
    show(chosen.as_json, document, lambda: _left_table(document), _summary(document))
    if found.held or found.refused:
        raise NotAllowed(f"{len(found.held)} held, {len(found.refused)} refused")


def _reviewed(chosen: Chosen, stack: Stack, period: Period, asks: bool) -> str:
    """The digest of the month as it is now, which the person is shown."""
    report = report_now(stack, period)
    document = report_json(report, EVERYTHING)
    if not chosen.as_json:
        for table in (totals_table(document), review_table(document["review"])):
            if table.row_count:
                print_table(table)
    if lacking := len(report.missing) + len(report.failed):
        complain(f"{counted(lacking, 'tenant')} due without an invoice yet: `monthend status`")
    drafts = document["invoiced"][InvoiceStatus.DRAFT]
    held = document["review"]["held"]
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
            found = bulk.issue(period, request, issuing, TimeLimit(seconds))
            advance(found.issued)
            issued += found.issued
            if found.complete:
                break
            if not found.issued:
                # So large a month that listing it took all of the time.
                seconds = max(1.0, 2 * seconds)
    # What an earlier go has issued, this one found to be issued already.
    found.already -= issued - found.issued
    found.issued = issued
    return found


def _drafts(stack: Stack, period: Period) -> int:
    listed = BulkIssue.over(stack.settings).lists.whole_period(period)
    return sum(each.header.status is InvoiceStatus.DRAFT for each in listed)


def _left_table(document: Mapping[str, Any]) -> Table:
    """What was not issued, and why."""
    table = Table(title="Not issued", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("Invoice", no_wrap=True)
    table.add_column("Total", justify="right", no_wrap=True)
    table.add_column("Why", overflow="fold")
    for each in document["held"][:MOST_ROWS]:
        why = cells(*(f"{found['rule']}: {found['detail']}" for found in each["findings"]))
        table.add_row(each["invoice_id"], money(each["total_cents"]), f"held: {why}")
    for each in document["refused"][:MOST_ROWS]:
        table.add_row(each["invoice_id"], "", cell(each["detail"]))
    return table


def _summary(document: Mapping[str, Any]) -> str:
    counts = (f"{document['issued']:,} issued", f"{document['already']:,} issued before")
    left = (f"{document['held_count']:,} held", f"{document['refused_count']:,} refused")
    return f"{document['period']}: {', '.join((*counts, *left))}."
