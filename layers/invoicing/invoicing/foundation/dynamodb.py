"""The one DynamoDB client of all table classes, with short time limits, and its errors."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import batched
from time import sleep
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

# DynamoDB's limit. Our own check comes first, so that the error names the tenant.
ITEM_BYTES = 400 * 1024

BATCH_KEYS = 100
BATCH_TRIES = 6
# Where a page begins, and where it ended; the last page does not say.
START, LAST = "ExclusiveStartKey", "LastEvaluatedKey"


class KeysNotRead(Exception):
    """DynamoDB left keys unprocessed, or gave the same page again; nothing is billed from that."""


class ItemTooLarge(Exception):
    """An item exceeds DynamoDB's 400 KB; the error says whose it is."""


class _EndingConnection(Connection):
    """A connection whose lists end.

    pynamodb takes an empty key for the position of a next page, and asks for the first one again;
    and it never notices that a page leads back to itself. botocore's own paginators notice both.
    """

    def dispatch(self, operation_name: str, operation_kwargs: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = super().dispatch(operation_name, operation_kwargs)
        last = answer.get(LAST)
        if last and last == operation_kwargs.get(START):
            table = operation_kwargs["TableName"]
            raise KeysNotRead(f"{operation_name} of {table} gives the same page again")
        if not last:
            answer.pop(LAST, None)
        return answer


@cache
def connection() -> Connection:
    """Returns the process's only DynamoDB connection: more clients would slow the cold start.

    By default, botocore waits 60 s for an answer, but a rollup has 60 s for ten tenants.
    `standard` retries back off with jitter and cover throttling.
    """
    return _EndingConnection(
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_pool_connections=16,
        retry_configuration={"mode": "standard", "total_max_attempts": 4},
    )


def bound[M: Model](item_class: type[M], table_name: str) -> type[M]:
    """Returns the item class bound to a deployed table and to the shared connection."""
    item: type[M] = _bound(item_class, table_name, connection())
    return item


@cache
def _bound(item_class: type[Model], table_name: str, shared: Connection) -> Any:
    # Cached: a handler makes its table object on each request, and making a class is expensive.
    meta = type("Meta", (), {"table_name": table_name})
    item: type[Model] = type(item_class.__name__, (item_class,), {"Meta": meta})
    # pynamodb gives each item class its own client and offers no public way to share one.
    table = item._get_connection()
    meta_table = table.get_meta_table()
    # Of several item classes of one table, only some know its indexes: those win.
    if table_name not in shared._tables or meta_table.data.get("GlobalSecondaryIndexes"):
        shared._tables[table_name] = meta_table
    table.connection = shared
    return item


def refused(error: PynamoDBException) -> bool:
    """Whether the write failed on its own condition (a missing table is a PutError too)."""
    # Not error.cause_response_code: it fails on a network error, whose response is None.
    response = getattr(error.cause, "response", None) or {}
    if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
        return True
    reasons = getattr(error, "cancellation_reasons", None) or []
    return any(reason and reason.code == "ConditionalCheckFailed" for reason in reasons)


type Key = Mapping[str, str]
type RawItem = Mapping[str, Mapping[str, str]]


def read_keys(table_name: str, keys: Iterable[Key]) -> list[RawItem]:
    """Reads the raw items that exist under these keys: consistent, 100 per call, in no order."""
    return read_tables({table_name: keys})[table_name]


def read_tables(keys: Mapping[str, Iterable[Key]]) -> dict[str, list[RawItem]]:
    """Reads raw items of several tables together, as `read_keys` does; returns them by table.

    pynamodb's own batch read retries unprocessed keys forever and without a pause. This one backs
    off and raises KeysNotRead.
    """
    items_by_table: dict[str, list[RawItem]] = {name: [] for name in keys}
    wanted = ((name, key) for name, table_keys in keys.items() for key in table_keys)
    for batch in batched(wanted, BATCH_KEYS, strict=False):
        for name, items in _read_batch(batch):
            items_by_table[name] += items
    return items_by_table


def _read_batch(batch: Iterable[tuple[str, Key]]) -> Iterator[tuple[str, list[RawItem]]]:
    request: dict[str, Any] = {}
    for name, key in batch:
        table_request = request.setdefault(name, {"Keys": [], "ConsistentRead": True})
        table_request["Keys"].append({attribute: {"S": value} for attribute, value in key.items()})
    client: Any = connection().client
    for attempt in range(BATCH_TRIES):
        answer = client.batch_get_item(RequestItems=request)
        yield from answer["Responses"].items()
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return
        sleep(0.05 * 2**attempt)
    unread = [
        f"{len(table_request['Keys'])} keys of {name}" for name, table_request in request.items()
    ]
    raise KeysNotRead(f"{', '.join(unread)} were not read")
