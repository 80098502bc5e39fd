"""The items of the accounts table, and the keys, claims and errors that its classes share.

Keys: a tenant and its subscriptions share a partition (`acme` / `tenant` and
`acme` / `sub#<deployment>#<start>`), so that one consistent query reads an account. There,
`sub#<deployment>#none` marks a deployment whose segments were all removed but whose usage is still
looked at. Plans are `plan#<code>` / `v0001`, add-ons `addon#<code>`; each version is written once.
`deployment#<id>` / `owner` names the tenant of a deployment, and holds the version of its
subscriptions. `number#<n>` / `owner` names the tenant of an account number. Tenants own both for
good.
"""

import json
from collections.abc import Iterable, Mapping

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from invoicing.accounts.account import Segment, read_segment
from invoicing.foundation.dynamodb import read_keys, refused

TENANT, OWNER = "tenant", "owner"
DEPLOYMENT, NUMBER, SEGMENT = "deployment#", "number#", "sub#"
# Takes the place of a first day in a sort key.
TAKEN_BACK = "none"
COLLISIONS = frozenset(("TransactionConflict", "TransactionConflictException"))


class VersionExists(Exception):
    """The catalogue has this version with other content; a change needs a new version."""


class DeploymentTaken(Exception):
    """The deployment belongs to another tenant."""


class AccountNumberTaken(Exception):
    """An account number belongs to another tenant, or the tenant already has another one."""


class _KindIndex(GlobalSecondaryIndex["AccountItem"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "tenants"
        projection = KeysOnlyProjection()

    kind = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class AccountItem(Model):
    class Meta:
        table_name = ""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    # `tenant`, `plan` or `addon`; other items have none. The index lists these, by key only.
    kind = UnicodeAttribute(null=True)
    account_number = UnicodeAttribute(null=True)
    # On items that can change. Where it is missing it is 1: items were once written without it.
    version = NumberAttribute(null=True)
    document = UnicodeAttribute()
    by_kind = _KindIndex()


type Key = tuple[str, str]


def price_key(kind: str, code: str, version: int) -> Key:
    """Returns the key of a version of a `plan` or an `addon`."""
    return f"{kind}#{code}", f"v{version:04}"


def version_of(item: AccountItem) -> int:
    """Returns the version of a tenant, or of a deployment's subscriptions."""
    return 1 if item.version is None else int(item.version)


def has_version(version: int) -> Condition:
    """Returns the condition that an item exists in this version."""
    same: Condition = AccountItem.version == version
    if version == 1:
        same = same | (AccountItem.pk.exists() & AccountItem.version.does_not_exist())
    return same


def segment_of(tenant_id: str, item: AccountItem) -> Segment:
    """Reads the segment in an item of its tenant's partition."""
    _, deployment_id, starts_on = item.sk.split("#")
    return read_segment(tenant_id, deployment_id, starts_on, json.loads(item.document))


def taken_back_key(deployment_id: str) -> str:
    """Returns the sort key of the item that marks a deployment without segments."""
    return f"{SEGMENT}{deployment_id}#{TAKEN_BACK}"


def deployment_taken_back(item: AccountItem) -> str | None:
    """Returns the deployment that such an item marks; None for the item of a segment."""
    _, deployment_id, suffix = item.sk.split("#")
    return deployment_id if suffix == TAKEN_BACK else None


def ownership(tenant_id: str) -> str:
    """Returns the `document` of an `owner` item."""
    return json.dumps({"tenant_id": tenant_id})


def owners_of(table_name: str, prefix: str, names: Iterable[str]) -> Mapping[str, str]:
    """Reads the tenant of each deployment or account number that has one. Consistent."""
    keys = [{"pk": f"{prefix}{name}", "sk": OWNER} for name in sorted(set(names))]
    return {
        item["pk"]["S"].removeprefix(prefix): json.loads(item["document"]["S"])["tenant_id"]
        for item in read_keys(table_name, keys)
    }


def lost_race(error: PynamoDBException) -> bool:
    """Whether another write came first: the condition failed, or the two writes collided."""
    response = getattr(error.cause, "response", None) or {}
    codes = {response.get("Error", {}).get("Code")}
    codes |= {
        reason.code for reason in getattr(error, "cancellation_reasons", None) or [] if reason
    }
    return refused(error) or not COLLISIONS.isdisjoint(codes)
