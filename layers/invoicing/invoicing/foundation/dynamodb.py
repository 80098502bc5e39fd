"""What the table classes share: one DynamoDB client with short time limits, and its errors."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import batched
from time import sleep
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

# DynamoDB's limit; refused in our code so that the tenant is named instead of a serializer.
ITEM_BYTES = 400 * 1024

BATCH_KEYS = 100
BATCH_TRIES = 6


class KeysNotRead(Exception):
    """DynamoDB kept leaving keys unprocessed; nothing is billed from a part of the answer."""


class ItemTooLarge(Exception):
    """An item beyond DynamoDB's 400 KB; names whose it is."""


@cache
def connection() -> Connection:
    """The process's one DynamoDB connection: each client of its own would cost a cold start.

    botocore would wait 60 s for an answer, and a rollup has 60 s for ten tenants. `standard`
    retries back off with jitter and cover throttling.
    """
    return Connection(
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_pool_connections=16,
        retry_configuration={"mode": "standard", "total_max_attempts": 4},
    )


def bound[M: Model](item_class: type[M], table_name: str) -> type[M]:
    """The private item class, bound to the table that the template made and the one connection."""
    item: type[M] = _bound(item_class, table_name, connection())
    return item


@cache
def _bound(item_class: type[Model], table_name: str, shared: Connection) -> Any:
    # Made once: a handler makes its table for each request, and a class is dear to make.
    meta = type("Meta", (), {"table_name": table_name})
    item: type[Model] = type(item_class.__name__, (item_class,), {"Meta": meta})
    # pynamodb gives every item class a client of its own and offers no public way to share one.
    table = item._get_connection()
    meta_table = table.get_meta_table()
    # Of several item classes of one table, only some know its index: whichever was bound first.
    if table_name not in shared._tables or meta_table.data.get("GlobalSecondaryIndexes"):
        shared._tables[table_name] = meta_table
    table.connection = shared
    return item


def refused(error: PynamoDBException) -> bool:
    """Whether the write's own condition was not met (a missing table is a PutError too)."""
    # Not error.cause_response_code: it fails on a network error, whose response is None.
    response = getattr(error.cause, "response", None) or {}
    if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
        return True
    reasons = getattr(error, "cancellation_reasons", None) or []
    return any(reason and reason.code == "ConditionalCheckFailed" for reason in reasons)


type Key = Mapping[str, str]
type RawItem = Mapping[str, Mapping[str, str]]


def read_keys(table_name: str, keys: Iterable[Key]) -> list[RawItem]:
    """The raw items under these keys that exist, consistent, a hundred a call, in no order."""
    return read_tables({table_name: keys})[table_name]


def read_tables(keys: Mapping[str, Iterable[Key]]) -> dict[str, list[RawItem]]:
    """The raw items of several tables at once, by table; as `read_keys`.

    pynamodb's own batch read asks again for unprocessed keys for ever and without a pause; this
    one backs off and raises KeysNotRead.
    """
    found: dict[str, list[RawItem]] = {name: [] for name in keys}
    wanted = ((name, key) for name, named in keys.items() for key in named)
    for batch in batched(wanted, BATCH_KEYS, strict=False):
        for name, items in _read_batch(batch):
            found[name] += items
    return found


def _read_batch(batch: Iterable[tuple[str, Key]]) -> Iterator[tuple[str, list[RawItem]]]:
    request: dict[str, Any] = {}
    for name, key in batch:
        of_table = request.setdefault(name, {"Keys": [], "ConsistentRead": True})
        of_table["Keys"].append({attribute: {"S": value} for attribute, value in key.items()})
    client: Any = connection().client
    for attempt in range(BATCH_TRIES):
        answer = client.batch_get_item(RequestItems=request)
        yield from answer["Responses"].items()
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return
        sleep(0.05 * 2**attempt)
    left = [f"{len(of_table['Keys'])} keys of {name}" for name, of_table in request.items()]
    raise KeysNotRead(f"{', '.join(left)} were not read")
