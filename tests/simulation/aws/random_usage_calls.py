"""Random calls on the usage table: events with their totals, and corrections."""

from random import Random
from typing import Any

MONTH, DAY = {"deployment_period": {"S": "web#2026-04"}}, "2026-04-03"
NEW = "attribute_not_exists(deployment_period)"
OWN = "(attribute_not_exists(#owner) OR #owner = :owner)"
ROOM = {"N": "40"}

type UsageRequest = dict[str, Any]


class UsageCalls:
    """Draws calls over so few keys and quantities that they meet."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def get(self) -> tuple[str, UsageRequest]:
        """Draws a read of a day's usage, or of the names of its imports alone."""
        key = MONTH | {"day": {"S": DAY}}
        request: UsageRequest = {"TableName": "usage", "Key": key, "ConsistentRead": True}
        if self.rng.random() < 0.5:
            request["ProjectionExpression"] = "#imports"
            request["ExpressionAttributeNames"] = {"#imports": "Imports"}
        return "GetItem", request

    def count(self) -> list[UsageRequest]:
        """Draws an event with its day and its total."""
        item = self._event_key() | {"digest": {"S": "d"}, "quantity": {"N": self._quantity()}}
        put = {
            "TableName": "usage",
            "Item": item,
            "ConditionExpression": NEW,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        names = self.rng.random() < 0.5
        bumps = [self._bump(DAY, names=names), self._bump("total", room=not names)]
        return [{"Put": put}, *({"Update": bump} for bump in bumps)]

    def _event_key(self) -> UsageRequest:
        key = f"e{self.rng.randint(0, 2)}"
        return {"deployment_period": {"S": key}, "day": {"S": "event"}}

    def _quantity(self) -> str:
        return str(self.rng.randint(1, 3))

    def _bump(self, day: str, *, room: bool = False, names: bool = False) -> UsageRequest:
        """Adds to a day or a total, within its room, and replaces the names of imports."""
        sets, conditions = ["#owner = :owner"], [OWN]
        owner = {"S": self.rng.choice(("acme", "acme", "beta"))}
        values: UsageRequest = {":owner": owner, ":q0": {"N": self._quantity()}}
        attributes = {"#owner": "tenant_id", "#k0": "hours"}
        if room:
            conditions.append("(attribute_not_exists(#k0) OR #k0 < :r0)")
            values[":r0"] = ROOM
        if names:
            attributes["#imports"] = "Imports"
            sets.append("#imports = :imports")
            values[":imports"] = self._name_list()
            if self.rng.random() < 0.5:
                conditions.append("attribute_not_exists(#imports)")
            else:
                conditions.append("#imports = :before")
                values[":before"] = self._name_list()
        expression = f"SET {', '.join(sets)} ADD #k0 :q0"
        return _usage_update(day, expression, conditions, attributes, values)

    def _name_list(self) -> UsageRequest:
        count = self.rng.randint(1, 2)
        return {"L": [{"S": self.rng.choice(("a.csv", "b.csv"))} for _ in range(count)]}

    def correct(self) -> list[UsageRequest]:
        """Draws a correction: its trace, a day or its total, an event and a mark."""
        before, after, more = self._quantity(), self._quantity(), self.rng.randint(-4, 4)
        names, values = {"#k0": "hours"}, {":a": {"N": after}, ":b": {"N": before}}
        day = _usage_update(DAY, "SET #k0 = :a", ["#k0 = :b"], names, values)
        enough = "#k0 >= :m" if more < 0 else "(attribute_not_exists(#k0) OR #k0 < :m)"
        values = {":d": {"N": str(more)}, ":m": {"N": str(-more)} if more < 0 else ROOM}
        total = _usage_update("total", "ADD #k0 :d", [enough], names, values)
        changed = self.rng.choice(([day, total], [total], [total], [day]))
        trace = {"TableName": "usage", "Item": self._trace(before, after)}
        return [
            {"Put": trace | {"ConditionExpression": NEW}},
            *({"Update": update} for update in (*changed, self._event_taken_back(), _mark(more))),
        ]

    def _trace(self, before: str, after: str) -> UsageRequest:
        return {
            "deployment_period": {"S": "#corrections#web#2026-04"},
            "day": {"S": f"2026-04-03#now#c{self.rng.randint(0, 30)}#0000"},
            "changes": {"M": {"hours": {"M": {"before": {"N": before}, "after": {"N": after}}}}},
        }

    def _event_taken_back(self) -> UsageRequest:
        return {
            "TableName": "usage",
            "Key": self._event_key(),
            "UpdateExpression": "SET #quantity = :after, #by = :by",
            "ConditionExpression": self.rng.choice(
                ("#quantity = :before", "#quantity >= :before", "#quantity >= :after")
            ),
            "ExpressionAttributeNames": {"#quantity": "quantity", "#by": "corrected_by"},
            "ExpressionAttributeValues": {
                ":before": {"N": self._quantity()},
                ":after": {"N": "0"},
                ":by": {"S": "c"},
            },
        }


def _mark(number: int) -> UsageRequest:
    return {
        "TableName": "invoices",
        "Key": {"tenant_id": {"S": "acme"}, "period_start": {"S": "2026-04~corrected"}},
        "UpdateExpression": "SET corrected_at = :at",
        "ExpressionAttributeValues": {":at": {"S": f"at {number}"}},
    }


def _usage_update(
    day: str,
    expression: str,
    conditions: list[str],
    names: UsageRequest,
    values: UsageRequest,
) -> UsageRequest:
    return {
        "TableName": "usage",
        "Key": MONTH | {"day": {"S": day}},
        "UpdateExpression": expression,
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
