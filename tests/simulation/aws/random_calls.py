"""Random calls of the shapes that Monthend makes, over so few keys that they meet."""

from random import Random
from typing import Any

from tests.simulation.aws.random_usage_calls import UsageCalls

TENANTS, MONTHS = ("acme", "beta", "beta#pages"), ("2026-03-01", "2026-04-01", "2026-04-01#r1")
STATES, ATTEMPTS = ("draft", "issued", "void"), ("a1", "a2")
NAMES = {"#t": "tenant_id", "#p": "period_start", "#s": "status", "#a": "attempt", "#n": "lines"}

type Request = dict[str, Any]


class Calls:
    """Draws one call after another from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.usage = UsageCalls(self.rng)

    def key(self) -> Request:
        """Draws an invoice's key."""
        choice = self.rng.choice
        return {"tenant_id": {"S": choice(TENANTS)}, "period_start": {"S": choice(MONTHS)}}

    def item(self) -> Request:
        """Draws an invoice, in the period's index or not."""
        item = self.key() | {
            "status": {"S": self.rng.choice(STATES)},
            "attempt": {"S": self.rng.choice(ATTEMPTS)},
            "total_cents": {"N": str(self.rng.randint(-5, 5))},
        }
        if self.rng.random() < 0.6:
            item["period_shard"] = {"S": f"2026-04#{self.rng.randint(0, 1)}"}
        return item

    def condition(self) -> Request:
        """Draws one of our conditions, or none."""
        text = self.rng.choice(
            (
                None,
                "attribute_not_exists (#t)",
                "attribute_exists (#t)",
                "(#a = :a AND #s = :s)",
                "#s IN (:s, :o)",
                "(attribute_not_exists (#t) OR #a = :a)",
                "NOT #s <> :s",
                "total_cents BETWEEN :low AND :high",
                "(total_cents >= :low AND total_cents < :high)",
            )
        )
        if text is None:
            return {}
        return self._complete({"ConditionExpression": text})

    def _complete(self, request: Request, more: str = "") -> Request:
        """Adds exactly the names and values that are used: DynamoDB refuses others."""
        values = {
            ":a": {"S": self.rng.choice(ATTEMPTS)},
            ":s": {"S": self.rng.choice(STATES)},
            ":o": {"S": self.rng.choice(STATES)},
            ":low": {"N": "-1"},
            ":high": {"N": "3"},
            ":t": {"S": self.rng.choice(TENANTS)},
            ":m": {"S": self.rng.choice(MONTHS)},
            ":prefix": {"S": "2026-04"},
            ":shard": {"S": "2026-04#0"},
            ":one": {"N": "1"},
        }
        words = " ".join(str(value) for value in request.values()) + more
        tokens = set(words.replace("(", " ").replace(")", " ").replace(",", " ").split())
        used = {name: value for name, value in values.items() if name in tokens}
        names = {name: value for name, value in NAMES.items() if name in tokens}
        complete = dict(request)
        if names:
            complete["ExpressionAttributeNames"] = names
        if used:
            complete["ExpressionAttributeValues"] = used
        return complete

    def put(self) -> tuple[str, Request]:
        """Draws a conditional put."""
        return "PutItem", {"TableName": "invoices", "Item": self.item(), **self.condition()}

    def delete(self) -> tuple[str, Request]:
        """Draws a conditional delete."""
        return "DeleteItem", {"TableName": "invoices", "Key": self.key(), **self.condition()}

    def update(self) -> tuple[str, Request]:
        """Draws a change of state, with or without an addition."""
        condition = self.rng.choice(("#s IN (:o, :s)", "attribute_exists (#t)", "#a = :a"))
        expression = self.rng.choice(
            ("SET #s = :s", "SET #s = :s ADD total_cents :one", "SET #s = :o REMOVE period_shard")
        )
        request = {"UpdateExpression": expression, "ConditionExpression": condition}
        returned = self.rng.choice(("NONE", "ALL_NEW", "ALL_OLD"))
        complete = self._complete(request)
        return "UpdateItem", {
            **complete,
            "TableName": "invoices",
            "Key": self.key(),
            "ReturnValues": returned,
        }

    def get(self) -> tuple[str, Request]:
        """Draws a read of a whole item, or of some of its attributes."""
        request: Request = {"TableName": "invoices", "Key": self.key(), "ConsistentRead": True}
        if self.rng.random() < 0.5:
            request["ProjectionExpression"] = "#s, total_cents"
            request["ExpressionAttributeNames"] = {"#s": "status"}
        return "GetItem", request

    def query(self) -> tuple[str, Request]:
        """Draws a query of a tenant's items."""
        text = self.rng.choice(
            (
                "#t = :t",
                "#t = :t AND #p = :m",
                "(#t = :t AND #p < :m)",
                "(#t = :t AND begins_with (#p, :prefix))",
                "(#t = :t AND #p BETWEEN :prefix AND :m)",
            )
        )
        request: Request = {"KeyConditionExpression": text}
        if self.rng.random() < 0.5:
            request["FilterExpression"] = self.rng.choice(
                ("attribute_exists (period_shard)", "(attribute_exists (#a) AND #s = :s)")
            )
        if self.rng.random() < 0.4:
            request["ProjectionExpression"] = "#t, #p, #s"
        complete = self._complete(request)
        return "Query", {
            **complete,
            "TableName": "invoices",
            "ConsistentRead": True,
            "ScanIndexForward": self.rng.random() < 0.5,
            "Limit": self.rng.randint(1, 4),
        }

    def query_index(self) -> tuple[str, Request]:
        """Draws a query of a period's items by the index."""
        text = self.rng.choice(("period_shard = :shard", "(period_shard = :shard AND #t > :t)"))
        complete = self._complete({"KeyConditionExpression": text})
        return "Query", {**complete, "TableName": "invoices", "IndexName": "period", "Limit": 2}

    def scan_index(self) -> tuple[str, Request]:
        """A scan of the index."""
        return "Scan", {"TableName": "invoices", "IndexName": "period", "Limit": 3}

    def batch_get(self) -> tuple[str, Request]:
        """Draws a read of some items at once."""
        keys = {str(key): key for key in (self.key() for _ in range(3))}
        wanted = {"Keys": list(keys.values()), "ConsistentRead": True}
        return "BatchGetItem", {"RequestItems": {"invoices": wanted}}

    def transact(self) -> tuple[str, Request]:
        """Draws a swap of up to three invoices, an event with its totals, or a correction."""
        drawn = self.rng.choice((self._swap, self.usage.count, self.usage.correct))()
        return "TransactWriteItems", {"TransactItems": drawn}

    def _swap(self) -> list[Request]:
        keys = {
            str(item["tenant_id"]) + str(item["period_start"]): item
            for item in (self.item() for _ in range(3))
        }
        return [
            {"Put": {"TableName": "invoices", "Item": item, **self.condition()}}
            for item in keys.values()
        ]

    def next(self) -> tuple[str, Request]:
        """Draws a call."""
        makers = (
            *(self.put, self.put, self.delete, self.update, self.get, self.batch_get),
            *(self.query, self.query_index, self.scan_index, self.usage.get, self.transact),
            *(self.transact, self.transact, self.transact),
        )
        return self.rng.choice(makers)()
