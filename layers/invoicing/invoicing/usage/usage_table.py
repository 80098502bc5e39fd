"""The usage table: metered usage, with one item per deployment and day, and one month total.

PK `<deployment_id>#2026-04`, SK the day or `total`; one number attribute per resource kind. A
whole-month invoice reads only the total: one item per deployment instead of thirty. A day that
files were imported for names the last of them, in an attribute that no kind can be called.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Any

from invoicing.foundation.dynamodb import connection, read_keys
from invoicing.usage.usage_event import WHOLE_DIGITS
from quote_engine import Period

TOTAL = "total"
MOST_IMPORTS = 20
KEY, DAY, OWNER, IMPORTS = "deployment_period", "day", "tenant_id", "Imports"
# A month's total of a kind is less than this. It is the bound of an event's quantity, too.
TOO_MUCH = Decimal(10**WHOLE_DIGITS)
# Python would silently round a sum to 28 digits; DynamoDB's numbers have 38.
EXACT = Context(prec=38, traps=[Inexact])
NOT_KINDS = frozenset((KEY, DAY, OWNER, IMPORTS))


class InvalidUsage(Exception):
    """Stored usage that must not be billed: negative, not a number, or another tenant's."""


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """The exact usage of one tenant's deployment in a period, by resource kind."""

    tenant_id: str
    deployment_id: str
    quantities: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class MonthOfUsage:
    """A deployment's usage on each day (`2026-04-01`), and in the whole month.

    `imports` names the files last imported for a day, oldest first; a day without is absent.
    """

    days: Mapping[str, Mapping[str, Decimal]]
    total: UsageTotal | None
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportNames:
    """The names of the files last imported for a day: those that were read, and the new ones."""

    before: tuple[str, ...]
    after: tuple[str, ...]

    @classmethod
    def with_newest(cls, before: tuple[str, ...], name: str) -> "ImportNames":
        """Returns the names with `name` as the newest; each once, and at most twenty."""
        others = [known for known in before if known != name]
        return cls(before, (*others, name)[-MOST_IMPORTS:])


def _quantity(deployment_id: str, kind: str, value: Mapping[str, str]) -> Decimal:
    if "N" not in value:
        raise InvalidUsage(f"usage of {deployment_id}, {kind}: not a number")
    quantity = Decimal(value["N"])
    if quantity < 0:
        raise InvalidUsage(f"usage of {deployment_id}, {kind}: negative ({quantity})")
    return quantity


def _total(item: Mapping[str, Any]) -> UsageTotal:
    deployment_id = item[KEY]["S"].rpartition("#")[0]
    return UsageTotal(
        tenant_id=item.get(OWNER, {}).get("S", ""),
        deployment_id=deployment_id,
        quantities={
            kind: _quantity(deployment_id, kind, value)
            for kind, value in item.items()
            if kind not in NOT_KINDS
        },
    )


def totals_by_period(items: Iterable[Mapping[str, Any]]) -> Mapping[str, dict[str, UsageTotal]]:
    """Returns month totals from raw items, by period label (`2026-04`) and deployment.

    Raises InvalidUsage for a negative or non-numeric quantity.
    """
    totals: dict[str, dict[str, UsageTotal]] = {}
    for item in items:
        total = _total(item)
        label = item[KEY]["S"].rpartition("#")[2]
        totals.setdefault(label, {})[total.deployment_id] = total
    return totals


class UsageTable:
    """Metered usage. Kinds are attribute names, which pynamodb's item classes cannot declare."""

    def __init__(self, table_name: str) -> None:
        self.name = table_name
        self._client: Any = connection().client

    def total_keys(
        self, deployment_ids: Iterable[str], periods: Iterable[Period]
    ) -> list[Mapping[str, str]]:
        """Returns the keys of the month totals of all these deployments in all these periods."""
        labels, ids = [period.label for period in periods], sorted(set(deployment_ids))
        return [
            {KEY: f"{deployment_id}#{label}", DAY: TOTAL}
            for label in labels
            for deployment_id in ids
        ]

    def totals(self, deployment_ids: Iterable[str], period: Period) -> Mapping[str, UsageTotal]:
        """Reads month totals by deployment; a deployment without usage is absent.

        Raises InvalidUsage for a negative or non-numeric quantity.
        """
        keys = self.total_keys(deployment_ids, [period])
        return totals_by_period(read_keys(self.name, keys)).get(period.label, {})

    def days(self, deployment_id: str, period: Period) -> MonthOfUsage:
        """Reads what was counted, day by day and in total; empty without usage. Consistent."""
        request: Any = {
            "TableName": self.name,
            "KeyConditionExpression": f"{KEY} = :key",
            "ExpressionAttributeValues": {":key": {"S": f"{deployment_id}#{period.label}"}},
            "ConsistentRead": True,
        }
        # 32 items, in one page unless hundreds of kinds were counted on each day.
        pages = self._client.get_paginator("query").paginate(**request)
        items = {item[DAY]["S"]: item for page in pages for item in page["Items"]}
        total = items.pop(TOTAL, None)
        return MonthOfUsage(
            days={day: _total(item).quantities for day, item in sorted(items.items())},
            total=_total(total) if total else None,
            imports={day: names for day, item in sorted(items.items()) if (names := _names(item))},
        )

    def bumps(
        self,
        tenant_id: str,
        deployment_id: str,
        day: str,
        quantities: Mapping[str, Decimal],
        imports: ImportNames | None = None,
    ) -> list[dict[str, Any]]:
        """Returns the two transaction actions that add quantities to a day and its month's total.

        DynamoDB refuses them when the deployment's usage of that month is another tenant's, and
        when the total has no room for a quantity; its answer then has the item. With `imports`,
        the day's names change, too, unless somebody else has changed them.
        """
        key = f"{deployment_id}#{day[:7]}"
        on_day, in_total = (_Bump(tenant_id, quantities) for _ in range(2))
        if imports is not None:
            on_day.name(imports)
        in_total.keep_room()
        return [
            {"Update": {"TableName": self.name, **_item_key(key, day), **on_day.request()}},
            {"Update": {"TableName": self.name, **_item_key(key, TOTAL), **in_total.request()}},
        ]

    def imports(self, deployment_id: str, day: str) -> tuple[str, ...]:
        """Reads the names of the files last imported for a day, oldest first; consistent."""
        answer = self._client.get_item(
            TableName=self.name,
            **_item_key(f"{deployment_id}#{day[:7]}", day),
            ProjectionExpression="#imports",
            ExpressionAttributeNames={"#imports": IMPORTS},
            ConsistentRead=True,
        )
        return _names(answer.get("Item", {}))

    def add(
        self, tenant_id: str, deployment_id: str, day: date, quantities: Mapping[str, Decimal]
    ) -> None:
        """Adds quantities to a day and its month's total, both or neither.

        Not for metered events: calling it twice adds twice. Raises InvalidUsage for a negative
        quantity and for a kind with the name of another attribute of the table, and botocore's
        error for a month that is another tenant's.
        """
        for kind, quantity in quantities.items():
            if kind in NOT_KINDS:
                raise InvalidUsage(f"usage of {deployment_id}: {kind} cannot be a resource kind")
            _quantity(deployment_id, kind, {"N": str(quantity)})
        self._client.transact_write_items(
            TransactItems=self.bumps(tenant_id, deployment_id, day.isoformat(), quantities)
        )


class _Bump:
    """The update of a day or a total: what it adds and sets, and on which conditions."""

    def __init__(self, tenant_id: str, quantities: Mapping[str, Decimal]) -> None:
        kinds = sorted(quantities)
        self._quantities = {n: quantities[kind] for n, kind in enumerate(kinds)}
        self._names = {"#owner": OWNER} | {f"#k{n}": kind for n, kind in enumerate(kinds)}
        self._values: dict[str, Any] = {":owner": {"S": tenant_id}}
        self._values |= {f":q{n}": number(used) for n, used in self._quantities.items()}
        self._sets = ["#owner = :owner"]
        self._conditions = ["(attribute_not_exists(#owner) OR #owner = :owner)"]

    def keep_room(self) -> None:
        """Adds the condition that no quantity becomes too much."""
        for n, used in self._quantities.items():
            self._conditions.append(f"(attribute_not_exists(#k{n}) OR #k{n} < :r{n})")
            self._values[f":r{n}"] = number(EXACT.subtract(TOO_MUCH, used))

    def name(self, imports: ImportNames) -> None:
        """Replaces the names of imports, if they are still those that were read."""
        self._names["#imports"] = IMPORTS
        self._sets.append("#imports = :imports")
        self._values[":imports"] = _name_list(imports.after)
        if imports.before:
            self._conditions.append("#imports = :before")
            self._values[":before"] = _name_list(imports.before)
        else:
            self._conditions.append("attribute_not_exists(#imports)")

    def request(self) -> dict[str, Any]:
        """Returns the parameters of the update."""
        adds = ", ".join(f"#k{n} :q{n}" for n in self._quantities)
        return {
            "UpdateExpression": f"SET {', '.join(self._sets)} ADD {adds}",
            "ConditionExpression": " AND ".join(self._conditions),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def number(quantity: Decimal) -> dict[str, str]:
    """Returns a quantity as DynamoDB takes it, without an exponent."""
    return {"N": format(quantity, "f")}


def _item_key(key: str, sort_key: str) -> dict[str, Any]:
    return {"Key": {KEY: {"S": key}, DAY: {"S": sort_key}}}


def _name_list(names: Iterable[str]) -> dict[str, Any]:
    return {"L": [{"S": name} for name in names]}


def _names(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name["S"] for name in item.get(IMPORTS, {}).get("L", ()))
