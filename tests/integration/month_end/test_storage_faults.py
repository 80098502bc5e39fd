"""The invoices table when the network or another worker interferes.

Faults are put between botocore and moto, so that pynamodb and our own code see the answers that
AWS would send. Two workers at once are tried on the local AWS instead: moto loses updates.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import PutError

from invoicing.accounts.account import Tenant
from invoicing.accounts.account_item import VersionExists
from invoicing.accounts.catalogue_table import PLANS, PriceVersions
from invoicing.foundation import dynamodb
from invoicing.foundation.dynamodb import ItemTooLarge, KeysNotRead
from invoicing.invoices import invoice_item
from invoicing.invoices.billed_usage import NOTHING_BILLED
from invoicing.invoices.invoice import Invoice, InvoiceStatus, Revision, new_invoice
from invoicing.invoices.invoices_table import (
    InvoiceAlreadyExists,
    InvoiceChanged,
    InvoicePagesMissing,
)
from local.handlers import LambdaContext
from quote_engine import Plan, QuoteRequest, Subscription, UnpricedUsage, price
from tests.integration.conftest import APRIL, Stack
from tests.integration.month_end.test_rollup import batch, failures, set_status

type Call = Callable[[], Any]
type Fault = Callable[[str, dict[str, Any], Call], Any]


@contextmanager
def faults(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> Iterator[None]:
    """Sends every AWS call through `fault`, which makes the call, raises, or does both."""
    real = botocore.client.BaseClient._make_api_call

    def spoilt(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        return fault(operation, arguments, lambda: real(client, operation, arguments))

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", spoilt)
        yield


def refusal(operation: str) -> ClientError:
    """Returns DynamoDB's answer to a write whose condition is not met."""
    error = {
        "Code": "ConditionalCheckFailedException",
        "Message": "The conditional request failed",
    }
    return ClientError({"Error": error}, operation)


def flat_invoice(tenant_id: str, deployments: int, dollars: str = "10.00") -> Invoice:
    """Returns a draft with a plan line per deployment and the tax line, without usage."""
    plan = Plan("flat", "Flat", Decimal(dollars), "none", ())
    subscriptions = tuple(
        Subscription(f"deployment-{n:05}", date(2026, 1, 1), None, plan, (), {})
        for n in range(deployments)
    )
    request = QuoteRequest(APRIL, "AUD", "gst", subscriptions)
    tenant = Tenant(tenant_id, "Acme Pty Ltd", "1001", "gst")
    return new_invoice(tenant, request, price(request), Revision(1, None), NOTHING_BILLED)


def revised(invoice: Invoice, revision: int, deployments: int) -> Invoice:
    """Returns another invoice of the same tenant and period, at a later revision."""
    later = flat_invoice(invoice.header.tenant_id, deployments, "11.00")
    return replace(later, header=replace(later.header, revision=revision))


def test_a_reply_that_is_lost_and_retried_inside_the_sdk_counts_as_done(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The put succeeds, its reply is lost; the SDK puts again and its own write refuses it."""
    writes = []

    def lose_reply(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation != "PutItem":
            return call()
        writes.append(call())
        raise refusal(operation)

    invoice = flat_invoice("acme", 1)
    with faults(monkeypatch, lose_reply):
        stack.invoices.create(invoice)
    assert len(writes) == 1
    assert stack.invoices.get("acme", APRIL) == invoice


def test_a_reply_that_is_lost_for_good_fails_the_message_and_the_retry_is_a_skip(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")

    def time_out(operation: str, _: dict[str, Any], call: Call) -> Any:
        answer = call()
        if operation == "PutItem":
            raise ReadTimeoutError(endpoint_url="dynamodb")
        return answer

    with faults(monkeypatch, time_out):
        assert failures(rollup.handler(batch("pilot"), LambdaContext())) == ["pilot"]
    before = stack.raw_items("invoices")
    assert failures(rollup.handler(batch("pilot"), LambdaContext())) == []
    assert stack.raw_items("invoices") == before


def test_a_crash_before_the_put_leaves_nothing_and_the_retry_invoices(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")

    def crash(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "PutItem":
            raise ReadTimeoutError(endpoint_url="dynamodb")
        return call()

    with faults(monkeypatch, crash):
        assert failures(rollup.handler(batch("pilot"), LambdaContext())) == ["pilot"]
    assert stack.raw_items("invoices") == []
    rollup.handler(batch("pilot"), LambdaContext())
    assert stack.invoices.get("pilot", APRIL).header.total_cents == 7064


def test_a_missing_table_is_an_error_and_not_an_invoice_that_exists(stack: Stack) -> None:
    stack.dynamodb.delete_table(TableName="invoices")
    with pytest.raises(PutError, match="ResourceNotFoundException"):
        stack.invoices.create(flat_invoice("acme", 1))


def test_another_workers_invoice_is_named_and_left_alone(stack: Stack) -> None:
    stack.invoices.create(flat_invoice("acme", 1))
    before = stack.raw_items("invoices")
    with pytest.raises(InvoiceAlreadyExists, match=r"acme\.2026-04 exists already \(draft\)"):
        stack.invoices.create(flat_invoice("acme", 2, "99.00"))
    assert stack.raw_items("invoices") == before


def test_5000_lines_are_written_in_pages_and_read_whole(stack: Stack) -> None:
    invoice = flat_invoice("acme", 4999)
    assert len(invoice.lines) == 5000
    stack.invoices.create(invoice)
    assert stack.invoices.get("acme", APRIL) == invoice
    items = stack.raw_items("invoices")
    assert len(items) > 5
    assert max(len(item["lines"]["S"]) for item in items) <= 100 * 1024
    assert sum(item["tenant_id"]["S"] == "acme" for item in items) == 1


def test_a_reader_between_page_writes_and_commit_sees_no_invoice(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    seen = []

    def look(operation: str, _: dict[str, Any], call: Call) -> Any:
        if operation == "PutItem":
            page = stack.dynamodb.query(
                TableName="invoices",
                KeyConditionExpression="tenant_id = :t",
                ExpressionAttributeValues={":t": {"S": "acme"}},
            )
            seen.append(page["Count"])
        return call()

    with faults(monkeypatch, look):
        stack.invoices.create(flat_invoice("acme", 40))
    assert len(seen) > 3
    assert set(seen) == {0}


def die_at_the_header(operation: str, arguments: dict[str, Any], call: Call) -> Any:
    """A fault: the worker dies after writing the pages and before writing the header."""
    if operation == "PutItem" and "number" in arguments["Item"]:
        raise ReadTimeoutError(endpoint_url="dynamodb")
    return call()


def test_pages_of_a_dead_attempt_are_never_read_and_are_swept_by_the_next(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    invoice = flat_invoice("acme", 40)
    with faults(monkeypatch, die_at_the_header), pytest.raises(Exception, match="timeout"):
        stack.invoices.create(invoice)
    orphans = len(stack.raw_items("invoices"))
    assert orphans == 3
    stack.invoices.create(invoice)
    assert stack.invoices.get("acme", APRIL) == invoice
    assert len(stack.raw_items("invoices")) == orphans + 1


def test_the_loser_of_a_race_takes_its_own_pages_away(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    winner = flat_invoice("acme", 40)
    stack.invoices.create(winner)
    before = len(stack.raw_items("invoices"))
    with pytest.raises(InvoiceAlreadyExists):
        stack.invoices.create(flat_invoice("acme", 41))
    assert len(stack.raw_items("invoices")) == before
    assert stack.invoices.get("acme", APRIL) == winner


def test_the_loser_of_a_race_takes_the_pages_of_the_dead_away_too(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    winner = flat_invoice("acme", 40)
    stack.invoices.create(winner)
    before = stack.raw_items("invoices")
    with faults(monkeypatch, die_at_the_header), pytest.raises(Exception, match="timeout"):
        stack.invoices.create(winner)
    assert len(stack.raw_items("invoices")) > len(before)
    with pytest.raises(InvoiceAlreadyExists):
        stack.invoices.create(winner)
    assert stack.raw_items("invoices") == before
    assert stack.invoices.get("acme", APRIL) == winner


def test_the_loser_of_a_race_leaves_the_pages_of_the_next_revision_alone(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    first = flat_invoice("acme", 40)
    stack.invoices.create(first)
    second = revised(first, 2, 50)
    stack.invoices.replace(stack.invoices.stored("acme", APRIL), second)
    before = stack.raw_items("invoices")
    with pytest.raises(InvoiceAlreadyExists):
        stack.invoices.create(first)
    assert stack.raw_items("invoices") == before
    assert stack.invoices.get("acme", APRIL) == second
    assert stack.invoices.get("acme", APRIL, 1) == first


def test_an_invoice_whose_pages_are_gone_is_not_shown_in_part(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    stack.invoices.create(flat_invoice("acme", 40))
    page = next(i for i in stack.raw_items("invoices") if i["tenant_id"]["S"] == "acme#pages")
    key = {name: page[name] for name in ("tenant_id", "period_start")}
    stack.dynamodb.delete_item(TableName="invoices", Key=key)
    with pytest.raises(InvoicePagesMissing, match="acme, 2026-04-01"):
        stack.invoices.get("acme", APRIL)


def test_a_large_draft_is_replaced_whole_and_its_old_revision_stays_whole(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_item, "PAGE_BYTES", 2_000)
    first = flat_invoice("acme", 40)
    stack.invoices.create(first)
    second = revised(first, 2, 50)
    stack.invoices.replace(stack.invoices.stored("acme", APRIL), second)
    assert stack.invoices.get("acme", APRIL) == second
    assert stack.invoices.get("acme", APRIL, 1) == first


def test_a_replacement_of_what_was_replaced_meanwhile_changes_nothing(stack: Stack) -> None:
    first = flat_invoice("acme", 1)
    stack.invoices.create(first)
    stale = stack.invoices.stored("acme", APRIL)
    stack.invoices.replace(stale, revised(first, 2, 2))
    before = stack.raw_items("invoices")
    with pytest.raises(InvoiceChanged, match=r"acme\.2026-04"):
        stack.invoices.replace(stale, revised(first, 2, 3))
    assert stack.raw_items("invoices") == before


def test_what_was_issued_since_it_was_read_is_not_replaced(stack: Stack) -> None:
    first = flat_invoice("acme", 1)
    stack.invoices.create(first)
    read = stack.invoices.stored("acme", APRIL)
    for status in (InvoiceStatus.ISSUED, InvoiceStatus.VOID):
        set_status(stack, "acme", status)
        before = stack.raw_items("invoices")
        with pytest.raises(InvoiceChanged):
            stack.invoices.replace(read, revised(first, 2, 2))
        assert stack.raw_items("invoices") == before


def test_an_issued_invoice_is_never_replaced(stack: Stack) -> None:
    first = flat_invoice("acme", 1)
    stack.invoices.create(first)
    set_status(stack, "acme", InvoiceStatus.ISSUED)
    with pytest.raises(InvoiceChanged, match="issued invoices cannot be replaced"):
        stack.invoices.replace(stack.invoices.stored("acme", APRIL), revised(first, 2, 2))


def test_a_lost_reply_to_the_swap_counts_as_done(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = flat_invoice("acme", 1)
    stack.invoices.create(first)

    def lose_reply(operation: str, _: dict[str, Any], call: Call) -> Any:
        answer = call()
        if operation == "TransactWriteItems":
            reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "ConditionalCheckFailed"}]
            error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
            response: Any = {"Error": error, "CancellationReasons": reasons}
            raise ClientError(response, operation)
        return answer

    second = revised(first, 2, 2)
    with faults(monkeypatch, lose_reply):
        stack.invoices.replace(stack.invoices.stored("acme", APRIL), second)
    assert stack.invoices.get("acme", APRIL) == second


def test_an_item_beyond_dynamodbs_limit_is_refused_with_the_tenant_named(stack: Stack) -> None:
    invoice = flat_invoice("acme", 1)
    line = invoice.lines[0]._replace(description="x" * (401 * 1024))
    with pytest.raises(ItemTooLarge, match=r"invoice acme\.2026-04: an item of \d+ bytes"):
        stack.invoices.create(replace(invoice, lines=(line, *invoice.lines[1:])))
    assert stack.raw_items("invoices") == []


def test_what_nothing_prices_is_spread_over_pages_like_the_lines(stack: Stack) -> None:
    unpriced = tuple(
        UnpricedUsage(f"deployment-{n:05}-{'x' * 40}", "gpu_hours", Decimal("1.5"))
        for n in range(6000)
    )
    invoice = replace(flat_invoice("acme", 1), unpriced=unpriced)
    stack.invoices.create(invoice)
    assert stack.invoices.get("acme", APRIL) == invoice
    sizes = [len(json.dumps(item)) for item in stack.raw_items("invoices")]
    assert sum(sizes) > 400 * 1024 > max(sizes)


def test_an_item_leaves_room_for_its_keys_and_for_what_an_issue_adds() -> None:
    # DynamoDB takes 409,600 bytes of names and values.
    for size, fits in ((409_600 - 1024, True), (409_600 - 1023, False)):
        text = "x" * (size - len("lines"))
        if fits:
            invoice_item.refuse_too_large("it", {"lines": text})
            continue
        with pytest.raises(ItemTooLarge, match="it: an item of 408577 bytes"):
            invoice_item.refuse_too_large("it", {"lines": text})


def test_unprocessed_usage_keys_are_asked_for_again(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")
    pauses: list[float] = []
    monkeypatch.setattr(dynamodb, "sleep", pauses.append)

    def leave_unprocessed(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if "usage" in arguments.get("RequestItems", ()) and len(pauses) < 2:
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return call()

    with faults(monkeypatch, leave_unprocessed):
        rollup.handler(batch("pilot"), LambdaContext())
    assert stack.invoices.get("pilot", APRIL).header.total_cents == 7064
    assert len(pauses) == 2


def test_usage_that_stays_unread_fails_the_tenant_instead_of_billing_a_part(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.add_tenant("pilot")
    monkeypatch.setattr(dynamodb, "sleep", lambda _: None)

    def leave_unprocessed(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if "usage" in arguments.get("RequestItems", ()):
            return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
        return call()

    with faults(monkeypatch, leave_unprocessed):
        assert failures(rollup.handler(batch("pilot"), LambdaContext())) == ["pilot"]
        with pytest.raises(KeysNotRead, match="1 keys of usage were not read"):
            stack.usage.totals(["pilot"], APRIL)
    assert stack.raw_items("invoices") == []


def test_a_plan_version_is_written_once(stack: Stack) -> None:
    plan = Plan("studio", "Studio", Decimal("51.00"), "daily", ())
    with pytest.raises(VersionExists, match="plan#studio v0001 has other prices already"):
        PriceVersions(stack.accounts.name, PLANS).put(plan, 1)
    assert json.loads(_plan_text(stack))["price"] == "50.00"


def _plan_text(stack: Stack) -> str:
    key = {"pk": {"S": "plan#studio"}, "sk": {"S": "v0001"}}
    answer = stack.dynamodb.get_item(TableName="accounts", Key=key)
    return str(answer["Item"]["document"]["S"])


def test_days_that_come_in_several_pages_are_all_billed(
    stack: Stack, rollup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"account_number": "7", "hours": None}
    stack.add_tenant("acme", **first, ends_on=date(2026, 4, 15))
    stack.add_tenant("acme", **first, starts_on=date(2026, 4, 16))
    for day in range(1, 31):
        stack.usage.add("acme", "acme", date(2026, 4, day), {"droplet_hours": Decimal(100)})

    def few_at_a_time(operation: str, arguments: dict[str, Any], call: Call) -> Any:
        if operation == "Query" and arguments["TableName"] == "usage":
            arguments["Limit"] = 7
        return call()

    with faults(monkeypatch, few_at_a_time):
        rollup.handler(batch("acme"), LambdaContext())
    # 1,500 hours in each half, of which 1,488 are included in all, at a cent.
    lines = stack.invoices.get("acme", APRIL).lines
    assert [line.amount_cents for line in lines if line.kind == "overage"] == [1512]
