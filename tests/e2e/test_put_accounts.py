"""Accounts over HTTP, with the deployed policies: put, subscribed, metered, priced; and races.

It adds tenants, so it runs after the tests that count the tenants of the sample month.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from invoicing.accounts.account import AddonPrice, InvalidAccount, Segment, Tenant
from invoicing.accounts.account_item import AccountNumberTaken
from invoicing.accounts.accounts_table import AccountsTable
from invoicing.accounts.catalogue_table import ADDONS, PriceVersions
from invoicing.accounts.deployments import Deployment, first_overlap
from invoicing.accounts.subscription_form import ChangeForm, DeploymentForm
from invoicing.accounts.subscriptions import Subscriptions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.api.http import Problem
from invoicing.api.preconditions import Precondition
from invoicing.foundation.versioned_records import RecordBusy, Stored, write_version
from tests.e2e.conftest import Answer, Deployed, wait_until
from tests.e2e.test_races import WORKERS, at_once
from tests.e2e.test_usage import NOW, PERIOD, send
from tests.openapi import assert_promised

KILN: dict[str, Any] = {
    "name": "Kiln",
    "price": "30.00",
    "proration": "none",
    "rates": [
        {
            "resource_kind": "kiln_hours",
            "unit": "hour",
            "model": "graduated",
            "tiers": [{"up_to": "10", "unit_price": "1"}, {"up_to": None, "unit_price": "0.5"}],
        }
    ],
}
BANKSIA: dict[str, Any] = {
    "name": "Banksia Ceramics Pty Ltd",
    "account_number": "9200",
    "abn": "51 824 753 556",
    "address": {"lines": ["1 Clay Road"], "locality": "Hobart", "state": "TAS", "country": "AU"},
    "billing_email": "accounts@banksia.example",
    "tax": "gst",
}
START = {"starts_on": PERIOD.start.isoformat(), "plan": "kiln"}
SUBSCRIPTIONS = "/tenants/{tenant_id}/subscriptions"
DEPLOYMENT = f"{SUBSCRIPTIONS}/{{deployment_id}}"


@pytest.fixture(scope="module")
def admin(deployed: Deployed) -> str:
    return deployed.local.token("admin")


def put(
    deployed: Deployed, token: str, path: str, body: Any, if_match: str | None = None
) -> Answer:
    """Sends a PUT, with the ETag of what it changes."""
    headers = {"If-Match": if_match} if if_match else {}
    return deployed.call(path, token, "PUT", body, **headers)


def post(deployed: Deployed, token: str, path: str, body: Any, if_match: str) -> Answer:
    """Sends a POST, with the ETag of what it changes."""
    return deployed.call(path, token, "POST", body, **{"If-Match": if_match})


def etag(answer: Answer) -> str:
    """Returns the ETag of an answer, whatever the case of the header's name."""
    return {name.lower(): value for name, value in answer.headers.items()}["etag"]


def test_put_subscribed_and_metered_the_month_is_as_quoted(deployed: Deployed, admin: str) -> None:
    created = [
        put(deployed, admin, "/plans/kiln", KILN),
        put(deployed, admin, "/addons/glaze", {"name": "Glaze", "price": "4.00"}),
        put(deployed, admin, "/tenants/banksia", BANKSIA),
    ]
    assert [(answer.status, etag(answer)) for answer in created] == [(201, '"1"')] * 3, created
    assert created[2].json["abn"] == "51824753556"
    terms = {"addons": [{"code": "glaze", "quantity": 2}], "discounts": [{"percent": "10"}]}
    kiln = "/tenants/banksia/subscriptions/banksia-kiln"
    started = put(deployed, admin, kiln, {"segments": [START | terms]})
    assert started.status == 201, started.body
    assert_promised(DEPLOYMENT, 201, "application/json", started.json, method="put")

    token = deployed.user_in("banksia", "tenant:banksia")
    body = START | terms | {"usage": {"kiln_hours": "12"}, "deployment_id": "banksia-kiln"}
    quote = deployed.call("/quotes", token, "POST", body | {"period": PERIOD.label}).json
    # 30.00 + 2 x 4.00 + 10 hours at 1.00 and 2 at 0.50 = 49.00, less 10 %; GST 4.41.
    assert quote["total_cents"] == 4410 + 441
    event = {"source": "e2e", "deployment_id": "banksia-kiln", "resource_kind": "kiln_hours"}
    event |= {"id": "fired", "quantity": "12", "occurred_at": NOW.isoformat()}
    assert send(deployed, deployed.user_in("kiln-meter", "metering"), [event])["accepted"] == 1
    estimate = deployed.call(f"/estimates?period={PERIOD.label}", token).json
    assert estimate["to_date"]["lines"] == quote["lines"]


def test_an_addon_from_the_16th_divides_no_month(deployed: Deployed, admin: str) -> None:
    grevillea = BANKSIA | {"name": "Grevillea", "account_number": "9220", "abn": None}
    assert put(deployed, admin, "/tenants/grevillea", grevillea).status == 201
    path = "/tenants/grevillea/subscriptions/grevillea-web"
    start = {"starts_on": "2025-01-10", "plan": "studio"}
    started = put(deployed, admin, path, {"segments": [start]})
    change = {"from": "2025-04-16", "addons": [{"code": "storage_50gb"}]}
    changed = post(deployed, admin, f"{path}/changes", change, etag(started))
    assert changed.status == 200, changed.body
    assert_promised(f"{DEPLOYMENT}/changes", 200, "application/json", changed.json, method="post")
    [segment] = changed.json["segments"]
    assert [addon["starts_on"] for addon in segment["addons"]] == ["2025-04-16"]

    # 0 hours to 15 April, 1,080 after it.
    for day in range(16, 31):
        hours = {"droplet_hours": Decimal(72)}
        deployed.rollup.pricing.usage.add("grevillea", "grevillea-web", date(2025, 4, day), hours)
    month = {"period": "2025-04", "tenant_ids": ["grevillea"]}
    run_id = deployed.invoke("start_month_end", month)["run_id"]
    wait_until(lambda: bool(deployed.outcomes(run_id)), "the outcome of grevillea")
    token = deployed.user_in("grevillea", "tenant:grevillea")
    invoice = deployed.call("/invoices/grevillea.2025-04", token).json
    # 50.00, and 15 of 30 days of 7.50; 1,488 hours are included.
    amounts = [(line["kind"], line["amount_cents"]) for line in invoice["lines"]]
    assert amounts == [("plan_base", 5000), ("addon", 375), ("tax", 538)]
    assert invoice["subtotal_cents"] == 5375

    dated = {"addons": [{"code": "storage_50gb", "starts_on": "2025-04-16"}]}
    expected = {"usage": {"droplet_hours": "1080"}, "deployment_id": "grevillea-web"}
    body = start | dated | expected | {"period": "2025-04"}
    quote = deployed.call("/quotes", token, "POST", body).json
    assert quote["lines"] == invoice["lines"]
    assert quote["fingerprint"] == invoice["fingerprint"]


def test_a_tenant_reads_its_own_and_writes_nothing(deployed: Deployed, admin: str) -> None:
    token = deployed.local.token("pilot")
    own = deployed.call("/tenants/pilot", token)
    assert (own.status, own.body) == (200, deployed.call("/tenants/pilot", admin).body)
    assert_promised("/tenants/{tenant_id}", 200, "application/json", own.json)
    listed = deployed.call("/tenants/pilot/subscriptions", token)
    assert [segment["deployment_id"] for segment in listed.json["subscriptions"]] == ["pilot"]
    assert_promised(SUBSCRIPTIONS, 200, "application/json", listed.json)
    assert deployed.call("/plans/studio", token).json["version"] == 1
    assert deployed.call("/plans", token).status == deployed.call("/addons", token).status == 200
    for path in ("/tenants/{}", "/tenants/{}/subscriptions", "/tenants/{}/subscriptions/x"):
        others, none = (deployed.call(path.format(name), token) for name in ("acme", "nobody"))
        assert (others.status, others.body) == (404, none.body)
    assert deployed.call("/tenants", token).status == 403
    for path, write in (
        ("/plans/studio", put),
        ("/addons/storage_50gb", put),
        ("/tenants/pilot", put),
        ("/tenants/pilot/subscriptions/pilot", put),
        ("/tenants/pilot/subscriptions/pilot/changes", post),
        ("/tenants/pilot/subscriptions/pilot/end", post),
    ):
        assert write(deployed, token, path, own.json, '"1"').status == 403, path
        assert write(deployed, "not.a.token", path, own.json, '"1"').status == 401, path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/plans/%00", KILN),
        ("/plans/..", KILN),
        (f"/plans/{'x' * 2000}", KILN),
        ("/plans/odd", KILN | {"name": "\x00"}),
        ("/plans/odd", KILN | {"price": 10**400}),
        ("/addons/%F0%9F%92%A9", {"price": "1"}),
        ("/addons/odd", {"price": "1", "\ud800": 1}),
        ("/tenants/%20", BANKSIA),
        ("/tenants//subscriptions/x", {"segments": []}),
        ("/tenants/odd", BANKSIA | {"abn": "\ud800"}),
        ("/tenants/odd", BANKSIA | {"name": "x" * 1_000_000}),
        ("/tenants/odd", {"x" * 1_000_000: 1}),
        ("/tenants/pilot/subscriptions/%23", {"segments": []}),
        ("/tenants/pilot/subscriptions/odd", {"segments": [{}] * 5000}),
    ],
)
def test_odd_input_is_refused_and_never_a_failure(
    deployed: Deployed, admin: str, path: str, body: Any
) -> None:
    assert 400 <= put(deployed, admin, path, body).status < 500


@pytest.fixture(scope="module")
def table(deployed: Deployed) -> str:
    """The name of the accounts table, for races between threads of this process."""
    name = deployed.local.outputs["tables"]["accounts"]
    TenantsTable(name).put(Tenant("crowd", "Crowd", "9210", "gst"))
    return name


def status(write: Callable[[], object]) -> int:
    """Calls `write`; returns 200, or the status of the refusal."""
    try:
        write()
    except Problem as refused:
        return refused.status.value
    except RecordBusy:
        return 503
    return 200


def deployment_of(table: str, deployment_id: str) -> Stored[Deployment]:
    stored = SubscriptionsTable(table).get("crowd", deployment_id)
    assert stored is not None
    assert first_overlap(stored.record.segments) is None
    return stored


def test_starts_on_different_days_at_once_make_one_subscription(table: str) -> None:
    def start(number: int) -> int:
        segment = {"starts_on": f"2026-01-{number + 1:02}", "plan": "studio"}
        form = DeploymentForm.model_validate({"segments": [segment]})
        subscriptions, new = Subscriptions.over(table), Precondition()
        return status(lambda: subscriptions.put("crowd", "race", form, new.allow))

    for_each = at_once(start)
    assert Counter(for_each) == {200: 1, 428: WORKERS - 1}
    [segment] = deployment_of(table, "race").record.segments
    assert segment.starts_on.day == for_each.index(200) + 1


def _change(table: str, month: int, expected: Precondition, number: int) -> int:
    # Terms differ from all before: the same terms would be no change.
    terms = {"from": f"2026-{month:02}-{number + 1:02}", "minimum_commitment": f"{month}{number}"}
    form, subscriptions = ChangeForm.model_validate(terms), Subscriptions.over(table)
    return status(lambda: subscriptions.change("crowd", "race-2", form, expected.allow))


def test_changes_at_once_are_made_one_after_the_other_and_none_is_lost(table: str) -> None:
    segment = Segment("crowd", "race-2", date(2026, 1, 1), None, "studio", 1)
    SubscriptionsTable(table).put(segment)
    first = Precondition(frozenset(('"1"',)))
    assert Counter(at_once(partial(_change, table, 2, first))) == {200: 1, 412: WORKERS - 1}

    whatever_is_there = Precondition(frozenset(("*",)))
    statuses = Counter(at_once(partial(_change, table, 3, whatever_is_there)))
    assert statuses.keys() <= {200, 503}
    assert statuses[200] > 1
    # The first segment, the one change in February, and each change in March.
    stored = deployment_of(table, "race-2")
    assert len(stored.record.segments) == stored.version == 2 + statuses[200]


def test_loads_at_once_never_overlap(table: str) -> None:
    def put(number: int) -> bool:
        first = date(2026, 1, 1) + timedelta(days=number)
        last = first + timedelta(days=3)
        segment = Segment("crowd", "race-3", first, last, "studio", 1)
        try:
            SubscriptionsTable(table).put(segment)
        except (InvalidAccount, RecordBusy):
            return False
        return True

    stored = at_once(put).count(True)
    assert stored >= 1
    assert len(deployment_of(table, "race-3").record.segments) == stored


def test_the_same_number_at_once_is_one_tenants(table: str) -> None:
    def create(number: int) -> bool:
        try:
            TenantsTable(table).put(Tenant(f"same-{number}", "Same", "9300", "gst"))
        except AccountNumberTaken:
            return False
        return True

    created = at_once(create)
    assert created.count(True) == 1
    winner = f"same-{created.index(True)}"
    assert AccountsTable(table).number_owners(["9300"]) == {"9300": winner}
    names = [f"same-{number}" for number in range(WORKERS)]
    assert [tenant.tenant_id for tenant in TenantsTable(table).several(names)] == [winner]


def test_a_tenant_changed_by_many_at_once_is_changed_once(table: str) -> None:
    tenant = Tenant("contended", "Contended", "9400", "gst")
    TenantsTable(table).put(tenant)
    expected = Precondition(frozenset(('"1"',)))

    def rename(number: int) -> int:
        tenants, named = TenantsTable(table), replace(tenant, name=f"Name {number}")
        return status(
            lambda: write_version(
                lambda: tenants.get("contended"), lambda _: named, tenants.write, expected.allow
            )
        )

    answers = at_once(rename)
    assert Counter(answers) == {200: 1, 412: WORKERS - 1}
    # The winner's own retry succeeds too, and writes nothing.
    assert rename(answers.index(200)) == 200
    stored = TenantsTable(table).get("contended")
    assert stored == Stored(replace(tenant, name=f"Name {answers.index(200)}"), 2)


def test_prices_at_once_are_versions_of_their_own(table: str) -> None:
    def put(number: int) -> int | None:
        addons = PriceVersions(table, ADDONS)
        price = AddonPrice("raced", None, Decimal(number))
        try:
            written = write_version(lambda: addons.newest("raced"), lambda _: price, addons.write)
        except RecordBusy:
            return None
        return written.stored.version

    prices = {version: number for number, version in enumerate(at_once(put)) if version}
    assert sorted(prices) == list(range(1, len(prices) + 1))
    for version, number in prices.items():
        assert AccountsTable(table).addon("raced", version).price == number
