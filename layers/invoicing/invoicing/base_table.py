"""What the table classes share: one DynamoDB client with short time limits, and its errors."""

from functools import cache

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

# DynamoDB's limit; refused in our code so that the tenant is named instead of a serializer.
ITEM_BYTES = 400 * 1024


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
    meta = type("Meta", (), {"table_name": table_name})
    item: type[M] = type(item_class.__name__, (item_class,), {"Meta": meta})
    # pynamodb gives every item class a client of its own and offers no public way to share one.
    table = item._get_connection()
    if table_name not in connection()._tables:
        connection().add_meta_table(table.get_meta_table())
    table.connection = connection()
    return item


def refused(error: PynamoDBException) -> bool:
    """Whether the write's own condition was not met (a missing table is a PutError too)."""
    # Not error.cause_response_code: it fails on a network error, whose response is None.
    response = getattr(error.cause, "response", None) or {}
    if response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
        return True
    reasons = getattr(error, "cancellation_reasons", None) or []
    return any(reason and reason.code == "ConditionalCheckFailed" for reason in reasons)
