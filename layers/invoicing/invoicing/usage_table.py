"""The usage table: what was metered, one item per deployment and day, and one month total.

PK `<deployment_id>#2026-04`, SK the day or `total`; one number attribute per resource kind. A
whole-month invoice reads the total alone: one item per deployment instead of thirty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from invoicing.base_table import connection, read_keys
from quote_engine import Period

TOTAL = "total"
KEY, DAY, OWNER = "deployment_period", "day", "tenant_id"
NOT_KINDS = frozenset((KEY, DAY, OWNER))


class InvalidUsage(Exception):
    """Stored usage that must not be billed: negative, not a number, or another tenant's."""


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """What one deployment of one tenant used in a period, by resource kind, exact."""

    tenant_id: str
    deployment_id: str
    quantities: Mapping[str, Decimal]


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


class UsageTable:
    """Metered usage. Kinds are attribute names, which pynamodb's item classes cannot declare."""

    def __init__(self, table_name: str) -> None:
        self._name = table_name
        self._client: Any = connection().client

    def totals(
        self, tenant_id: str, deployment_ids: Iterable[str], period: Period
    ) -> Mapping[str, Mapping[str, Decimal]]:
        """Month totals by deployment; a deployment without usage is absent.

        Raises InvalidUsage for a negative or non-numeric quantity and for another tenant's usage.
        """
        totals = {}
        keys = sorted(f"{deployment_id}#{period.label}" for deployment_id in set(deployment_ids))
        for item in read_keys(self._name, ({KEY: key, DAY: TOTAL} for key in keys)):
            total = _total(item)
            if total.tenant_id != tenant_id:
                raise InvalidUsage(
                    f"usage of {total.deployment_id} belongs to tenant "
                    f"{total.tenant_id or '(none)'}, not to {tenant_id}"
                )
            totals[total.deployment_id] = total.quantities
        return totals

    def add(
        self, tenant_id: str, deployment_id: str, day: date, quantities: Mapping[str, Decimal]
    ) -> None:
        """Adds quantities to a day and to its month's total, both or neither.

        Raises InvalidUsage for a negative quantity, for a kind that is a key of the table, and
        when the deployment's usage of that month belongs to another tenant.
        """
        for kind, quantity in quantities.items():
            if kind in NOT_KINDS:
                raise InvalidUsage(f"usage of {deployment_id}: {kind} cannot be a resource kind")
            _quantity(deployment_id, kind, {"N": str(quantity)})
        key = f"{deployment_id}#{day:%Y-%m}"
        self._client.transact_write_items(
            TransactItems=[
                {"Update": self._bump(tenant_id, key, sort_key, quantities)}
                for sort_key in (day.isoformat(), TOTAL)
            ]
        )

    def _bump(
        self, tenant_id: str, key: str, sort_key: str, quantities: Mapping[str, Decimal]
    ) -> dict[str, Any]:
        kinds = sorted(quantities)
        adds = ", ".join(f"#k{n} :q{n}" for n in range(len(kinds)))
        values = {f":q{n}": {"N": str(quantities[kind])} for n, kind in enumerate(kinds)}
        return {
            "TableName": self._name,
            "Key": {KEY: {"S": key}, DAY: {"S": sort_key}},
            "UpdateExpression": f"SET #owner = :owner ADD {adds}",
            "ConditionExpression": "attribute_not_exists(#owner) OR #owner = :owner",
            "ExpressionAttributeNames": {"#owner": OWNER}
            | {f"#k{n}": kind for n, kind in enumerate(kinds)},
            "ExpressionAttributeValues": {":owner": {"S": tenant_id}} | values,
        }
