"""Every operation in docs/openapi.yaml, tried with requests that it allows and that it forbids.

Operations are taken from the OpenAPI document, so a new route is tried as soon as it is
documented. The requests are the same at every run, except for the day of usage.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from invoicing.accounts.account import AddonPrice, Segment, Tenant
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.addons import AddonChoice
from invoicing.accounts.catalogue_table import ADDONS, PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.month_end.rollup_message import RollupMessage
from quote_engine import PerUnit, Plan
from tests.e2e.conftest import Deployed
from tests.openapi import openapi

type Case = schemathesis.Case[Any]
type Operation = schemathesis.APIOperation[Any, Any, Any, Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# So few that the whole file takes about a minute. Raise them by hand to try more.
EXAMPLES, LIMITS, READ, WITHOUT_TOKEN = 6, 10, 4, 1
# For these tests alone: other tests rely on what is stored for the sample month.
TENANT, DEPLOYMENT, INVOICED = "schema", "schema-web", "2020-01"
PLAN, ADDON = "schema_plan", "schema_addon"
OPERATIONS = [
    f"{method.upper()} {path}"
    for path, item in openapi()["paths"].items()
    for method in item
    if method != "parameters"
]
WITH_TOKEN = [label for label in OPERATIONS if not label.startswith("OPTIONS ")]


@dataclass
class Api:
    """The deployed API, and names of stored things: generated names never exist."""

    url: str
    tokens: dict[str, str]
    fields: dict[str, Any]
    ids: dict[str, str]
    session: requests.Session

    def call(self, case: Case, token: str | None) -> Response:
        """Sends a generated request as the bearer of a token, or of none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if case.path == "/month-ends" and isinstance(case.body, dict):
            # These tests must not start a month for other tenants.
            case.body = {**case.body, "tenant_ids": case.body.get("tenant_ids") or [TENANT]}
        return case.call(self.url, self.session, headers)

    def real_path(self, case: Case) -> None:
        """Puts ids that exist into the path; an unknown kind of id becomes the tenant's."""
        own = self.ids.get(case.path.split("/")[1])
        for name in case.path_parameters:
            case.path_parameters[name] = own or self.fields.get(name, TENANT)

    def real_fields(self, case: Case) -> None:
        """Replaces the names in the query and the body by names that exist."""
        case.query = self._real(case.query)
        case.body = self._real(case.body)

    def _real(self, value: Any, name: str = "") -> Any:
        if name in self.fields:
            return self.fields[name]
        if isinstance(value, dict):
            return {field: self._real(value[field], field) for field in value}
        return [self._real(element) for element in value] if isinstance(value, list) else value


def without_examples(node: Any) -> Any:
    """Returns a part of the OpenAPI document without examples, which name sample tenants."""
    if isinstance(node, list):
        return [without_examples(element) for element in node]
    if not isinstance(node, dict):
        return node
    return {name: without_examples(node[name]) for name in node if name != "example"}


@cache
def schema() -> schemathesis.BaseSchema:
    """Returns the OpenAPI document without its security: these tests have their own tokens."""
    without_security = {name: value for name, value in openapi().items() if name != "security"}
    return schemathesis.openapi.from_dict(without_examples(without_security))


@cache
def operation(label: str) -> Operation:
    """Returns an operation of the OpenAPI document, by `METHOD /path`."""
    known = schema().find_operation_by_label(label)
    assert known is not None
    return known


@pytest.fixture(scope="module")
def api(deployed: Deployed) -> Iterator[Api]:
    """The API, with a tenant that has a deployment, an invoice and a quote."""
    _store(AccountsTable(deployed.local.outputs["tables"]["accounts"]))
    run = {"version": 1, "tenant_id": TENANT, "period": INVOICED, "run_id": "schema"}
    message = RollupMessage.model_validate(run | {"run_at": "2020-02-01T03:00:00Z"})
    deployed.rollup.roll_up(message)
    tokens = {
        "admin": deployed.local.token("admin"),
        "tenant": deployed.user_in("schema-tenant", f"tenant:{TENANT}"),
    }
    quote = deployed.call("/quotes", tokens["tenant"], "POST", {"plan": PLAN}).json
    ids = {
        "invoices": f"{TENANT}.{INVOICED}",
        "month-ends": INVOICED,
        "quotes": quote["id"],
        "plans": PLAN,
        "addons": ADDON,
    }
    with requests.Session() as session:
        session.trust_env = False
        yield Api(deployed.local.outputs["api_url"], tokens, real_names(), ids, session)


def _store(accounts: AccountsTable) -> None:
    rate = PerUnit("droplet_hours", "hour", Decimal("0.01"), Decimal(1488))
    PriceVersions(accounts.name, PLANS).put(Plan(PLAN, "Schema", Decimal(50), "daily", (rate,)), 1)
    PriceVersions(accounts.name, ADDONS).put(AddonPrice(ADDON, None, Decimal("7.50")), 1)
    TenantsTable(accounts.name).put(Tenant(TENANT, "Schema", "9501", "gst"))
    since = date.fromisoformat(f"{INVOICED}-01")
    addons = (AddonChoice(ADDON, 1),)
    SubscriptionsTable(accounts.name).put(
        Segment(TENANT, DEPLOYMENT, since, None, PLAN, 1, addons)
    )


def real_names() -> dict[str, Any]:
    """Returns values that exist, by the name of the query or body field that may hold them."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {
        "tenant_id": TENANT,
        "deployment_id": DEPLOYMENT,
        "period": f"{yesterday:%Y-%m}",
        "plan": PLAN,
        "plan_version": 1,
        "code": ADDON,
        "version": 1,
        "usage": {"droplet_hours": "1600.5"},
        "resource_kind": "droplet_hours",
        "occurred_at": yesterday.isoformat(),
        "tax": "gst",
        "revision": 1,
    }


def requests_of(label: str) -> st.SearchStrategy[tuple[Case, bool]]:
    """Draws requests that the document allows, with real names or not, and some it forbids."""
    allowed = operation(label).as_strategy(GenerationMode.POSITIVE)
    forbidden = operation(label).as_strategy(GenerationMode.NEGATIVE)
    return st.one_of(
        st.tuples(allowed, st.booleans()),
        st.tuples(forbidden, st.just(False)),
    )


def try_each(
    strategy: st.SearchStrategy[Any], examples: int, check: Callable[[Any], None]
) -> None:
    """Checks this many examples, the same at every run."""
    alike = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )

    def once(example: Any) -> None:
        check(example)

    alike(given(strategy)(once))()


@pytest.mark.parametrize("user", ["admin", "tenant"])
@pytest.mark.parametrize("label", WITH_TOKEN)
def test_generated_requests_get_the_answers_that_are_promised(
    api: Api, label: str, user: str
) -> None:
    def keeps_the_promise(tried: tuple[Case, bool]) -> None:
        case, real = tried
        if real:
            api.real_path(case)
            api.real_fields(case)
        case.validate_response(api.call(case, api.tokens[user]), CHECKS)

    try_each(requests_of(label), EXAMPLES, keeps_the_promise)


@pytest.mark.parametrize("label", OPERATIONS)
def test_requests_at_the_limits_get_the_answers_that_are_promised(api: Api, label: str) -> None:
    """Tries some constraints of the operation, each at its limit and just beyond."""
    generated = schema().iter_coverage_cases(
        operation(label),
        generation_modes=list(GenerationMode),
        generation_config=GenerationConfig(),
    )
    cases = list(generated)
    for case in cases[:: -(-len(cases) // LIMITS)]:
        api.real_path(case)
        case.validate_response(api.call(case, api.tokens["admin"]), CHECKS)


@pytest.mark.parametrize("label", WITH_TOKEN)
def test_without_a_good_token_nothing_is_answered(api: Api, label: str) -> None:
    def is_refused(case: Case) -> None:
        for token in (None, "no.token.at-all", f"{api.tokens['admin']}x"):
            # Not compared with the document: the emulator refuses with its own body.
            assert api.call(case, token).status_code == 401

    try_each(operation(label).as_strategy(), WITHOUT_TOKEN, is_refused)


def test_what_is_real_can_be_read(api: Api) -> None:
    """Otherwise the tests above would learn little about the operation."""
    for label in (known for known in WITH_TOKEN if known.startswith("GET ")):
        allowed = operation(label).as_strategy(GenerationMode.POSITIVE)
        statuses: set[int] = set()

        def read(case: Case, seen: set[int] = statuses) -> None:
            api.real_path(case)
            api.real_fields(case)
            seen.add(api.call(case, api.tokens["admin"]).status_code)

        try_each(allowed, READ, read)
        assert 200 in statuses, f"{label}: name something in `real_names` or `ids` that is there"
