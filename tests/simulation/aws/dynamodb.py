"""DynamoDB in memory: exactly the calls that Monthend makes. Unknown parameters are errors.

Why not moto: it takes 2 ms a put and 10 ms a transaction, ignores request tokens, and knows
neither lagging indexes nor short pages. A model can lie, so a test gives both the same random
calls and compares every answer (`test_dynamodb_model.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.simulation.aws.expressions import (
    Item,
    NotModelled,
    Scope,
    attribute,
    holds,
    read_condition,
    read_names,
)
from tests.simulation.aws.tables import ItemChange, Key, Table
from tests.simulation.aws.updates import updated

ITEM_BYTES = 400 * 1024
BATCH_KEYS = TRANSACTION_ACTIONS = 100
REFUSED = "ConditionalCheckFailed"

NAMES = frozenset(("ExpressionAttributeNames", "ExpressionAttributeValues"))
WRITE = NAMES | {"TableName", "ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
READ_MANY = NAMES | {
    *("TableName", "IndexName", "FilterExpression", "ProjectionExpression"),
    *("Limit", "ExclusiveStartKey", "ConsistentRead"),
}
# The parameters that a call may have. Others are errors: they would be ignored in silence.
KNOWN: Mapping[str, frozenset[str]] = {
    "GetItem": NAMES | {"TableName", "Key", "ConsistentRead", "ProjectionExpression"},
    "BatchGetItem": frozenset(("RequestItems",)),
    "Query": READ_MANY | {"KeyConditionExpression", "ScanIndexForward"},
    "Scan": READ_MANY,
    "PutItem": WRITE | {"Item"},
    "DeleteItem": WRITE | {"Key"},
    "UpdateItem": WRITE | {"Key", "UpdateExpression", "ReturnValues"},
    "TransactWriteItems": frozenset(("TransactItems", "ClientRequestToken")),
    "Put": WRITE | {"Item"},
    "Delete": WRITE | {"Key"},
    "Update": WRITE | {"Key", "UpdateExpression"},
    "ConditionCheck": WRITE | {"Key"},
}
WRITES = frozenset(("PutItem", "DeleteItem", "UpdateItem", "TransactWriteItems"))
HARMLESS = {"ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}


class Refusal(Exception):
    """An answer with an error code, which the caller turns into botocore's exception."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.response = {"Error": {"Code": code, "Message": message}, **more}


def _check(operation: str, request: Mapping[str, Any]) -> None:
    unknown = request.keys() - KNOWN[operation] - HARMLESS
    if unknown:
        raise NotModelled(f"{operation} with {', '.join(sorted(unknown))}")


def _scope(item: Item | None, request: Mapping[str, Any]) -> Scope:
    names = request.get("ExpressionAttributeNames", {})
    return Scope(item or {}, names, request.get("ExpressionAttributeValues", {}))


def _projected(item: Item, request: Mapping[str, Any]) -> Item:
    wanted = request.get("ProjectionExpression")
    if wanted is None:
        return dict(item)
    names = read_names(wanted, request.get("ExpressionAttributeNames", {}))
    return {name: item[name] for name in names if name in item}


class DynamoDB:
    """The tables and the calls on them; `changes` are the writes since it was last emptied."""

    def __init__(self, definitions: Mapping[str, Mapping[str, Any]], page_items: int) -> None:
        # A month of usage is 32 small items, never more than a page.
        self.tables = {
            name: Table(name, definition, 1_000 if name == "usage" else page_items)
            for name, definition in definitions.items()
        }
        self.changes: list[ItemChange] = []
        self._tokens: dict[str, Any] = {}
        self._calls: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get_item,
            "BatchGetItem": self._batch_get_item,
            "Query": self._query,
            "Scan": self._query,
            "PutItem": self._put_item,
            "DeleteItem": self._delete_item,
            "UpdateItem": self._update_item,
            "TransactWriteItems": self._transact_write_items,
        }

    def copy(self) -> "DynamoDB":
        """Returns an independent DynamoDB with the same items."""
        twin = DynamoDB({}, 0)
        twin.tables = {name: table.copy() for name, table in self.tables.items()}
        return twin

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answers the call. Raises Refusal for an error code, NotModelled for an unknown call."""
        if operation not in self._calls:
            raise NotModelled(f"DynamoDB's {operation}")
        _check(operation, request)
        return self._calls[operation](request)

    def _get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table = self.tables[request["TableName"]]
        consistent = request.get("ConsistentRead", False)
        item = table.get(table.key_of(request["Key"]), consistent=consistent)
        return {} if item is None else {"Item": _projected(item, request)}

    def _batch_get_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        answers: dict[str, list[Item]] = {}
        count = 0
        for name, wanted in request["RequestItems"].items():
            if wanted.keys() - {"Keys", "ConsistentRead"}:
                raise NotModelled(f"BatchGetItem with {sorted(wanted)}")
            table, consistent = self.tables[name], wanted.get("ConsistentRead", False)
            keys = [table.key_of(key) for key in wanted["Keys"]]
            if len(set(keys)) != len(keys) or not keys:
                raise Refusal("ValidationException", "keys given twice, or none")
            count += len(keys)
            items = (table.get(key, consistent=consistent) for key in keys)
            answers[name] = [dict(item) for item in items if item is not None]
        if count > BATCH_KEYS:
            raise Refusal("ValidationException", f"{count} keys")
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        table, index_name = self.tables[request["TableName"]], request.get("IndexName")
        index = table.indexes[index_name] if index_name else None
        rows = self._rows(table, request)
        start = request.get("ExclusiveStartKey")
        backwards = not request.get("ScanIndexForward", True)
        if start is not None:
            scanned = "KeyConditionExpression" not in request
            after = table.place(index, start, scanned=scanned)
            rows = [row for row in rows if (row[0] < after if backwards else row[0] > after)]
        limit = min(request.get("Limit", table.page_items), table.page_items)
        page = [item for _, item in (reversed(rows) if backwards else rows)][:limit]
        items = [
            _projected(_copied(item, index.attributes if index else None), request)
            for item in page
            if holds(request.get("FilterExpression"), _scope(item, request))
        ]
        answer: dict[str, Any] = {
            "Items": items,
            "Count": len(items),
            "ScannedCount": len(page),
        }
        # As on AWS: a full page names a next one even if nothing is left.
        if len(page) == limit:
            answer["LastEvaluatedKey"] = table.start_key(index, page[-1])
        return answer

    def _rows(self, table: Table, request: Mapping[str, Any]) -> list[tuple[Any, Item]]:
        index_name, text = request.get("IndexName"), request.get("KeyConditionExpression")
        if text is None:
            if index_name is None:
                raise NotModelled("Scan of a table")
            return table.index_rows(index_name, None)
        test, equalities = read_condition(text)
        names = request.get("ExpressionAttributeNames", {})
        values = {attribute(name, names): value for name, value in equalities.items()}
        hash_key = table.indexes[index_name].hash_key if index_name else table.hash_key
        hash_value = request["ExpressionAttributeValues"][values[hash_key]]["S"]
        if index_name:
            if request.get("ConsistentRead"):
                raise Refusal("ValidationException", "no consistent reads of an index")
            rows = table.index_rows(index_name, hash_value)
        else:
            rows = table.rows(hash_value, consistent=request.get("ConsistentRead", False))
        return [row for row in rows if test(_scope(row[1], request))]

    def _put_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._write_one("Put", request)
        return {}

    def _delete_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._write_one("Delete", request)
        return {}

    def _update_item(self, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = request.get("ReturnValues", "NONE")
        if wanted not in ("NONE", "ALL_NEW", "ALL_OLD"):
            raise NotModelled(f"ReturnValues {wanted}")
        change = self._write_one("Update", request)
        returned = {"NONE": None, "ALL_NEW": change.after, "ALL_OLD": change.before}[wanted]
        return {} if returned is None else {"Attributes": dict(returned)}

    def _write_one(self, action: str, request: Mapping[str, Any]) -> ItemChange:
        table, key = self._target(request)
        before = table.get(key)
        if not holds(request.get("ConditionExpression"), _scope(before, request)):
            more = {"Item": before} if before and _returns_old_item(request) else {}
            code = f"{REFUSED}Exception"
            raise Refusal(code, "The conditional request failed", **more)
        return self._apply([(table, key, _after(action, before, request))])[0]

    def _apply(self, writes: Iterable[tuple[Table, Key, Item | None]]) -> list[ItemChange]:
        changes = [table.put(key, item) for table, key, item in writes]
        self.changes += changes
        return changes

    def _target(self, request: Mapping[str, Any]) -> tuple[Table, Key]:
        table = self.tables[request["TableName"]]
        return table, table.key_of(request["Item"] if "Item" in request else request["Key"])

    def _transact_write_items(self, request: Mapping[str, Any]) -> dict[str, Any]:
        actions = [next(iter(action.items())) for action in request["TransactItems"]]
        token = request.get("ClientRequestToken")
        if token is not None and token in self._tokens:
            # AWS remembers a token for ten minutes; a simulated SDK repeats itself at once.
            if self._tokens[token] != request["TransactItems"]:
                raise Refusal("IdempotentParameterMismatchException", "same token, other request")
            return {}
        writes, reasons, targets = [], [], set()
        for action, wanted in actions:
            _check(action, wanted)
            table, key = self._target(wanted)
            targets.add((table.name, key))
            before = table.get(key)
            met = holds(wanted.get("ConditionExpression"), _scope(before, wanted))
            reasons.append({"Code": "None"} if met else _reason(before, wanted))
            if met and action != "ConditionCheck":
                writes.append((table, key, _after(action, before, wanted)))
        if len(targets) != len(actions) or not 1 <= len(actions) <= TRANSACTION_ACTIONS:
            raise Refusal("ValidationException", "an item twice, or too many actions")
        refuse_cancelled(reasons)
        self._apply(writes)
        if token is not None:
            self._tokens[token] = request["TransactItems"]
        return {}


def refuse_cancelled(reasons: list[dict[str, Any]]) -> None:
    """Raises DynamoDB's refusal of a transaction if any of its actions has a reason."""
    codes = [reason["Code"] for reason in reasons]
    if set(codes) != {"None"}:
        message = (
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            f"[{', '.join(codes)}]"
        )
        raise Refusal("TransactionCanceledException", message, CancellationReasons=reasons)


def _reason(before: Item | None, request: Mapping[str, Any]) -> dict[str, Any]:
    more = {"Item": before} if before and _returns_old_item(request) else {}
    return {"Code": REFUSED, "Message": "The conditional request failed", **more}


def _returns_old_item(request: Mapping[str, Any]) -> bool:
    return bool(request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")


def _copied(item: Item, attributes: frozenset[str] | None) -> Item:
    if attributes is None:
        return item
    return {name: value for name, value in item.items() if name in attributes}


def _after(action: str, before: Item | None, request: Mapping[str, Any]) -> Item | None:
    if action == "Delete":
        return None
    if action == "Put":
        after: Item = dict(request["Item"])
    else:
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        start = request["Key"] if before is None else before
        after = updated(start, request["UpdateExpression"], names, values)
    size = sum(
        len(name) + len(str(content))
        for name, value in after.items()
        for content in value.values()
    )
    if size > ITEM_BYTES:
        raise Refusal("ValidationException", "Item size has exceeded the maximum allowed size")
    return after
