"""Write units counted from what changed: a request to update does not say how large it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.dynamodb.capacity import WRITE_UNIT, index_entries, projections, started
from benchmarks.dynamodb.item_size import Item, item_bytes
from local.template import resources, table_definition

type Snapshot = Mapping[tuple[str, ...], Item]
"""Every item, by its table's name and its key."""


def snapshot(client: Any) -> Snapshot:
    """Reads all tables of the template, which hold a few items each."""
    return {
        (table, *_key(table, item)): item
        for table in resources("AWS::DynamoDB::Table")
        for page in client.get_paginator("scan").paginate(TableName=table)
        for item in page["Items"]
    }


def _key(table: str, item: Item) -> list[str]:
    return [str(item[key["AttributeName"]]) for key in table_definition(table)["KeySchema"]]


def changed_units(before: Snapshot, after: Snapshot) -> int:
    """Returns the write units, outside a transaction, that lead from one snapshot to the other.

    An item costs 1 for each started KB of the larger of its two states; so does its entry in an
    index, if that has changed. An entry whose key changes is deleted and written anew.
    """
    changed = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
    return sum(
        units for key in changed for units in _item_units(key[0], before.get(key), after.get(key))
    )


def _item_units(table: str, before: Item | None, after: Item | None) -> Iterator[int]:
    yield _larger(before, after)
    old, new = (index_entries(table, item) if item else {} for item in (before, after))
    for index, (keys, _) in projections(table).items():
        was, now = old.get(index), new.get(index)
        if was == now:
            continue
        if was and now and {key: was[key] for key in keys} == {key: now[key] for key in keys}:
            yield _larger(was, now)
        else:
            yield _larger(was, None) + _larger(None, now)


def _larger(one: Item | None, other: Item | None) -> int:
    return max(started(item_bytes(item), WRITE_UNIT) if item else 0 for item in (one, other))
