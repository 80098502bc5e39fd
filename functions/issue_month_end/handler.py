"""POST /month-ends/{period}/issue: issues every draft that the review did not hold back."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    json_body,
    ok,
    query_parameters,
    received_at,
)
from invoicing.api.paths import month_in_path
from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import settings
from invoicing.foundation.time_limit import TimeLimit
from invoicing.invoices.invoice import Issue
from invoicing.month_end.bulk_issue import (
    BulkIssue,
    Issuing,
    MonthChanged,
    issued_json,
    read_bulk_issue_request,
)

# API Gateway waits 29 seconds; a caller who gets `complete: false` repeats the request.
SECONDS = 20

logger = Logger(service="issue_month_end")


def _issuing(event: Event, caller: Caller) -> Issuing:
    at = received_at(event)
    return Issuing(Actor(caller.subject, caller.name), at, Issue.at(at, settings()))


def _conflict(error: MonthChanged) -> Problem:
    more = {"digest": error.current}
    return Problem(HTTPStatus.CONFLICT, f"{error}: review it again.", more=more)


@api(logger, may=lambda caller: caller.is_admin, answers={MonthChanged: _conflict})
def handler(event: Event, caller: Caller) -> Response:
    """Answers what became of the drafts; a 409 with the digest if the month is not as reviewed."""
    limit = TimeLimit(SECONDS)
    query_parameters(event, frozenset())
    period = month_in_path(event)
    issuing = _issuing(event, caller)
    request = read_bulk_issue_request(json_body(event))
    issued = BulkIssue.over(settings()).issue(period, request, issuing, limit)
    body = {"period": period.label, **issued_json(issued)}
    counts = {name: body[name] for name in ("issued", "already", "held_count", "refused_count")}
    logger.info("month issued", extra=counts | {"period": period.label, "by": caller.subject})
    return ok(body)
