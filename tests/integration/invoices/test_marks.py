"""The marks of corrected months lie among a tenant's invoices, and are none to any reader."""

import json
from datetime import date
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from local.handlers import LambdaContext, load_handler
from tests.events import event
from tests.integration.conftest import Stack
from tests.integration.invoices.test_numbers import Books
from tests.integration.month_end.test_rollup import batch, outcomes

READERS = [
    *("list_invoices", "list_invoices_tenant", "get_invoice", "get_invoice_history"),
    *("get_month_end", "preview_month_end", "get_estimate"),
]
MONTHS = ("2025-04", "2026-01", "2026-03", "2026-04", "2026-05", "2027-04")


def mark(stack: Stack) -> None:
    """Puts marks before, on and after the pilot's April, as corrections do."""
    for month in MONTHS:
        stack.dynamodb.update_item(
            TableName="invoices",
            Key={"tenant_id": {"S": "pilot"}, "period_start": {"S": f"{month}~corrected"}},
            UpdateExpression="SET corrected_at = :at",
            ExpressionAttributeValues={":at": {"S": "2026-05-01T00:00:00.000+00:00"}},
        )


def answer(name: str) -> Any:
    """Returns the body with which a function answers its event; without the time of a report."""
    folder = name.removesuffix("_tenant")
    answered = load_handler(folder).handler(event(name), LambdaContext())
    assert answered["statusCode"] == 200, answered
    body = json.loads(answered["body"])
    body.pop("as_of", None)
    return body


@pytest.mark.parametrize("name", READERS)
def test_no_reader_sees_a_mark(stack: Stack, rollup: ModuleType, name: str) -> None:
    stack.add_tenant("pilot", account_number="1001")
    rollup.handler(batch("pilot"), LambdaContext())
    before = answer(name)
    mark(stack)
    assert answer(name) == before


def test_a_marked_month_without_an_invoice_is_made_and_made_again(
    stack: Stack, rollup: ModuleType
) -> None:
    books = Books(stack, rollup)
    stack.add_tenant("pilot", account_number="1001")
    mark(stack)
    assert books.force() == "2604-1001"
    books.change("issue")
    books.change("void")
    # The next letter follows, as without a mark.
    assert books.force(more_hours=10) == "2604-1001B"
    items = [item["period_start"]["S"] for item in stack.raw_items("invoices")]
    assert sorted(key for key in items if "~" in key) == [f"{m}~corrected" for m in MONTHS]


def test_a_tenant_with_marks_alone_has_nothing_to_invoice(
    stack: Stack, rollup: ModuleType, log: StringIO
) -> None:
    stack.add_tenant("pilot", account_number="1001", hours=None, starts_on=date(2026, 6, 1))
    mark(stack)
    rollup.handler(batch("pilot"), LambdaContext())
    [line] = outcomes(log.getvalue())
    assert line["outcome"] == "nothing_to_invoice"
