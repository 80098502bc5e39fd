"""The accounts table as billing reads it: whole accounts, and the prices they are pinned to.

`account_item` describes its items and their keys. Writes go through `catalogue_table`,
`tenants_table` and `subscriptions_table`. The rollup writes none of these, and its cold start does
not pay for them.
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

# Errors from reading JSON that another version of this code, or a person, has written.
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
        """Reads the tenant and all of its subscriptions.

        Raises UnknownTenant, and InvalidAccount if a stored item cannot be read.
        """
        tenant: Tenant | None = None
        segments, unsubscribed = [], set()
        for item in self._items.query(tenant_id, consistent_read=True):
            try:
                if item.sk == TENANT:
                    tenant = read_tenant(tenant_id, json.loads(item.document))
                elif taken_back := deployment_taken_back(item):
                    unsubscribed.add(taken_back)
                else:
                    segments.append(segment_of(tenant_id, item))
            except UNREADABLE as error:
                # Any such error concerns one tenant: a report on all tenants must not end here.
                text = f"account of {tenant_id}: {item.sk} cannot be read: {error!r}"
                raise InvalidAccount(text) from error
        if tenant is None:
            raise UnknownTenant(f"tenant {tenant_id} is not in the accounts table")
        return Account(tenant, tuple(segments), frozenset(unsubscribed))

    def catalogue_keys(self, segments: Iterable[Segment]) -> list[Mapping[str, str]]:
        """Returns the keys of the prices that these are pinned to, without those in memory."""
        wanted = {
            key
            for segment in segments
            for key in (
                price_key("plan", segment.plan_code, segment.plan_version),
                *(price_key("addon", choice.code, choice.version) for choice in segment.addons),
            )
        }
        return [{"pk": pk, "sk": sk} for pk, sk in sorted(wanted - self._catalogue.keys())]

    def take_catalogue(self, items: Iterable[Mapping[str, Mapping[str, str]]]) -> None:
        """Keeps in memory plans and add-ons that were read by their `catalogue_keys`."""
        for item in items:
            key = (item["pk"]["S"], item["sk"]["S"])
            stored = json.loads(item["document"]["S"])
            if key[0].startswith("plan#"):
                self._catalogue[key] = parse_plan(stored)
            else:
                price = Decimal(stored["price"])
                self._catalogue[key] = AddonPrice(stored["code"], stored["name"], price)

    def load_catalogue(self, segments: Iterable[Segment]) -> None:
        """Reads in one call the prices that these are pinned to and that are not in memory yet."""
        self.take_catalogue(read_keys(self.name, self.catalogue_keys(segments)))

    def plan(self, code: str, version: int) -> Plan:
        """Returns a version of a plan; raises UnknownPrice."""
        plan = self._pinned(price_key("plan", code, version))
        assert isinstance(plan, Plan)
        return plan

    def addon(self, code: str, version: int) -> AddonPrice:
        """Returns a version of an add-on; raises UnknownPrice."""
        addon = self._pinned(price_key("addon", code, version))
        assert isinstance(addon, AddonPrice)
        return addon

    def newest_version(self, kind: str, code: str) -> int:
        """Reads the newest version of a `plan` or an `addon`; raises UnknownPrice without any."""
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
        """Yields the ids of all tenants in order, page by page, starting after `after`.

        They come from an index of keys, which may lag a second behind. It decides who is looked
        at, never an amount.
        """
        condition = AccountItem.pk > after if after is not None else None
        last: Any = None
        while True:
            items = self._items.by_kind.query(
                TENANT, condition, limit=page_size, page_size=page_size, last_evaluated_key=last
            )
            yield [item.pk for item in items]
            last = items.last_evaluated_key
            if last is None:
                return

    def owners(self, deployment_ids: Iterable[str]) -> Mapping[str, str]:
        """Reads the tenant of each known deployment."""
        return owners_of(self.name, DEPLOYMENT, deployment_ids)

    def number_owners(self, numbers: Iterable[str]) -> Mapping[str, str]:
        """Reads the tenant of each account number that has one."""
        return owners_of(self.name, NUMBER, numbers)
