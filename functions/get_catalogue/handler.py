"""GET /plans, /plans/{code}, /addons, /addons/{code}: the catalogue, for any signed-in caller."""

import re

from aws_lambda_powertools import Logger

from invoicing.accounts.account import AddonPrice
from invoicing.accounts.account_json import (
    Show,
    addon_version_json,
    plan_summary_json,
    plan_version_json,
)
from invoicing.accounts.catalogue_form import CODE
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceKind, PriceVersions
from invoicing.api.access import Caller
from invoicing.api.http import (
    Event,
    Response,
    api,
    bad_request,
    not_there,
    ok,
    path_parameter,
    query_parameters,
)
from invoicing.api.paging import PARAMETERS, Page, page_json
from invoicing.api.preconditions import stored_response
from invoicing.foundation.settings import settings
from invoicing.foundation.versioned_records import Stored
from quote_engine import Plan

VERSION = re.compile("[1-9][0-9]{0,3}")

logger = Logger(service="get_catalogue")


def _list[P: (Plan, AddonPrice)](event: Event, kind: PriceKind[P], show: Show[P]) -> Response:
    query, table = query_parameters(event, PARAMETERS), PriceVersions(_table(), kind)
    name = f"{kind.name}s"

    def page(after: str | None, limit: int) -> Page[Stored[P]]:
        codes = table.codes(after, limit + 1)
        return table.several(codes[:limit]), codes[limit - 1][0] if len(codes) > limit else None

    return ok(page_json(query, name, name, page, show))


def _one[P: (Plan, AddonPrice)](event: Event, kind: PriceKind[P], show: Show[P]) -> Response:
    text = query_parameters(event, frozenset(("version",))).get("version")
    if text is not None and not VERSION.fullmatch(text):
        raise bad_request({"version": "must be a whole number from 1 to 9999"})
    code = path_parameter(event, "code", CODE)
    if code is None:
        raise not_there(kind.name)
    table = PriceVersions(_table(), kind)
    stored = table.newest(code) if text is None else table.get(code, int(text))
    if stored is None:
        raise not_there(kind.name)
    return stored_response(stored, show(stored))


def _table() -> str:
    return settings().accounts_table


@api(logger, may=lambda _caller: True)
def handler(event: Event, _caller: Caller) -> Response:
    """Answers a page of the newest versions, or one version of one plan or add-on."""
    match event["resource"].removeprefix("/api/v1"):
        case "/plans":
            return _list(event, PLANS, plan_summary_json)
        case "/plans/{code}":
            return _one(event, PLANS, plan_version_json)
        case "/addons":
            return _list(event, ADDONS, addon_version_json)
        case _:
            return _one(event, ADDONS, addon_version_json)
