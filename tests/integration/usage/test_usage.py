"""Usage through the handlers: counted exactly once, and read back by its owner."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from invoicing.accounts.account import Segment
from invoicing.accounts.account_item import DeploymentTaken
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.foundation import back_off
from invoicing.foundation.audit import Actor
from invoicing.foundation.settings import settings
from invoicing.invoices.corrected_months import corrections_over
from invoicing.usage import metering
from invoicing.usage.correction import read_correction
from invoicing.usage.usage_event import UsageEvent
from invoicing.usage.usage_events_table import UsageEventsTable, UsageNotRecorded
from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.test_storage_faults import Call, faults
from tests.openapi import assert_promised

RECEIVED = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def record(stack: Stack) -> ModuleType:
    """The function of POST /usage over tables where pilot's and acme's deployments are known."""
    metering.metering.cache_clear()
    for tenant_id in ("pilot", "acme"):
        stack.add_tenant(tenant_id, hours=None)
    return load_handler("record_usage")


def usage_event(number: int, **changes: Any) -> dict[str, Any]:
    """Returns an hour of the pilot's droplet on 15 April."""
    return {
        "id": f"e-{number}",
        "source": "collector-1",
        "deployment_id": "pilot",
        "resource_kind": "droplet_hours",
        "quantity": "1",
        "occurred_at": "2026-04-15T12:00:00Z",
    } | changes


def post(record: ModuleType, *events: Any, groups: str = "metering") -> dict[str, Any]:
    """Posts events; checks the answer against the OpenAPI document, returns it parsed."""
    call = event("record_usage") | {"body": json.dumps({"events": list(events)})}
    call["requestContext"]["authorizer"]["claims"]["cognito:groups"] = groups
    answer: dict[str, Any] = record.handler(call, LambdaContext())
    body = json.loads(answer["body"])
    content_type = answer["headers"]["Content-Type"]
    assert_promised("/usage", answer["statusCode"], content_type, body, method="post")
    return answer | {"body": body}


def outcomes(answer: dict[str, Any]) -> list[str]:
    """Returns the outcome of each event, in order."""
    return [result["outcome"] for result in answer["body"]["results"]]


def total(stack: Stack, deployment_id: str = "pilot") -> dict[str, Decimal]:
    """Returns a deployment's total of April, by kind."""
    month_total = stack.usage.totals([deployment_id], APRIL).get(deployment_id)
    return dict(month_total.quantities) if month_total else {}


def test_the_event_file_is_recorded_and_read_back(stack: Stack, record: ModuleType) -> None:
    answer = record.handler(event("record_usage"), LambdaContext())
    assert json.loads(answer["body"])["counts"]["accepted"] == 3
    shown = load_handler("get_usage").handler(event("get_usage"), LambdaContext())
    body = json.loads(shown["body"])
    assert_promised("/usage", 200, "application/json", body)
    # The third is 14:00 UTC on 30 April, like the others: the billing zone is UTC.
    assert body == {
        "deployment_id": "pilot",
        "period": "2026-04",
        "days": [{"day": "2026-04-30", "usage": {"droplet_hours": "36.5"}}],
        "total": {"droplet_hours": "36.5"},
        "corrections": [],
    }


def test_each_event_is_judged_by_itself(stack: Stack, record: ModuleType) -> None:
    answer = record.handler(event("record_usage_mixed"), LambdaContext())
    body = json.loads(answer["body"])
    assert [result["outcome"] for result in body["results"]] == [
        "accepted",
        "duplicate",
        "conflict",
        *["rejected"] * 4,
        "accepted",
    ]
    reasons = [result["reason"] for result in body["results"]]
    assert reasons[2] == (
        "id: recorded before with 24 droplet_hours of pilot on 2026-04-30, "
        "and this is 25 droplet_hours of pilot on 2026-04-30; the first is kept"
    )
    assert reasons[5] == "deployment_id: no deployment nobody is known"
    assert reasons[6] == "occurred_at: more than 90 days ago"
    assert total(stack) == {"droplet_hours": Decimal(26)}


def test_sending_again_changes_nothing(stack: Stack, record: ModuleType) -> None:
    events = [usage_event(n) for n in range(250)]
    assert Counter(outcomes(post(record, *events))) == {"accepted": 250}
    before = stack.raw_items("usage")
    assert Counter(outcomes(post(record, *reversed(events)))) == {"duplicate": 250}
    assert stack.raw_items("usage") == before
    assert total(stack) == {"droplet_hours": Decimal(250)}


def test_a_mix_of_old_and_new_counts_the_new(stack: Stack, record: ModuleType) -> None:
    post(record, *(usage_event(n) for n in range(0, 100, 2)))
    answer = post(record, *(usage_event(n) for n in range(100)))
    assert outcomes(answer) == ["duplicate", "accepted"] * 50
    assert total(stack) == {"droplet_hours": Decimal(100)}


def test_the_same_id_with_other_content_keeps_the_first(stack: Stack, record: ModuleType) -> None:
    post(record, usage_event(1, quantity="5"))
    changed = [
        usage_event(1, quantity="6"),
        usage_event(1, quantity="5", resource_kind="egress_gb"),
        usage_event(1, quantity="5", occurred_at="2026-04-16T12:00:00Z"),
        usage_event(1, quantity="5.0"),
    ]
    assert outcomes(post(record, *changed)) == ["conflict"] * 3 + ["duplicate"]
    assert total(stack) == {"droplet_hours": Decimal(5)}


def test_ids_are_their_sources_and_tenants_own(stack: Stack, record: ModuleType) -> None:
    same_id = [
        usage_event(1),
        usage_event(1, source="collector-2"),
        usage_event(1, deployment_id="acme"),
    ]
    assert outcomes(post(record, *same_id)) == ["accepted"] * 3
    assert total(stack) == {"droplet_hours": Decimal(2)}
    assert total(stack, "acme") == {"droplet_hours": Decimal(1)}


def test_days_are_the_billing_zones(
    stack: Stack, record: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    late = usage_event(1, occurred_at="2026-04-30T14:00:00Z")
    assert outcomes(post(record, late)) == ["accepted"]
    assert total(stack) == {}
    keys = {item["deployment_period"]["S"] for item in stack.raw_items("usage")}
    assert keys == {"pilot#2026-05", "pilot#collector-1#e-1"}


def test_a_thousand_events_of_a_day_take_eleven_transactions(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions: list[int] = []

    def count(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            transactions.append(len(arguments["TransactItems"]))
            return {}
        return call()

    with faults(monkeypatch, count):
        post(record, *(usage_event(n) for n in range(1000)))
    # A write in a transaction is two units: 2 x (1,000 + 11 x 2) = 2,044 for 1,000 events.
    assert (len(transactions), sum(transactions)) == (11, 1022)
    assert 2 * sum(transactions) / 1000 <= 2.1


def cancelled(*codes: str | tuple[str, str]) -> ClientError:
    """Returns the error of a transaction cancelled for these codes, some with a text."""
    error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
    pairs = [(code, "") if isinstance(code, str) else code for code in codes]
    reasons = [{"Code": code, "Message": text} for code, text in pairs]
    response: Any = {"Error": error, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


def test_a_conflict_with_another_writer_is_tried_again(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(back_off, "sleep", pauses.append)

    def conflict(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems" and len(pauses) < 3:
            raise cancelled("None", "TransactionConflict", "None")
        return call()

    with faults(monkeypatch, conflict):
        assert outcomes(post(record, usage_event(1))) == ["accepted"]
    assert len(pauses) == 3
    assert total(stack) == {"droplet_hours": Decimal(1)}


def test_a_store_that_stays_busy_is_a_503_and_resending_is_safe(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(back_off, "sleep", lambda _: None)
    events = [usage_event(n) for n in range(150)]
    written: list[int] = []

    def busy_after_one(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            if written:
                raise cancelled("TransactionConflict")
            written.append(1)
        return call()

    with faults(monkeypatch, busy_after_one):
        answer = post(record, *events)
    assert answer["statusCode"] == 503
    assert total(stack) == {"droplet_hours": Decimal(98)}
    assert Counter(outcomes(post(record, *events))) == {"duplicate": 98, "accepted": 52}
    assert total(stack) == {"droplet_hours": Decimal(150)}


FULL = "Item size to update has exceeded the maximum allowed size"
TOO_MANY = (
    "resource_kind: too many resource kinds for this deployment's month; "
    "events of kinds that it has are taken when they come without new ones"
)


def full(deployment_id: str, code: str = "ValidationError", text: str = FULL) -> Any:
    """Returns a fault: a month item of this deployment that cannot grow any more."""

    def refuse(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if operation != "TransactWriteItems":
            return call()
        *puts, _day, total = arguments["TransactItems"]
        if total["Update"]["Key"]["deployment_period"]["S"] != f"{deployment_id}#2026-04":
            return call()
        raise cancelled(*["None"] * len(puts), (code, text), (code, text))

    return refuse


def test_a_month_full_of_kinds_rejects_its_events_and_no_others(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(record, usage_event(1))
    events = [usage_event(1), usage_event(2), usage_event(3, deployment_id="acme")]
    with faults(monkeypatch, full("pilot")):
        answer = post(record, *events)
    assert answer["statusCode"] == 200
    rejected = [(result["outcome"], result["reason"]) for result in answer["body"]["results"]]
    assert rejected == [("rejected", TOO_MANY), ("rejected", TOO_MANY), ("accepted", None)]
    assert total(stack, "acme") == {"droplet_hours": Decimal(1)}
    assert outcomes(post(record, *events)) == ["duplicate", "accepted", "duplicate"]


def test_what_was_counted_before_the_month_was_full_is_told_as_counted(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, written = [usage_event(n) for n in range(150)], list[int]()

    def full_after_one(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            written.append(1)
        return call() if len(written) < 2 else full("pilot")(operation, arguments, call)

    with faults(monkeypatch, full_after_one):
        answer = post(record, *events)
    assert outcomes(answer) == ["accepted"] * 98 + ["rejected"] * 52
    assert total(stack) == {"droplet_hours": Decimal(98)}


@pytest.mark.parametrize(
    ("code", "text"),
    [("ThrottlingError", FULL), ("ValidationError", "Number overflow"), ("ServerError", FULL)],
)
def test_any_other_trouble_with_a_total_is_a_503(
    record: ModuleType, monkeypatch: pytest.MonkeyPatch, code: str, text: str
) -> None:
    monkeypatch.setattr(back_off, "sleep", lambda _: None)
    with faults(monkeypatch, full("pilot", code, text)):
        assert post(record, usage_event(1))["statusCode"] == 503


def test_a_month_that_belongs_to_another_tenant_takes_no_usage(
    stack: Stack, record: ModuleType
) -> None:
    stack.usage.add("acme", "pilot", date(2026, 4, 1), {"droplet_hours": Decimal(1)})
    [result] = post(record, usage_event(1))["body"]["results"]
    assert result["outcome"] == "rejected"
    assert "does not belong to tenant pilot" in result["reason"]


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "{}", '{"events": []}', '{"events": {}}', '{"events": [], "x": 1}'),
        '{"events": [{}], "events": [{}]}',
        '{"events": [{"id": "a", "id": "b"}]}',
    ],
)
def test_a_body_that_is_no_batch_is_a_400(record: ModuleType, body: str) -> None:
    answer = record.handler(event("record_usage") | {"body": body}, LambdaContext())
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["errors"][0]["field"] in ("body", "events")


def test_a_thousand_and_one_events_are_too_many(record: ModuleType) -> None:
    answer = post(record, *(usage_event(n) for n in range(1001)))
    assert answer["statusCode"] == 400
    assert answer["body"]["errors"][0]["detail"] == "must be a list of 1 to 1000 events"


@pytest.mark.parametrize("groups", ["tenant:pilot", "not_metering", "metering2"])
def test_only_metering_and_admins_record(stack: Stack, record: ModuleType, groups: str) -> None:
    assert post(record, usage_event(1), groups=groups)["statusCode"] == 403
    assert total(stack) == {}
    assert outcomes(post(record, usage_event(1), groups="platform_admin")) == ["accepted"]


def get_usage(groups: str, **query: str) -> dict[str, Any]:
    """Returns the answer to GET /usage."""
    call = event("get_usage")
    call["requestContext"]["authorizer"]["claims"]["cognito:groups"] = groups
    call["queryStringParameters"] = query or None
    call["multiValueQueryStringParameters"] = {k: [v] for k, v in query.items()} or None
    answer: dict[str, Any] = load_handler("get_usage").handler(call, LambdaContext())
    return answer


def test_another_tenants_usage_and_none_answer_the_same_bytes(
    stack: Stack, record: ModuleType
) -> None:
    post(record, usage_event(1))
    query = {"period": "2026-04"}
    others = get_usage("tenant:acme", deployment_id="pilot", **query)
    none = get_usage("tenant:acme", deployment_id="nobody", **query)
    odd = get_usage("tenant:acme", deployment_id="pilot#2026-04", **query)
    assert (others["statusCode"], others["body"]) == (404, none["body"])
    assert odd["body"] == none["body"]
    assert get_usage("platform_admin", deployment_id="pilot", **query)["statusCode"] == 200
    assert get_usage("metering", deployment_id="pilot", **query)["statusCode"] == 403


def correct(stack: Stack, correction_id: str, expect: str, quantity: str) -> None:
    """Corrects the pilot's hours of 15 April, on 2 May at 09:30."""
    change = {"deployment_id": "pilot", "resource_kind": "droplet_hours", "day": "2026-04-15"}
    amounts = {"expect": expect, "quantity": quantity}
    body = {"id": correction_id, "reason": "typed [sic]", "day": change | amounts}
    corrections_over(settings()).correct(
        read_correction(body), Actor("AIDA", "ada"), datetime(2026, 5, 2, 9, 30, tzinfo=UTC)
    )


def test_who_corrected_what_and_the_names_of_files_are_for_admins_alone(
    stack: Stack, record: ModuleType
) -> None:
    importing = UsageEventsTable(stack.usage.name, imported_from="april.csv")
    importing.record("pilot", "2026-04-15", [UsageEvent.model_validate(usage_event(1))])
    post(record, usage_event(2, occurred_at="2026-04-16T12:00:00Z"))
    correct(stack, "first", "1", "20")
    correct(stack, "second", "20", "2.5")
    query = {"deployment_id": "pilot", "period": "2026-04"}
    whole, own = (
        json.loads(get_usage(groups, **query)["body"])
        for groups in ("platform_admin", "tenant:pilot")
    )
    for body in (whole, own):
        assert_promised("/usage", 200, "application/json", body)
        # 2.5 and 1.
        assert body["total"] == {"droplet_hours": "3.5"}
    corrected, hour = {"droplet_hours": "2.5"}, {"droplet_hours": "1"}
    assert whole["days"] == [
        {"day": "2026-04-15", "usage": corrected, "imports": ["april.csv"]},
        {"day": "2026-04-16", "usage": hour, "imports": []},
    ]
    assert own["days"] == [
        {"day": "2026-04-15", "usage": corrected},
        {"day": "2026-04-16", "usage": hour},
    ]
    seen = [
        {
            "day": "2026-04-15",
            "at": "2026-05-02T09:30:00.000+00:00",
            "changes": {"droplet_hours": {"before": before, "after": after}},
        }
        for before, after in (("1", "20"), ("20", "2.5"))
    ]
    assert own["corrections"] == seen
    assert whole["corrections"] == [
        correction | {"id": name, "by": "ada", "reason": "typed [sic]"}
        for correction, name in zip(seen, ("first", "second"), strict=True)
    ]
    assert get_usage("tenant:acme", **query)["statusCode"] == 404


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, ["deployment_id", "period"]),
        ({"deployment_id": "pilot"}, ["period"]),
        ({"deployment_id": "pilot", "period": "April"}, ["period"]),
        ({"deployment_id": "pilot", "period": "2026-04", "x": "y"}, ["x"]),
    ],
)
def test_a_faulty_question_is_a_400(
    record: ModuleType, query: dict[str, str], fields: list[str]
) -> None:
    answer = get_usage("tenant:pilot", **query)
    assert answer["statusCode"] == 400
    assert [error["field"] for error in json.loads(answer["body"])["errors"]] == fields


def test_a_month_without_usage_is_empty(record: ModuleType) -> None:
    body = json.loads(get_usage("tenant:pilot", deployment_id="pilot", period="2026-03")["body"])
    assert (body["days"], body["total"]) == ([], {})


def test_the_queue_takes_the_same_events_by_the_same_rules(
    stack: Stack, record: ModuleType
) -> None:
    ingest = load_handler("ingest_usage")
    for _ in range(2):
        assert ingest.handler(event("ingest_usage"), LambdaContext()) == {"batchItemFailures": []}
    assert total(stack) == {"droplet_hours": Decimal("36.5")}
    answer = record.handler(event("record_usage"), LambdaContext())
    assert json.loads(answer["body"])["counts"]["duplicate"] == 3


def test_a_message_that_is_no_batch_fails_alone(stack: Stack, record: ModuleType) -> None:
    poison = event("ingest_usage_poison")
    answer = load_handler("ingest_usage").handler(poison, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": poison["Records"][0]["messageId"]}]}
    assert total(stack) == {"droplet_hours": Decimal("36.5")}


def test_a_message_that_names_a_field_twice_fails_and_counts_nothing(
    stack: Stack, record: ModuleType
) -> None:
    sent = event("ingest_usage")
    twice = sent["Records"][0]["body"].replace('"24"', '"24", "quantity": "240"')
    sent["Records"][0]["body"] = twice
    ingest, written = load_handler("ingest_usage"), StringIO()
    ingest.logger.registered_handler.setStream(written)
    answer = ingest.handler(sent, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": sent["Records"][0]["messageId"]}]}
    assert json.loads(written.getvalue())["reason"] == (
        "InvalidBatch: field 'quantity' is given twice"
    )
    assert total(stack) == {}


def test_a_deployment_is_one_tenants_for_good(stack: Stack, record: ModuleType) -> None:
    intruder = Segment("acme", "pilot", date(2026, 5, 1), None, "studio", 1)
    with pytest.raises(DeploymentTaken, match="deployment pilot is another tenant's"):
        SubscriptionsTable(stack.accounts.name).put(intruder)
    again = Segment("pilot", "pilot", date(2025, 5, 1), date(2025, 5, 31), "studio", 1)
    SubscriptionsTable(stack.accounts.name).put(again)
    assert stack.accounts.owners(["pilot", "acme", "none"]) == {"pilot": "pilot", "acme": "acme"}


def test_unknown_reasons_of_a_cancelled_transaction_are_not_swallowed(
    stack: Stack, record: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "TransactWriteItems":
            raise cancelled("ItemCollectionSizeLimitExceeded")
        return call()

    with (
        faults(monkeypatch, too_large),
        pytest.raises(UsageNotRecorded, match="ItemCollectionSizeLimitExceeded"),
    ):
        metering.metering().record([usage_event(1)], RECEIVED)
