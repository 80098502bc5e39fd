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
    if table_name not in shared._tables:
        shared.add_meta_table(table.get_meta_table())
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


def read_keys(
    table_name: str, keys: Iterable[Mapping[str, str]]
) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """The raw items under these keys that exist, consistent, a hundred a call, in no order.

    pynamodb's own batch read asks again for unprocessed keys for ever and without a pause; this
    one backs off and raises KeysNotRead.
    """
    for batch in batched(keys, BATCH_KEYS, strict=False):
        wanted: Any = [{name: {"S": value} for name, value in key.items()} for key in batch]
        for attempt in range(BATCH_TRIES):
            request = {table_name: {"Keys": wanted, "ConsistentRead": True}}
            client: Any = connection().client
            answer = client.batch_get_item(RequestItems=request)
            yield from answer["Responses"].get(table_name, ())
            wanted = answer.get("UnprocessedKeys", {}).get(table_name, {}).get("Keys")
            if not wanted:
                break
            sleep(0.05 * 2**attempt)
        else:
            raise KeysNotRead(f"{len(wanted)} of {len(batch)} keys of {table_name} were not read")
