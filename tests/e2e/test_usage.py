"""Usage through the deployed API and queue: counted once, however often it is sent."""

import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quote_engine import Period
from tests.e2e.conftest import Deployed, wait_until
from tests.openapi import assert_promised

EVENTS, BATCH, PRODUCERS = 10_000, 500, 4
# Events are judged by when they arrive, so these tests live in the present.
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
PERIOD = Period.month(NOW.strftime("%Y-%m"))
DEPLOYMENTS = ("acme-dispatch", "acme-tracking", "kauri-shop", "pilot")


def usage_event(number: int) -> dict[str, Any]:
    """Returns a quarter of an hour for one of four deployments, always on the same day."""
    return {
        "id": f"e-{number}",
        "source": "collector-1",
        "deployment_id": DEPLOYMENTS[number % len(DEPLOYMENTS)],
        "resource_kind": "droplet_hours",
        "quantity": "0.25",
        "occurred_at": NOW.isoformat(),
    }


@pytest.fixture(scope="module")
def meter(deployed: Deployed) -> str:
    """The token of a metering program."""
    return deployed.user_in("meter", "metering")


def totals(deployed: Deployed) -> dict[str, Decimal]:
    """Reads the month's droplet hours by deployment from the tables."""
    by_deployment = deployed.rollup.pricing.usage.totals(DEPLOYMENTS, PERIOD)
    return {name: by_deployment[name].quantities["droplet_hours"] for name in DEPLOYMENTS}


def send(deployed: Deployed, token: str, events: list[dict[str, Any]]) -> Counter[str]:
    """Posts a batch, again while the store is busy; returns how often each outcome occurred."""
    while True:
        answer = deployed.call("/usage", token, "POST", {"events": events})
        if answer.status != 503:
            break
    assert answer.status == 200, answer.body
    assert_promised("/usage", 200, "application/json", answer.json, method="post")
    return Counter(answer.json["counts"])


def test_ten_thousand_events_twice_by_four_producers_count_once(
    deployed: Deployed, meter: str
) -> None:
    chaos = random.Random(20260501)
    numbers = [*range(EVENTS), *range(EVENTS)]
    chaos.shuffle(numbers)
    batches = [
        [usage_event(number) for number in numbers[start : start + BATCH]]
        for start in range(0, len(numbers), BATCH)
    ]
    # As if the producers were killed after the first four batches and began again.
    with ThreadPoolExecutor(PRODUCERS) as producers:
        list(producers.map(lambda batch: send(deployed, meter, batch), batches[:4]))
        counts = list(producers.map(lambda batch: send(deployed, meter, batch), batches))
    assert sum(counts, Counter())["conflict"] == sum(counts, Counter())["rejected"] == 0
    # 2,500 events of a quarter of an hour each for each deployment.
    assert totals(deployed) == dict.fromkeys(DEPLOYMENTS, Decimal(625))


def test_the_queue_and_the_api_share_one_memory(deployed: Deployed, meter: str) -> None:
    before = totals(deployed)
    events = [usage_event(EVENTS + number) for number in range(40)]
    queue = deployed.local.outputs["queues"]["usage"]
    for _ in range(3):
        body = json.dumps({"events": events})
        deployed.local.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
    wait_until(lambda: deployed.queued("usage") == 0, "an empty queue")
    assert send(deployed, meter, events) == {
        "accepted": 0,
        "duplicate": 40,
        "conflict": 0,
        "rejected": 0,
    }
    # Ten more events for each deployment.
    assert totals(deployed) == {name: hours + Decimal("2.5") for name, hours in before.items()}


def test_a_conflict_keeps_the_first(deployed: Deployed, meter: str) -> None:
    first = usage_event(90_000)
    assert send(deployed, meter, [first])["accepted"] == 1
    assert send(deployed, meter, [first | {"quantity": "9"}])["conflict"] == 1


def test_a_tenant_reads_its_usage_and_records_none(deployed: Deployed, meter: str) -> None:
    send(deployed, meter, [usage_event(80_003)])
    path = f"/usage?deployment_id=pilot&period={PERIOD.label}"
    own = deployed.call(path, deployed.local.token("pilot"))
    assert own.status == 200
    assert_promised("/usage", 200, "application/json", own.json)
    assert Decimal(own.json["total"]["droplet_hours"]) == totals(deployed)["pilot"]
    others = deployed.call(path, deployed.local.token("acme"))
    none = deployed.call(path.replace("pilot", "nobody"), deployed.local.token("acme"))
    assert (others.status, others.body) == (404, none.body)
    assert deployed.call(path, meter).status == 403
    for token in (deployed.local.token("pilot"), None):
        answer = deployed.call("/usage", token, "POST", {"events": [usage_event(1)]})
        assert answer.status in (401, 403)
