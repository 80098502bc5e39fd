"""The rollup: one invoice per tenant and period, whatever is delivered and however often."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from invoicing.accounts.account import InvalidAccount, Segment, Tenant
from invoicing.accounts.account_item import AccountNumberTaken
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.accounts.subscriptions_table import SubscriptionsTable
from invoicing.accounts.tenants_table import TenantsTable
from invoicing.foundation import dynamodb
from invoicing.invoices.invoice import InvoiceStatus
from invoicing.invoices.invoice_item import InvoiceItem
from invoicing.month_end.rollup_message import parse_rollup_message
from invoicing.pricing import tenant_month
from local.handlers import LambdaContext
from quote_engine import Convert, Period
from tests.events import event
from tests.integration.conftest import APRIL, STUDIO, Stack


def batch(*tenant_ids: str, **fields: Any) -> dict[str, Any]:
    """Returns an SQS event with a message per tenant, whose message id is the tenant's id."""
    body = json.loads(event("rollup_tenant")["Records"][0]["body"]) | fields
    return {
        "Records": [
            record_of(tenant_id, json.dumps(body | {"tenant_id": tenant_id}))
            for tenant_id in tenant_ids
        ]
    }


def record_of(message_id: str, body: str) -> dict[str, Any]:
    """Returns a message as Lambda gets it from the queue, sent a second after its run began."""
    record: dict[str, Any] = event("rollup_tenant")["Records"][0]
    sent = datetime.fromisoformat(json.loads(body)["run_at"]) + timedelta(seconds=1)
    attributes = record["attributes"] | {"SentTimestamp": str(int(sent.timestamp() * 1000))}
    return record | {"messageId": message_id, "body": body, "attributes": attributes}


def failures(answer: dict[str, Any]) -> list[str]:
    """Returns the ids of the messages that the function reports as failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def outcomes(output: str) -> list[dict[str, Any]]:
    """Returns the function's log lines about tenants, in order."""
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if "outcome" in line and "tenant_id" in line]


def invoice_items(stack: Stack) -> list[dict[str, Any]]:
    """Returns the raw items of the invoices table, in order of key."""
    return sorted(stack.raw_items("invoices"), key=lambda item: item["period_start"]["S"])


def test_the_stored_item_is_the_whole_invoice(stack: Stack, rollup: ModuleType) -> None:
    stack.add_tenant("pilot", account_number="1001")
    rollup.handler(batch("pilot"), LambdaContext())
    [item] = stack.raw_items("invoices")
    lines = json.loads(item.pop("lines")["S"])
    assert [line["amount_cents"] for line in lines] == [5000, 750, 672, 642]
    assert json.loads(item.pop("billed")["S"]) == [
        {
            "segment": "pilot 2026-01-10",
            "usage": {"droplet_hours": "2160"},
            "plan_code": "studio",
            "plan_version": 1,
            "addons": [{"code": "storage_50gb", "version": 1, "quantity": 1}],
        }
    ]
    assert len(item.pop("attempt")["S"]) == 32
    assert len(item.pop("fingerprint")["S"]) == 64
    assert item.pop("run_id")["S"] == "5f3c0a52-7d0e-4e0f-9a39-2f5d1f0a4b11"
    assert item.pop("run_at")["S"] == "2026-05-01T03:00:00+00:00"
    assert item.pop("period_shard")["S"].startswith("2026-04#")
    assert item == {
        "tenant_id": {"S": "pilot"},
        "period_start": {"S": "2026-04-01"},
        "period_end": {"S": "2026-05-01"},
        "number": {"S": "2604-1001"},
        "status": {"S": "draft"},
        "revision": {"N": "1"},
        "currency": {"S": "AUD"},
        "tax": {"S": "gst"},
        "subtotal_cents": {"N": "6422"},
        "tax_cents": {"N": "642"},
        "total_cents": {"N": "7064"},
        "pages": {"N": "1"},
    }


def test_a_duplicate_changes_nothing(stack: Stack, rollup: ModuleType, log: StringIO) -> None:
    stack.add_tenant("pilot")
    answer = rollup.handler(event("rollup_tenant_duplicate"), LambdaContext())
    assert failures(answer) == []
    assert [line["outcome"] for line in outcomes(log.getvalue())] == [
        "rolled",
        "skipped",
        "skipped",
    ]
    before = stack.raw_items("invoices")
    rollup.handler(event("rollup_tenant_duplicate"), LambdaContext())
    assert stack.raw_items("invoices") == before


def test_a_second_run_skips_even_when_usage_has_changed(stack: Stack, rollup: ModuleType) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot"), LambdaContext())
    before = stack.raw_items("invoices")
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(500)})
    rollup.handler(batch("pilot"), LambdaContext())
    assert stack.raw_items("invoices") == before


def test_poison_messages_fail_alone_and_with_their_reason(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    stack.add_tenant("acme")
    poison = event("rollup_tenant_poison")
    answer = rollup.handler(poison, LambdaContext())
    assert failures(answer) == [record["messageId"] for record in poison["Records"][:3]]
    logged = [json.loads(line) for line in log.getvalue().splitlines() if '"failed"' in line]
    reasons = [line["reason"] for line in logged if line.get("outcome") == "failed"]
    assert reasons[0].startswith("InvalidMessage: message: Invalid JSON")
    assert reasons[1] == "UnknownTenant: tenant nobody is not in the accounts table"
    assert reasons[2].startswith("InvalidMessage: version: ")
    assert [item["tenant_id"]["S"] for item in stack.raw_items("invoices")] == ["pilot"]


def _unknown_plan(stack: Stack) -> None:
    stack.add_tenant("acme", plan_version=7)


def _negative_usage(stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    _raw_usage(stack, {"droplet_hours": {"N": "-1"}})


def _usage_in_words(stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    _raw_usage(stack, {"droplet_hours": {"S": "many"}})


def _usage_of_a_time_without_bounds(stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    _raw_usage(stack, {"droplet_hours": {"N": "100000000000000000000"}})


def _plan_of_a_time_without_bounds(stack: Stack) -> None:
    _convert(stack, "99999999999999999999")
    stack.add_tenant("acme", hours=None, plan_version=2)
    _raw_usage(stack, {"droplet_hours": {"N": "99999999999999999999"}})


def _convert(stack: Stack, multiply_by: str) -> None:
    """Stores the plan as it could once be stored: its kind's quantity times any factor."""
    [rate] = STUDIO.rates
    converted = replace(rate, convert=Convert(multiply_by=Decimal(multiply_by)))
    catalogue = PriceVersions(stack.accounts.name, PLANS)
    catalogue.put(replace(STUDIO, rates=(converted,)), 2)


def _usage_of_another(stack: Stack) -> None:
    stack.add_tenant("acme", hours=None)
    _raw_usage(stack, {"droplet_hours": {"N": "1"}, "tenant_id": {"S": "pilot"}})


def _overlapping_subscriptions_of_one_deployment(stack: Stack) -> None:
    stack.add_tenant("acme", account_number="7")
    # The table class refuses to store these.
    key = {"pk": {"S": "acme"}, "sk": {"S": "sub#acme#2026-01-10"}}
    segment = stack.dynamodb.get_item(TableName="accounts", Key=key)["Item"]
    later = segment | {"sk": {"S": "sub#acme#2026-04-15"}}
    stack.dynamodb.put_item(TableName="accounts", Item=later)


def _raw_usage(stack: Stack, attributes: dict[str, Any]) -> None:
    key = {"deployment_period": {"S": "acme#2026-04"}, "day": {"S": "total"}}
    item = {"tenant_id": {"S": "acme"}} | key | attributes
    stack.dynamodb.put_item(TableName="usage", Item=item)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_unknown_plan, "UnknownPrice: plan studio v0007 is not in the catalogue"),
        (_negative_usage, "InvalidUsage: usage of acme, droplet_hours: negative (-1)"),
        (_usage_in_words, "InvalidUsage: usage of acme, droplet_hours: not a number"),
        (
            _usage_of_a_time_without_bounds,
            "InvalidUsage: usage of acme, droplet_hours: 100000000000000000000 has more than 20 "
            "digits before the point; take back what was sent wrongly with "
            "`monthend usage correct`",
        ),
        (
            _plan_of_a_time_without_bounds,
            "InvalidUsage: usage of acme, droplet_hours: too dear for an invoice (40 digits of "
            "cents); correct the usage (`monthend usage correct`) or move the deployment to a "
            "plan without that conversion",
        ),
        (_usage_of_another, "InvalidUsage: usage of acme belongs to tenant pilot, not to acme"),
        (_overlapping_subscriptions_of_one_deployment, "deployment_id"),
    ],
)
def test_a_tenant_with_bad_data_fails_alone(
    stack: Stack,
    rollup: ModuleType,
    log: StringIO,
    spoil: Any,
    reason: str,
) -> None:
    stack.add_tenant("pilot")
    spoil(stack)
    assert failures(rollup.handler(batch("acme", "pilot"), LambdaContext())) == ["acme"]
    failed, rolled = outcomes(log.getvalue())
    assert reason in failed["reason"]
    assert (failed["tenant_id"], failed["outcome"]) == ("acme", "failed")
    assert (rolled["tenant_id"], rolled["outcome"]) == ("pilot", "rolled")
    assert [item["tenant_id"]["S"] for item in stack.raw_items("invoices")] == ["pilot"]


def test_what_was_stored_before_there_were_bounds_is_priced_if_it_can_be(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    _convert(stack, "1000")
    stack.add_tenant("acme", hours=None, plan_version=2)
    _raw_usage(stack, {"droplet_hours": {"N": "9999999999999999999"}})
    assert failures(rollup.handler(batch("acme"), LambdaContext())) == []
    [item] = stack.raw_items("invoices")
    lines = json.loads(item["lines"]["S"])
    # (9999999999999999999 x 1000 - 1488) hours of 0.01
    assert lines[2]["amount_cents"] == 9_999_999_999_999_999_997_512
    assert item["subtotal_cents"] == {"N": "10000000000000000003262"}


def test_usage_that_nothing_prices_is_billed_nothing_and_named(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    stack.usage.add("pilot", "pilot", date(2026, 4, 3), {"gpu_hours": Decimal("2.5")})
    rollup.handler(batch("pilot"), LambdaContext())
    [line] = outcomes(log.getvalue())
    named = {"deployment_id": "pilot", "resource_kind": "gpu_hours", "quantity": "2.5"}
    assert line["unpriced_usage"] == [named]
    assert line["total_cents"] == 7064
    [item] = stack.raw_items("invoices")
    assert json.loads(item["unpriced"]["S"]) == [named]


def test_usage_after_the_end_of_a_subscription_is_named(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("acme", hours="30", ends_on=date(2026, 3, 31))
    rollup.handler(batch("acme"), LambdaContext())
    [line] = outcomes(log.getvalue())
    assert line["outcome"] == "nothing_to_invoice"
    assert line["reason"] == "no active subscription in the period"
    assert line["unpriced_usage"] == [
        {"deployment_id": "acme", "resource_kind": "droplet_hours", "quantity": "30"}
    ]
    assert stack.raw_items("invoices") == []


def test_force_replaces_a_changed_draft_and_keeps_the_old_revision(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot", account_number="1001")
    rollup.handler(batch("pilot"), LambdaContext())
    [old] = invoice_items(stack)
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(28)})
    rollup.handler(batch("pilot", force=True), LambdaContext())
    assert [line["outcome"] for line in outcomes(log.getvalue())] == [
        "rolled",
        "replaced",
    ]
    current, replaced = invoice_items(stack)
    assert replaced.pop("period_start") == {"S": "2026-04-01#r1"}
    assert (old.pop("period_start"), bool(old.pop("period_shard"))) == ({"S": "2026-04-01"}, True)
    assert replaced == old
    # 28 more hours at a cent: 6422 + 28 = 6450; GST 645; total 7095.
    assert (current["total_cents"], current["revision"]) == ({"N": "7095"}, {"N": "2"})
    assert (current["number"], current["letters_used"]) == ({"S": "2604-1001"}, {"N": "0"})


def test_force_on_an_unchanged_draft_changes_nothing(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot", force=True), LambdaContext())
    before = stack.raw_items("invoices")
    rollup.handler(batch("pilot", force=True), LambdaContext())
    rolled, skipped = outcomes(log.getvalue())
    assert (rolled["outcome"], skipped["outcome"]) == ("rolled", "skipped")
    assert skipped["reason"] == "unchanged"
    assert stack.raw_items("invoices") == before


@pytest.mark.parametrize(
    ("status", "reason"),
    [(InvoiceStatus.ISSUED, "issued: void it first"), (InvoiceStatus.PAID, "paid: it stays")],
)
def test_force_is_refused_on_issued_and_paid(
    stack: Stack, rollup: ModuleType, log: StringIO, status: InvoiceStatus, reason: str
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot"), LambdaContext())
    set_status(stack, "pilot", status)
    before = stack.raw_items("invoices")
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(28)})
    answer = rollup.handler(batch("pilot", force=True), LambdaContext())
    assert failures(answer) == []
    refused = outcomes(log.getvalue())[-1]
    assert (refused["outcome"], refused["reason"]) == ("refused", reason)
    assert stack.raw_items("invoices") == before


def test_a_void_invoice_is_skipped_and_by_force_followed_by_a_new_revision(
    stack: Stack, rollup: ModuleType
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot"), LambdaContext())
    set_status(stack, "pilot", InvoiceStatus.VOID)
    rollup.handler(batch("pilot"), LambdaContext())
    assert stack.invoices.get("pilot", APRIL).header.status is InvoiceStatus.VOID
    rollup.handler(batch("pilot", force=True), LambdaContext())
    current = stack.invoices.get("pilot", APRIL).header
    assert (current.status, current.revision) == (InvoiceStatus.DRAFT, 2)
    assert stack.invoices.get("pilot", APRIL, 1).header.status is InvoiceStatus.VOID


def set_status(
    stack: Stack, tenant_id: str, status: InvoiceStatus, period: Period = APRIL
) -> None:
    """Puts an invoice into a state by hand, without the lifecycle's routes."""
    item = stack.invoices.stored(tenant_id, period).item
    item.update(actions=[InvoiceItem.status.set(status.value)])


def test_invoices_are_issued_at_once_when_the_template_says_so(
    stack: Stack, rollup: ModuleType, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("ISSUE_IMMEDIATELY", "true")
    environment.setenv("BILLING_TIME_ZONE", "Australia/Sydney")
    stack.add_tenant("pilot")
    message = {"run_at": "2026-04-30T14:30:00Z"}
    rollup.handler(batch("pilot", **message), LambdaContext())
    header = stack.invoices.get("pilot", APRIL).header
    assert header.status is InvoiceStatus.ISSUED
    assert header.issued_at is not None
    assert header.issued_at.isoformat() == "2026-04-30T14:30:00+00:00"
    # 1 May in Sydney, and fourteen days to pay.
    assert header.due_on == date(2026, 5, 15)


def test_messages_out_of_order_give_the_same_invoices(stack: Stack, rollup: ModuleType) -> None:
    for tenant_id in ("a", "b", "c"):
        stack.add_tenant(tenant_id)
    rollup.handler(batch("c", "a", "b", "a"), LambdaContext())
    headers = [stack.invoices.get(tenant_id, APRIL).header for tenant_id in ("a", "b", "c")]
    assert [header.total_cents for header in headers] == [7064, 7064, 7064]
    assert len(stack.raw_items("invoices")) == 3


def test_with_no_time_left_messages_are_left_for_a_retry(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    answer = rollup.handler(batch("pilot"), LambdaContext(remaining_ms=5_000))
    assert failures(answer) == ["pilot"]
    assert stack.raw_items("invoices") == []
    # The words that docs/operations.md has for it.
    reasons = [json.loads(line).get("reason") for line in log.getvalue().splitlines()]
    assert "OutOfTime: less than 8000 ms left" in reasons


def test_each_invocation_publishes_what_it_did(
    stack: Stack, rollup: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot", "pilot", "nobody"), LambdaContext())
    [metrics] = [
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    ]
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Monthend"
    counted = {name: sum(metrics[name]) for name in ("rolled", "skipped", "failed")}
    assert counted == {"rolled": 1, "skipped": 1, "failed": 1}


def test_usage_of_a_deployment_that_went_to_another_tenant_is_that_tenants_affair(
    stack: Stack, rollup: ModuleType
) -> None:
    stack.add_tenant("old", hours=None)
    ended = Segment("old", "drop", date(2025, 1, 1), date(2025, 12, 31), "studio", 1)
    SubscriptionsTable(stack.accounts.name).put(ended)
    stack.usage.add("new", "drop", date(2026, 4, 1), {"droplet_hours": Decimal(9)})
    assert failures(rollup.handler(batch("old"), LambdaContext())) == []
    # The base of 50.00 and the add-on of 7.50, with GST.
    assert stack.invoices.get("old", APRIL).header.total_cents == 6325


def test_a_forced_run_logs_exactly_the_lines_that_it_changed(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot"), LambdaContext())
    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(100)})
    rollup.handler(batch("pilot", force=True), LambdaContext())
    first, forced = outcomes(log.getvalue())
    assert first["changes"] == []
    changed = [
        (c["before"]["amount_cents"], c["after"]["amount_cents"]) for c in forced["changes"]
    ]
    assert changed == [(672, 772), (642, 652)]


def test_a_slow_forced_worker_never_puts_old_usage_in_the_place_of_new(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot"), LambdaContext())
    slow = rollup._rollup()

    def overtaken(keys: Any) -> Any:
        old = dynamodb.read_tables(keys)
        monkeypatch.undo()
        stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(28)})
        slow.roll_up(parse_rollup_message(batch("pilot", force=True)["Records"][0]["body"]))
        return old

    stack.usage.add("pilot", "pilot", date(2026, 4, 30), {"droplet_hours": Decimal(100)})
    monkeypatch.setattr(tenant_month, "read_tables", overtaken)
    assert failures(rollup.handler(batch("pilot", force=True), LambdaContext())) == ["pilot"]
    # 128 hours over the first 2,160: 64.22 + 1.28 = 65.50, and GST 6.55.
    header = stack.invoices.get("pilot", APRIL).header
    assert (header.revision, header.total_cents) == (2, 7205)
    assert failures(rollup.handler(batch("pilot", force=True), LambdaContext())) == []
    assert stack.invoices.get("pilot", APRIL).header == header


def test_force_with_nothing_left_to_invoice_says_that_a_draft_stands(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot", account_number="7")
    rollup.handler(batch("pilot"), LambdaContext())
    stack.add_tenant("pilot", account_number="7", hours=None, ends_on=date(2026, 3, 31))
    before = stack.raw_items("invoices")
    rollup.handler(batch("pilot", force=True), LambdaContext())
    line = outcomes(log.getvalue())[-1]
    assert line["outcome"] == "refused"
    assert line["reason"].endswith("but a draft invoice stands: void it")
    assert stack.raw_items("invoices") == before


def test_a_worker_refuses_a_period_that_was_open_when_its_run_began(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot")
    rollup.handler(batch("pilot", run_at="2026-04-30T23:59:59Z"), LambdaContext())
    [line] = outcomes(log.getvalue())
    assert line["reason"].startswith("PeriodStillOpen: period 2026-04 ends at 2026-05-01T00:00:00")
    assert stack.raw_items("invoices") == []


def test_an_account_number_is_given_once_and_to_one_tenant(stack: Stack) -> None:
    acme = Tenant("acme", "Acme", "1001", "gst")
    TenantsTable(stack.accounts.name).put(acme)
    TenantsTable(stack.accounts.name).put(replace(acme, name="Acme Pty Ltd"))
    assert stack.accounts.account("acme").tenant.name == "Acme Pty Ltd"
    for tenant in (replace(acme, tenant_id="pilot"), replace(acme, account_number="1002")):
        with pytest.raises(AccountNumberTaken):
            TenantsTable(stack.accounts.name).put(tenant)
    assert stack.accounts.account("acme").tenant.account_number == "1001"


@pytest.mark.parametrize(
    ("deployment_id", "ends_on", "field"),
    [("a#b", None, "deployment_id"), ("a", date(2026, 3, 31), "ends_on")],
)
def test_a_faulty_subscription_is_refused_by_field(
    deployment_id: str, ends_on: date | None, field: str
) -> None:
    with pytest.raises(InvalidAccount, match=f"^{field}: "):
        Segment("acme", deployment_id, date(2026, 4, 1), ends_on, "studio", 1)


def test_two_segments_on_one_plan_are_billed_as_one_month(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    first = {"account_number": "7", "hours": None}
    stack.add_tenant("acme", **first, ends_on=date(2026, 4, 15))
    stack.add_tenant("acme", **first, starts_on=date(2026, 4, 16))
    for day, hours in ((5, 1000), (15, 0), (20, 800)):
        used = {"droplet_hours": Decimal(hours)}
        stack.usage.add("acme", "acme", date(2026, 4, day), used)
    rollup.handler(batch("acme"), LambdaContext())
    invoice = stack.invoices.get("acme", APRIL)
    # 1,800 hours of which 1,488 are included, though one half has 256 over its own half of them.
    charges = [line.amount_cents for line in invoice.lines]
    assert charges == [5000, 750, 312, 606]
    assert invoice.header.total_cents == 6668
    assert outcomes(log.getvalue())[0]["unpriced_usage"] == []


def test_usage_between_two_segments_is_named(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    first = {"account_number": "7", "hours": None}
    stack.add_tenant("acme", **first, ends_on=date(2026, 4, 10))
    stack.add_tenant("acme", **first, starts_on=date(2026, 4, 21))
    stack.usage.add("acme", "acme", date(2026, 4, 15), {"droplet_hours": Decimal(24)})
    rollup.handler(batch("acme"), LambdaContext())
    [line] = outcomes(log.getvalue())
    assert line["unpriced_usage"] == [
        {"deployment_id": "acme", "resource_kind": "droplet_hours", "quantity": "24"}
    ]


@pytest.mark.parametrize(
    "days", [((10, 10),), ((1, 5), (6, 10))], ids=["one segment", "two segments"]
)
def test_usage_after_the_last_day_is_named_and_not_billed_however_the_days_are_cut(
    stack: Stack, rollup: ModuleType, log: StringIO, days: tuple[tuple[int, int], ...]
) -> None:
    starts = [date(2026, 1, 10), *(date(2026, 4, first) for first, _ in days[1:])]
    for starts_on, (_, last) in zip(starts, days, strict=True):
        stack.add_tenant(
            "acme",
            account_number="7",
            hours=None,
            starts_on=starts_on,
            ends_on=date(2026, 4, last),
        )
    for day, hours in ((3, 100), (25, 5000)):
        stack.usage.add("acme", "acme", date(2026, 4, day), {"droplet_hours": Decimal(hours)})
    rollup.handler(batch("acme"), LambdaContext())
    kinds = {line.kind for line in stack.invoices.get("acme", APRIL).lines}
    assert "overage" not in kinds
    [line] = outcomes(log.getvalue())
    assert [usage["quantity"] for usage in line["unpriced_usage"]] == ["5000"]


def test_a_forced_run_tells_of_usage_that_nothing_prices_though_no_line_changes(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("acme", account_number="7")
    rollup.handler(batch("acme"), LambdaContext())
    stack.usage.add("acme", "acme", date(2026, 4, 20), {"gpu_hours": Decimal(3)})
    for run_id in ("first", "second"):
        rollup.handler(batch("acme", force=True, run_id=run_id), LambdaContext())
    logged = [(line["outcome"], line["reason"]) for line in outcomes(log.getvalue())[1:]]
    assert logged == [("replaced", ""), ("skipped", "unchanged")]
    [unpriced] = stack.invoices.get("acme", APRIL).unpriced
    assert (unpriced.resource_kind, unpriced.quantity) == ("gpu_hours", Decimal(3))


def test_a_message_from_the_future_bills_nothing_whoever_wrote_it(
    stack: Stack, rollup: ModuleType
) -> None:
    """The month is over at the time in the message, but was not yet when it was sent."""
    stack.add_tenant("pilot")
    call = batch("pilot", period="2026-05", run_at="2026-06-01T03:00:00Z")
    sent = datetime(2026, 5, 20, tzinfo=UTC)
    call["Records"][0]["attributes"]["SentTimestamp"] = str(int(sent.timestamp() * 1000))
    assert failures(rollup.handler(call, LambdaContext())) == ["pilot"]
    assert stack.raw_items("invoices") == []
