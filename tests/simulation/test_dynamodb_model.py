"""The simulation's DynamoDB answers random calls, of the shapes that we make, as moto does.

It differs on purpose in two ways, both as on AWS: a full page names a next one even if nothing is
left, and a repeated transaction with the same token is done once.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from local.template import table_definition
from tests.simulation.aws.dynamodb import DynamoDB, Refusal
from tests.simulation.aws.expressions import NotModelled
from tests.simulation.aws.random_calls import Calls, Request

CALLS = 250

type Answer = tuple[str, Any]


@pytest.fixture
def moto() -> Iterator[Any]:
    """A client of moto with the template's tables."""
    with mock_aws():
        client = boto3.client("dynamodb")
        for name in ("invoices", "usage"):
            client.create_table(TableName=name, **table_definition(f"{name.title()}Table"))
        yield client


@pytest.fixture
def ours() -> DynamoDB:
    """The simulation's own DynamoDB, with pages that hold everything."""
    names = ("invoices", "usage")
    return DynamoDB({name: table_definition(f"{name.title()}Table") for name in names}, 1_000)


def _answer(
    call: Callable[[Request], Mapping[str, Any]], operation: str, request: Request
) -> Answer:
    """Makes a call and follows its pages; returns its code, and its items in a comparable form."""
    try:
        answer = call(request)
        items = list(answer.get("Items", ()))
        while "LastEvaluatedKey" in answer:
            answer = call(request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]})
            items += answer["Items"]
    except (ClientError, Refusal) as error:
        reasons = error.response.get("CancellationReasons", [])
        causes = [(reason["Code"], _plain(reason.get("Item"))) for reason in reasons]
        return error.response["Error"]["Code"], causes
    rows = [_plain(item) for item in items]
    if operation == "Scan":
        rows.sort(key=str)
    batch = [_plain(item) for item in answer.get("Responses", {}).get("invoices", ())]
    more = _plain(answer.get("Item")), _plain(answer.get("Attributes"))
    return "OK", (rows, sorted(batch, key=str), more)


def _plain(item: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not item:
        return None
    return {name: _value(value) for name, value in sorted(item.items())}


def _value(value: Mapping[str, Any]) -> Any:
    [(kind, content)] = value.items()
    match kind:
        case "N":
            return Decimal(content)
        case "L":
            return [_value(each) for each in content]
        case "M":
            return _plain(content)
    return content


@pytest.mark.parametrize("seed", range(3))
def test_random_calls_are_answered_as_by_moto(moto: Any, ours: DynamoDB, seed: int) -> None:
    calls = Calls(seed)
    codes = set()
    for _ in range(CALLS):
        operation, request = calls.next()
        theirs = _answer(
            lambda wanted, name=operation: moto._make_api_call(name, wanted),  # type: ignore[misc]
            operation,
            request,
        )
        answer = _answer(
            lambda wanted, name=operation: ours.call(name, wanted),  # type: ignore[misc]
            operation,
            request,
        )
        assert answer == theirs, (operation, request)
        codes.add(answer[0])
    refusals = {"ConditionalCheckFailedException", "TransactionCanceledException"}
    assert codes == {"OK"} | refusals


def test_a_full_page_names_a_next_one_as_on_aws(ours: DynamoDB) -> None:
    item = {"tenant_id": {"S": "acme"}, "period_start": {"S": "2026-04-01"}}
    ours.call("PutItem", {"TableName": "invoices", "Item": item})
    query = {
        "TableName": "invoices",
        "KeyConditionExpression": "tenant_id = :t",
        "ExpressionAttributeValues": {":t": {"S": "acme"}},
        "Limit": 1,
    }
    first = ours.call("Query", query)
    assert first["LastEvaluatedKey"] == item
    assert ours.call("Query", query | {"ExclusiveStartKey": item})["Items"] == []


def test_a_transaction_is_done_once_for_a_token(ours: DynamoDB) -> None:
    update = {
        "TableName": "usage",
        "Key": {"deployment_period": {"S": "web#2026-04"}, "day": {"S": "total"}},
        "UpdateExpression": "ADD hours :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    request = {"TransactItems": [{"Update": update}], "ClientRequestToken": "t"}
    for _ in range(2):
        ours.call("TransactWriteItems", request)
    [item] = ours.tables["usage"].items()
    assert item["hours"] == {"N": "1"}


def test_a_lagging_index_shows_the_past_until_it_catches_up(ours: DynamoDB) -> None:
    table = ours.tables["invoices"]
    item = {
        "tenant_id": {"S": "acme"},
        "period_start": {"S": "2026-04-01"},
        "period_shard": {"S": "2026-04#00"},
    }
    scan = {"TableName": "invoices", "IndexName": "period"}
    table.lag(True)
    ours.call("PutItem", {"TableName": "invoices", "Item": item})
    assert ours.call("Scan", scan)["Items"] == []
    table.lag(False)
    assert len(ours.call("Scan", scan)["Items"]) == 1


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("Scan", {"TableName": "invoices"}),
        ("GetItem", {"TableName": "invoices", "Key": {}, "AttributesToGet": ["x"]}),
        ("DescribeTable", {"TableName": "invoices"}),
    ],
)
def test_what_is_not_modelled_is_not_passed_over(
    ours: DynamoDB, operation: str, request_: Request
) -> None:
    with pytest.raises(NotModelled):
        ours.call(operation, request_)
