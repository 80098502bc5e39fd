"""GET /month-ends/{period}: who is due and with what outcome, read from the tables each time."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    bad_request,
    not_there,
    ok,
    query_parameters,
    received_at,
)
from invoicing.api.paths import month_in_path
from invoicing.foundation.settings import settings
from invoicing.foundation.time_limit import OutOfTime, TimeLimit
from invoicing.month_end.month_ends_table import MonthEndsTable
from invoicing.month_end.month_reader import MonthReader
from invoicing.month_end.report import month_report
from invoicing.month_end.report_json import report_json
from quote_engine import Period

# API Gateway waits 29 seconds, and what was read must still be added up and sent.
SECONDS = 20
STORED = {"true": True, "false": False}

logger = Logger(service="get_month_end")


def _stored(event: Event) -> bool:
    text = query_parameters(event, frozenset(("stored",))).get("stored", "false")
    if text not in STORED:
        raise bad_request({"stored": "must be true or false"})
    return STORED[text]


def _stored_report(period: Period) -> dict[str, Any]:
    report = MonthEndsTable(settings().accounts_table).stored_report(period)
    if report is None:
        raise not_there("stored report")
    return report


def _report(period: Period, event: Event) -> dict[str, Any]:
    limit, reader = TimeLimit(SECONDS), MonthReader.over(settings())
    listing = reader.listing(period)
    try:
        checks = reader.all_checks(listing, limit)
    except OutOfTime as error:
        logger.warning("out of time", extra={"reason": str(error)})
        raise
    return report_json(month_report(listing, checks, received_at(event)))


TOO_LARGE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    f"Not worked out within {SECONDS} s. With stored=true, the last sweep's is told.",
)


@api(logger, may=lambda caller: caller.is_admin, answers={OutOfTime: TOO_LARGE})
def handler(event: Event, _caller: Caller) -> Response:
    """Answers the report as it is now, or with `stored=true` as the last sweep stored it."""
    stored, period = _stored(event), month_in_path(event)
    return ok(_stored_report(period) if stored else _report(period, event))
