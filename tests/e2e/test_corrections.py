"""Corrections on a store with real concurrency, and through the deployed API: each once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from invoicing.foundation.audit import Actor
from invoicing.foundation.billing_calendar import label_after
from invoicing.foundation.versioned_records import RecordBusy
from invoicing.invoices.corrected_months import corrections_over
from invoicing.month_end.rollup import RollupOutcome, RollupResult
from invoicing.usage.correction import CorrectionRefused, read_correction
from invoicing.usage.corrections import Corrected
from invoicing.usage.metering import Metering
from invoicing.usage.usage_event import UsageOutcome
from invoicing.usage.usage_events_table import UsageEventsTable, UsageNotRecorded
from quote_engine import Period
from tests.e2e.conftest import Deployed
from tests.e2e.test_late_usage import add_tenant, adjusted, issuing, run, until_done
from tests.e2e.test_races import message
from tests.openapi import assert_promised

MAY, DAY = "2025-05", "2025-05-15"
AT = datetime(2025, 6, 2, tzinfo=UTC)
BATCHES, BATCH, CALLERS = 30, 5, 6


def event(tenant_id: str, name: str, **changes: Any) -> dict[str, Any]:
    """Returns an event of 3 hours on 15 May 2025."""
    return {
        "id": name,
        "source": "races",
        "deployment_id": tenant_id,
        "resource_kind": "droplet_hours",
        "quantity": "3",
        "occurred_at": f"{DAY}T12:00:00Z",
    } | changes


def batches(tenant_id: str, prefix: str, **changes: Any) -> list[list[dict[str, Any]]]:
    """Returns batches of such events."""
    return [
        [event(tenant_id, f"{prefix}-{batch}-{n}", **changes) for n in range(BATCH)]
        for batch in range(BATCHES)
    ]


def count(deployed: Deployed, events: list[dict[str, Any]]) -> None:
    """Counts events; again while the store is busy, as producers do."""
    pricing, config = deployed.rollup.pricing, deployed.rollup.settings
    table = UsageEventsTable(pricing.usage.name, forgets=False)
    while True:
        try:
            results = Metering(pricing.accounts, table, config.zone).record(events, AT)
        except UsageNotRecorded:
            continue
        good = {UsageOutcome.ACCEPTED, UsageOutcome.DUPLICATE}
        assert {result.outcome for result in results} <= good
        return


def correct(deployed: Deployed, body: dict[str, Any]) -> Corrected | None:
    """Makes a correction, again with the same id while others are faster; None if refused."""
    corrections = corrections_over(deployed.rollup.settings)
    while True:
        try:
            return corrections.correct(read_correction(body), Actor("u-1", "racer"), AT)
        except CorrectionRefused:
            return None
        except RecordBusy:
            continue


def force(deployed: Deployed, tenant_id: str) -> RollupResult:
    """Makes the draft of May again, as a forced run does."""
    return until_done(
        partial(deployed.rollup.roll_up, message(tenant_id, MAY, force=True)),
    )


def standing(deployed: Deployed, tenant_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns what stands on 15 May and in all of May."""
    month = deployed.rollup.pricing.usage.days(tenant_id, Period.month(MAY))
    assert month.total is not None
    return dict(month.days[DAY]), dict(month.total.quantities)


def all_at_once(deployed: Deployed, tenant_id: str, work: list[Callable[[], Any]]) -> list[Any]:
    """Does all of the work at once while drafts of May are made again and again."""
    deployed.rollup.roll_up(message(tenant_id, MAY))
    with ThreadPoolExecutor(12) as threads:
        done = [threads.submit(each) for each in work]
        runs = [threads.submit(force, deployed, tenant_id) for _ in range(6)]
        results = [each.result() for each in done]
        drafted = {RollupOutcome.REPLACED, RollupOutcome.SKIPPED}
        assert {each.result().outcome for each in runs} <= drafted
    return results


def test_a_day_is_corrected_once_by_one_id_or_one_of_several_while_events_pour_in(
    deployed: Deployed,
) -> None:
    add_tenant(deployed, "mender", "9251")
    count(deployed, [event("mender", "typed", quantity="20000")])
    place = {"deployment_id": "mender", "resource_kind": "droplet_hours", "day": DAY}
    change = {"reason": "typed for 2000", "day": place | {"expect": "20000", "quantity": "2000"}}
    ids = ["mender-same"] * CALLERS + [f"mender-{n}" for n in range(CALLERS)]
    # Another kind of the same day, and the same kind on another day: nothing that is expected.
    egress = batches("mender", "egress", resource_kind="egress_gb")
    later = batches("mender", "later", occurred_at="2025-05-20T00:00:00Z")
    made = all_at_once(
        deployed,
        "mender",
        [
            *(partial(correct, deployed, {"id": name} | change) for name in ids),
            *(partial(count, deployed, batch) for batch in egress + later),
        ],
    )[: len(ids)]
    answered = [corrected for corrected in made if corrected is not None]
    # One id was first. All calls of that id were told so, and those of every other were refused.
    [winner] = {corrected.record.id for corrected in answered}
    assert len(answered) == ids.count(winner)
    assert Counter(corrected.repeated for corrected in answered)[False] == 1
    poured = Decimal(BATCHES * BATCH * 3)
    on_day, in_month = standing(deployed, "mender")
    assert on_day == {"droplet_hours": Decimal(2000), "egress_gb": poured}
    assert in_month == {"droplet_hours": 2000 + poured, "egress_gb": poured}
    # 2,450 hours, of which 1,488 are included: 9.62.
    force(deployed, "mender")
    lines = deployed.rollup.invoices.get("mender", Period.month(MAY)).lines
    assert [line.amount_cents for line in lines if line.kind == "overage"] == [962]


def test_events_are_taken_back_once_while_others_of_their_day_pour_in(deployed: Deployed) -> None:
    add_tenant(deployed, "undoer", "9252")
    wrong = [event("undoer", f"wrong-{n}") for n in range(120)]
    for start in (0, 60):
        count(deployed, wrong[start : start + 60])
    whole: dict[str, Any] = {"id": "undoer-all", "reason": "wrong file", "events": wrong}
    # Each of two ids takes the same events back; and two events are named by themselves, too.
    other = whole | {"id": "undoer-other"}
    place = {"deployment_id": "undoer", "source": "races", "expect": "3", "quantity": "0"}
    singles = [
        {"id": f"undoer-{n}", "reason": "this one", "event": place | {"id": f"wrong-{n}"}}
        for n in (7, 99)
    ]
    bodies: list[dict[str, Any]] = [whole, other, *singles] * 3
    made = all_at_once(
        deployed,
        "undoer",
        [
            *(partial(correct, deployed, body) for body in bodies),
            *(partial(count, deployed, batch) for batch in batches("undoer", "right")),
        ],
    )[: len(bodies)]
    # Whatever the order was: each event's 3 hours went once, by one of the ids.
    changes = {
        (corrected.record.id, change)
        for corrected in made
        if corrected is not None
        for day in corrected.days
        for change in day.changes.values()
    }
    assert sum(change.before - change.after for _, change in changes) == 360
    poured = Decimal(BATCHES * BATCH * 3)
    assert standing(deployed, "undoer") == ({"droplet_hours": poured}, {"droplet_hours": poured})
    count(deployed, wrong)
    assert standing(deployed, "undoer")[1] == {"droplet_hours": poured}


@pytest.fixture(scope="module")
def this_month() -> Period:
    """The month in which these tests run, in the billing zone (UTC)."""
    return Period.month(datetime.now(UTC).strftime("%Y-%m"))


def test_a_month_five_months_back_is_corrected_through_the_api_and_refunded(
    deployed: Deployed, this_month: Period
) -> None:
    add_tenant(deployed, "patient", "9253")
    back = Period.month(label_after(this_month, -5))
    day = back.start + timedelta(days=14)
    usage = deployed.rollup.pricing.usage
    usage.add("patient", "patient", day, {"droplet_hours": Decimal(20_000)})
    rollup = issuing(deployed)
    run(rollup, "patient", back.label)
    admin = deployed.local.token("admin")
    place = {"deployment_id": "patient", "resource_kind": "droplet_hours", "day": day.isoformat()}
    body = {
        "id": "patient-1",
        "reason": "typed for 200",
        "day": place | {"expect": "20000", "quantity": "200"},
    }
    for repeated in (False, True):
        answer = deployed.call("/usage/corrections", admin, "POST", body)
        assert (answer.status, answer.json["repeated"]) == (200, repeated)
        kind = "application/json"
        assert_promised("/usage/corrections", 200, kind, answer.json, method="post")
    other = deployed.call("/usage/corrections", admin, "POST", body | {"id": "patient-2"})
    assert other.status == 409
    assert "200 droplet_hours stand on" in other.json["detail"]
    read = deployed.call(f"/usage?deployment_id=patient&period={back.label}", admin).json
    assert read["total"] == {"droplet_hours": "200"}
    run(rollup, "patient", this_month.label)
    # 18,512 hours beyond the allowance were charged, and none are now.
    assert adjusted(rollup, "patient", this_month.label) == [-18_512]


def test_events_are_taken_back_through_the_api_by_admins_alone(
    deployed: Deployed, this_month: Period
) -> None:
    add_tenant(deployed, "sender", "9254")
    admin, meter = deployed.local.token("admin"), deployed.user_in("undo-meter", "metering")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    events = [event("sender", f"s-{n}", occurred_at=yesterday.isoformat()) for n in range(200)]
    sent = deployed.call("/usage", meter, "POST", {"events": events})
    assert sent.json["counts"]["accepted"] == 200
    body = {"id": "sender-1", "reason": "wrong file", "events": events}
    for token in (meter, deployed.local.token("acme")):
        assert deployed.call("/usage/corrections", token, "POST", body).status == 403
    answer = deployed.call("/usage/corrections", admin, "POST", body)
    assert (answer.status, answer.json["counts"]["corrected"]) == (200, 200)
    again = deployed.call("/usage", meter, "POST", {"events": events})
    assert again.json["counts"]["duplicate"] == 200
    label = f"{yesterday:%Y-%m}"
    read = deployed.call(f"/usage?deployment_id=sender&period={label}", admin).json
    assert read["total"] == {"droplet_hours": "0"}
