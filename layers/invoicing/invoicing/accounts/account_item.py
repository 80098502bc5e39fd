"""The items of the accounts table, and what its table classes share: keys, claims, errors.

Keys: a tenant and its subscriptions share a partition (`acme` / `tenant` and
`acme` / `sub#<deployment>#<start>`) so that one consistent query reads an account; there,
`sub#<deployment>#none` names a deployment whose subscriptions were all taken back, and whose usage
is still asked for. Plans and add-ons are `plan#<code>` / `v0001`, each version written once.
`deployment#<id>` / `owner` says whose a deployment is, and holds the version of its subscriptions;
`number#<n>` / `owner` says whose an account number is. All of these are owned for good.
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
# In the place of a first day.
TAKEN_BACK = "none"
COLLISIONS = frozenset(("TransactionConflict", "TransactionConflictException"))


class VersionExists(Exception):
    """This version is in the catalogue with other content; a change needs a new version."""


class DeploymentTaken(Exception):
    """The deployment belongs to another tenant."""


class AccountNumberTaken(Exception):
    """An account number is another tenant's, or the tenant has another one already."""


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
    # `tenant`, `plan` or `addon`, and on nothing else: the index lists these, by their keys alone.
    kind = UnicodeAttribute(null=True)
    account_number = UnicodeAttribute(null=True)
    # Of what can change; 1 where it is missing, since items were once written without it.
    version = NumberAttribute(null=True)
    document = UnicodeAttribute()
    by_kind = _KindIndex()


type Key = tuple[str, str]


def price_key(kind: str, code: str, version: int) -> Key:
    """Where a version of a `plan` or an `addon` is."""
    return f"{kind}#{code}", f"v{version:04}"


def version_of(item: AccountItem) -> int:
    """The version of a tenant, or of a deployment's subscriptions."""
    return 1 if item.version is None else int(item.version)


def has_version(version: int) -> Condition:
    """The condition that an item is there in this version."""
    same: Condition = AccountItem.version == version
    if version == 1:
        same = same | (AccountItem.pk.exists() & AccountItem.version.does_not_exist())
    return same


def segment_of(tenant_id: str, item: AccountItem) -> Segment:
    """The subscription in an item of its tenant's partition."""
    _, deployment_id, starts_on = item.sk.split("#")
    return read_segment(tenant_id, deployment_id, starts_on, json.loads(item.document))


def taken_back_key(deployment_id: str) -> str:
    """Where it is said, in the tenant's partition, that all of its segments were taken back."""
    return f"{SEGMENT}{deployment_id}#{TAKEN_BACK}"


def deployment_taken_back(item: AccountItem) -> str | None:
    """The deployment of such an item; None for a segment's."""
    _, deployment_id, last = item.sk.split("#")
    return deployment_id if last == TAKEN_BACK else None


def ownership(tenant_id: str) -> str:
    """What an `owner` item says."""
    return json.dumps({"tenant_id": tenant_id})


def owners_of(table_name: str, prefix: str, names: Iterable[str]) -> Mapping[str, str]:
    """The tenant of each deployment or account number that has one; consistent."""
    keys = [{"pk": f"{prefix}{name}", "sk": OWNER} for name in sorted(set(names))]
    return {
        item["pk"]["S"].removeprefix(prefix): json.loads(item["document"]["S"])["tenant_id"]
        for item in read_keys(table_name, keys)
    }


def lost_race(error: PynamoDBException) -> bool:
    """Whether another write came first: its condition is not met any more, or the two met."""
    response = getattr(error.cause, "response", None) or {}
    codes = {response.get("Error", {}).get("Code")}
    codes |= {
        reason.code for reason in getattr(error, "cancellation_reasons", None) or [] if reason
    }
    return refused(error) or not COLLISIONS.isdisjoint(codes)
