"""PUT /plans/{code} and /addons/{code}: a change of prices makes a new version."""

from http import HTTPStatus

from aws_lambda_powertools import Logger

from invoicing.accounts.account import AddonPrice
from invoicing.accounts.account_json import Show, addon_version_json, plan_version_json
from invoicing.accounts.catalogue_form import CODE, read_addon, read_plan
from invoicing.accounts.catalogue_table import (
    ADDONS,
    PLANS,
    PriceKind,
    PriceVersions,
    TooManyVersions,
)
from invoicing.accounts.form_fields import ReadPrice, read_priced
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Problem,
    Response,
    api,
    json_body,
    needed_from_path,
    query_parameters,
)
from invoicing.api.preconditions import precondition, with_etag
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import WriteOutcome, write_version
from quote_engine import Plan

logger = Logger(service="put_catalogue")


def _put[P: (Plan, AddonPrice)](
    event: Event,
    caller: Caller,
    kind: PriceKind[P],
    read: ReadPrice[P],
    show: Show[P],
) -> Response:
    code = needed_from_path(event, "code", CODE)
    table, expected = PriceVersions(settings().accounts_table, kind), precondition(event)
    price = read_priced(read, json_body(event), code)
    written = write_version(
        lambda: table.newest(code), lambda _: price, table.write, expected.allow
    )
    stored, outcome = written.stored, written.outcome
    about = {kind.name: code, "version": stored.version, "outcome": outcome}
    logger.info("catalogue put", extra=about | {"by": caller.subject})
    status = HTTPStatus.OK if outcome is WriteOutcome.UNCHANGED else HTTPStatus.CREATED
    return with_etag(status, stored.version, show(stored))


def _conflict(error: TooManyVersions) -> Problem:
    return Problem(HTTPStatus.CONFLICT, str(error))


@api(logger, may=lambda caller: caller.is_admin, answers={TooManyVersions: _conflict})
def handler(event: Event, caller: Caller) -> Response:
    """Answers the newest version: 201 if this request made it, 200 if it was the same before."""
    query_parameters(event, frozenset())
    if event["resource"].endswith("/plans/{code}"):
        return _put(event, caller, PLANS, read_plan, plan_version_json)
    return _put(event, caller, ADDONS, read_addon, addon_version_json)
