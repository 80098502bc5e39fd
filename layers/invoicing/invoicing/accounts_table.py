"""The accounts table: the catalogue (versioned), tenants and subscriptions.

Keys: a tenant and its subscriptions share a partition (`acme` / `tenant` and
`acme` / `sub#<deployment>#<start>`) so that one consistent query reads an account. Plans and
add-ons are `plan#<code>` / `v0001`; a version is written once and never changes, so a warm
function may keep it. `deployment#<id>` / `owner` says whose a deployment is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from invoicing.accounts import (
    Account,
    AddonPrice,
    Subscription,
    Tenant,
    read_subscription,
    subscription_document,
)
from invoicing.base_table import bound, read_keys, refused
from quote_engine import Plan, parse_plan, plan_document

TENANT, OWNER = "tenant", "owner"


class UnknownTenant(Exception):
    """No tenant has this id."""


class UnknownPrice(Exception):
    """A subscription is pinned to a plan or add-on version that the catalogue does not hold."""


class VersionExists(Exception):
    """This version is in the catalogue with other content; a change needs a new version."""


class DeploymentTaken(Exception):
    """The deployment belongs to another tenant."""


class AccountNumberTaken(Exception):
    """An account number is another tenant's, or the tenant has another one already."""


class _TenantIndex(GlobalSecondaryIndex["AccountItem"]):  # type: ignore[no-untyped-call]
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
    # On tenants alone: the index that lists them holds nothing else.
    kind = UnicodeAttribute(null=True)
    account_number = UnicodeAttribute(null=True)
    document = UnicodeAttribute()
    tenants = _TenantIndex()


type _Key = tuple[str, str]


def _plan_key(code: str, version: int) -> _Key:
    return f"plan#{code}", f"v{version:04}"


def _addon_key(code: str, version: int) -> _Key:
    return f"addon#{code}", f"v{version:04}"


def _subscription(tenant_id: str, item: AccountItem) -> Subscription:
    _, deployment_id, starts_on = item.sk.split("#")
    return read_subscription(tenant_id, deployment_id, starts_on, json.loads(item.document))


class AccountsTable:
    """Tenants, subscriptions and the catalogue."""

    def __init__(self, table_name: str) -> None:
        self.name = table_name
        self._items = bound(AccountItem, table_name)
        self._catalogue: dict[_Key, Plan | AddonPrice] = {}

    def account(self, tenant_id: str) -> Account:
        """The tenant and all of its subscriptions; raises UnknownTenant."""
        tenant: Tenant | None = None
        subscriptions = []
        for item in self._items.query(tenant_id, consistent_read=True):
            if item.sk == TENANT:
                tenant = Tenant(tenant_id=tenant_id, **json.loads(item.document))
            else:
                subscriptions.append(_subscription(tenant_id, item))
        if tenant is None:
            raise UnknownTenant(f"tenant {tenant_id} is not in the accounts table")
        return Account(tenant, tuple(subscriptions))

    def catalogue_keys(self, subscriptions: Iterable[Subscription]) -> list[Mapping[str, str]]:
        """The keys of what these are pinned to and what is not in memory already."""
        wanted = {
            key
            for subscription in subscriptions
            for key in (
                _plan_key(subscription.plan_code, subscription.plan_version),
                *(_addon_key(choice.code, choice.version) for choice in subscription.addons),
            )
        }
        return [{"pk": pk, "sk": sk} for pk, sk in sorted(wanted - self._catalogue.keys())]

    def take_catalogue(self, items: Iterable[Mapping[str, Mapping[str, str]]]) -> None:
        """Keeps plans and add-ons that were read by `catalogue_keys`."""
        for item in items:
            key = (item["pk"]["S"], item["sk"]["S"])
            document = json.loads(item["document"]["S"])
            if key[0].startswith("plan#"):
                self._catalogue[key] = parse_plan(document)
            else:
                price = Decimal(document["price"])
                self._catalogue[key] = AddonPrice(document["code"], document["name"], price)

    def load_catalogue(self, subscriptions: Iterable[Subscription]) -> None:
        """Reads in one call what these are pinned to, as far as it is not in memory already."""
        self.take_catalogue(read_keys(self.name, self.catalogue_keys(subscriptions)))

    def plan(self, code: str, version: int) -> Plan:
        """A version of a plan; raises UnknownPrice."""
        found = self._pinned(_plan_key(code, version))
        assert isinstance(found, Plan)
        return found

    def addon(self, code: str, version: int) -> AddonPrice:
        """A version of an add-on; raises UnknownPrice."""
        found = self._pinned(_addon_key(code, version))
        assert isinstance(found, AddonPrice)
        return found

    def newest_version(self, kind: str, code: str) -> int:
        """The newest version of a `plan` or an `addon`; raises UnknownPrice without any."""
        newest = self._items.query(
            f"{kind}#{code}", scan_index_forward=False, consistent_read=True, limit=1
        )
        for item in newest:
            return int(item.sk.removeprefix("v"))
        raise UnknownPrice(f"{kind} {code} is not in the catalogue")

    def _pinned(self, key: _Key) -> Plan | AddonPrice:
        if key not in self._catalogue:
            self.take_catalogue(read_keys(self.name, [{"pk": key[0], "sk": key[1]}]))
        if key not in self._catalogue:
            kind, _, code = key[0].partition("#")
            raise UnknownPrice(f"{kind} {code} {key[1]} is not in the catalogue")
        return self._catalogue[key]

    def tenant_ids(self, after: str | None, page_size: int) -> Iterator[list[str]]:
        """Every tenant's id in order, page by page, keys only, starting after `after`.

        An index is read, which may lag a second behind: it says who is looked at, never how much.
        """
        condition = AccountItem.pk > after if after is not None else None
        last: Any = None
        while True:
            found = self._items.tenants.query(
                TENANT, condition, limit=page_size, page_size=page_size, last_evaluated_key=last
            )
            yield [item.pk for item in found]
            last = found.last_evaluated_key
            if last is None:
                return

    def put_plan(self, plan: Plan, version: int) -> None:
        """Adds a version of a plan; the same again is a no-op, another raises VersionExists."""
        self._put_version(_plan_key(plan.code, version), plan_document(plan))

    def put_addon(self, addon: AddonPrice, version: int) -> None:
        """Adds a version of an add-on; the same again is a no-op, another raises VersionExists."""
        document = {"code": addon.code, "name": addon.name, "price": str(addon.price)}
        self._put_version(_addon_key(addon.code, version), document)

    def _put_version(self, key: _Key, document: dict[str, Any]) -> None:
        text = json.dumps(document, sort_keys=True)
        try:
            self._items(*key, document=text).save(AccountItem.pk.does_not_exist())
        except PutError as error:
            if not refused(error):
                raise
            if self._items.get(*key, consistent_read=True).document != text:
                raise VersionExists(f"{' '.join(key)} has other prices already") from error

    def put_tenant(self, tenant: Tenant) -> None:
        """Stores a tenant. Its account number is given once, because invoice numbers hold it.

        Raises AccountNumberTaken when the number is another tenant's, or this one has another.
        """
        number = tenant.account_number
        taken = f"account number {number} of tenant {tenant.tenant_id}"
        self._claim(f"number#{number}", tenant.tenant_id, AccountNumberTaken(f"{taken} is taken"))
        document = asdict(tenant)
        tenant_id = document.pop("tenant_id")
        item = self._items(
            tenant_id, TENANT, kind=TENANT, account_number=number, document=json.dumps(document)
        )
        same = AccountItem.pk.does_not_exist() | (AccountItem.account_number == number)
        try:
            item.save(same)
        except PutError as error:
            if not refused(error):
                raise
            raise AccountNumberTaken(f"{taken} cannot replace the one it has") from error

    def owners(self, deployment_ids: Iterable[str]) -> Mapping[str, str]:
        """The tenant of each deployment that is known."""
        keys = [{"pk": f"deployment#{name}", "sk": OWNER} for name in sorted(set(deployment_ids))]
        return {
            item["pk"]["S"].partition("#")[2]: json.loads(item["document"]["S"])["tenant_id"]
            for item in read_keys(self.name, keys)
        }

    def _claim(self, pk: str, tenant_id: str, otherwise: Exception) -> None:
        """Makes the tenant the owner of a key for good; raises `otherwise` if another is."""
        key = (pk, OWNER)
        text = json.dumps({"tenant_id": tenant_id})
        mine = AccountItem.pk.does_not_exist() | (AccountItem.document == text)
        try:
            self._items(*key, document=text).save(mine)
        except PutError as error:
            if not refused(error):
                raise
            raise otherwise from error

    def put_subscription(self, subscription: Subscription) -> None:
        """Stores a subscription, keyed by its deployment and first day.

        The first subscription of a deployment makes it its tenant's for good: usage finds its
        tenant by the deployment alone. Raises DeploymentTaken when it is another tenant's.
        """
        deployment_id = subscription.deployment_id
        taken = DeploymentTaken(f"deployment {deployment_id} is another tenant's")
        self._claim(f"deployment#{deployment_id}", subscription.tenant_id, taken)
        self._items(
            subscription.tenant_id,
            f"sub#{subscription.deployment_id}#{subscription.starts_on.isoformat()}",
            document=json.dumps(subscription_document(subscription)),
        ).save()
