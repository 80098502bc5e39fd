"""DynamoDB's sizes and units, against examples counted by hand."""

from typing import Any

import pytest

from benchmarks.dynamodb.capacity import (
    Unsizeable,
    index_entries,
    read_units,
    write_parts,
    write_units,
)
from benchmarks.dynamodb.item_size import item_bytes, value_bytes
from benchmarks.dynamodb.recorded import Call

KILOBYTE = "x" * 1024
# 23 + 26 = 49 bytes of keys in the table's item.
KEYS = {"tenant_id": {"S": "acme"}, "period_start": {"S": "2026-04-01"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "12"}, 2),
        ({"N": "123"}, 3),
        ({"N": "1200"}, 2),
        ({"N": "0.0012"}, 2),
        ({"N": "812.25"}, 4),
        ({"N": "-12"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"B": "AAECAw=="}, 4),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "123"]}, 5),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 9),
        ({"M": {"key": {"S": "ab"}}}, 9),
    ],
)
def test_a_value_has_the_size_that_the_developer_guide_gives_it(
    value: dict[str, Any], size: int
) -> None:
    assert value_bytes(value) == size


def test_an_item_is_its_names_and_values() -> None:
    assert item_bytes({"id": {"S": "acme"}, "total": {"N": "7064"}}) == 6 + 8


def test_an_index_entry_holds_keys_and_what_is_projected_and_nothing_else() -> None:
    item = {
        **KEYS,
        "period_shard": {"S": "2026-04#07"},
        "status": {"S": "draft"},
        "lines": {"S": KILOBYTE},
    }
    (entry,) = index_entries("InvoicesTable", item).values()
    assert sorted(entry) == ["period_shard", "period_start", "status", "tenant_id"]


def test_an_item_without_the_indexs_key_is_not_in_the_index() -> None:
    assert index_entries("InvoicesTable", KEYS) == {}


def test_the_item_and_its_index_entry_each_fill_write_units_of_their_own() -> None:
    item = {**KEYS, "period_shard": {"S": "2026-04#07"}, "lines": {"S": KILOBYTE}}
    call = Call("PutItem", {"TableName": "InvoicesTable", "Item": item}, {})
    assert write_parts(call) == {"InvoicesTable": 1086, "InvoicesTable/period": 57}
    assert write_units(call) == 2 + 1


def test_a_write_in_a_transaction_costs_twice_as_much() -> None:
    put = {"Put": {"TableName": "InvoicesTable", "Item": KEYS}}
    assert write_units(Call("TransactWriteItems", {"TransactItems": [put, put]}, {})) == 4


def test_a_write_whose_item_is_not_in_its_request_is_refused_rather_than_guessed() -> None:
    with pytest.raises(Unsizeable, match="UpdateItem"):
        write_units(Call("UpdateItem", {"TableName": "InvoicesTable"}, {}))


@pytest.mark.parametrize(
    ("operation", "request_", "answer", "units"),
    [
        ("Query", {"ConsistentRead": True}, {"Items": [{"a": {"S": KILOBYTE}}] * 4}, 2),
        ("Query", {"ConsistentRead": True}, {"Items": []}, 1),
        ("Query", {}, {"Items": [{"a": {"S": "b"}}]}, 0.5),
        ("GetItem", {"ConsistentRead": True}, {"Item": {"a": {"S": "b"}}}, 1),
        ("GetItem", {"ConsistentRead": True}, {}, 1),
        ("PutItem", {}, {}, 0),
    ],
)
def test_reads_are_counted_in_started_four_kilobytes(
    operation: str, request_: dict[str, Any], answer: dict[str, Any], units: float
) -> None:
    assert read_units(Call(operation, request_, answer)) == units


def test_a_batch_read_counts_every_key_by_itself_whether_it_is_there_or_not() -> None:
    request = {"RequestItems": {"t": {"Keys": [{}, {}, {}], "ConsistentRead": True}}}
    answer = {"Responses": {"t": [{"a": {"S": "b"}}, {"a": {"S": KILOBYTE * 4}}]}}
    assert read_units(Call("BatchGetItem", request, answer)) == 1 + 2 + 1
