"""The accounts table as it is billed from: accounts whole, and the prices they are pinned to.

`account_item` describes its items and their keys. Whoever writes uses the table class of what is
written: `catalogue_table`, `tenants_table`, `subscriptions_table`. The rollup writes none of
these, and its cold start does not pay for them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from invoicing.accounts.account import (
    Account,
    AddonPrice,
    InvalidAccount,
    Segment,
    Tenant,
    read_tenant,
)
from invoicing.accounts.account_item import (
    DEPLOYMENT,
    NUMBER,
    TENANT,
    AccountItem,
    Key,
    deployment_taken_back,
    owners_of,
    price_key,
    segment_of,
)
from invoicing.foundation.dynamodb import bound, read_keys
from quote_engine import Plan, parse_plan

# What reading a document that another version of this code wrote, or a person, may come to.
UNREADABLE = (ValueError, TypeError, KeyError, ArithmeticError)


class UnknownTenant(Exception):
    """No tenant has this id."""


class UnknownPrice(Exception):
    """A subscription is pinned to a plan or add-on version that the catalogue does not hold."""


class AccountsTable:
    """Tenants, subscriptions and the catalogue."""

    def __init__(self, table_name: str) -> None:
        self.name = table_name
        self._items = bound(AccountItem, table_name)
        self._catalogue: dict[Key, Plan | AddonPrice] = {}

    def account(self, tenant_id: str) -> Account:
        """The tenant and all of its subscriptions.

        Raises UnknownTenant, and InvalidAccount for what is stored and cannot be read.
        """
        tenant: Tenant | None = None
        subscriptions, unsubscribed = [], set()
        for item in self._items.query(tenant_id, consistent_read=True):
            try:
                if item.sk == TENANT:
                    tenant = read_tenant(tenant_id, json.loads(item.document))
                elif taken_back := deployment_taken_back(item):
                    unsubscribed.add(taken_back)
                else:
                    subscriptions.append(segment_of(tenant_id, item))
            except UNREADABLE as error:
                # One tenant's affair, whatever it is: a report of all must not end here.
                text = f"account of {tenant_id}: {item.sk} cannot be read: {error!r}"
                raise InvalidAccount(text) from error
        if tenant is None:
            raise UnknownTenant(f"tenant {tenant_id} is not in the accounts table")
        return Account(tenant, tuple(subscriptions), frozenset(unsubscribed))

    def catalogue_keys(self, subscriptions: Iterable[Segment]) -> list[Mapping[str, str]]:
        """The keys of what these are pinned to and what is not in memory already."""
        wanted = {
            key
            for subscription in subscriptions
            for key in (
                price_key("plan", subscription.plan_code, subscription.plan_version),
                *(
                    price_key("addon", choice.code, choice.version)
                    for choice in subscription.addons
                ),
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

    def load_catalogue(self, subscriptions: Iterable[Segment]) -> None:
        """Reads in one call what these are pinned to, as far as it is not in memory already."""
        self.take_catalogue(read_keys(self.name, self.catalogue_keys(subscriptions)))

    def plan(self, code: str, version: int) -> Plan:
        """A version of a plan; raises UnknownPrice."""
        found = self._pinned(price_key("plan", code, version))
        assert isinstance(found, Plan)
        return found

    def addon(self, code: str, version: int) -> AddonPrice:
        """A version of an add-on; raises UnknownPrice."""
        found = self._pinned(price_key("addon", code, version))
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

    def _pinned(self, key: Key) -> Plan | AddonPrice:
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
            found = self._items.by_kind.query(
                TENANT, condition, limit=page_size, page_size=page_size, last_evaluated_key=last
            )
            yield [item.pk for item in found]
            last = found.last_evaluated_key
            if last is None:
                return

    def owners(self, deployment_ids: Iterable[str]) -> Mapping[str, str]:
        """The tenant of each deployment that is known."""
        return owners_of(self.name, DEPLOYMENT, deployment_ids)

    def number_owners(self, numbers: Iterable[str]) -> Mapping[str, str]:
        """The tenant of each account number that is given."""
        return owners_of(self.name, NUMBER, numbers)
