"""Plans and add-ons of the accounts table: a change is a new version, and none is ever changed.

Subscriptions are pinned to versions, so a new one changes nobody's price.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pynamodb.exceptions import PutError

from invoicing.accounts.account import AddonPrice
from invoicing.accounts.account_item import AccountItem, VersionExists, lost_race, price_key
from invoicing.foundation.dynamodb import bound, read_keys, refused
from invoicing.foundation.versions import Stored, VersionChanged
from quote_engine import Plan, parse_plan, plan_json

MOST_VERSIONS = 9999


class TooManyVersions(Exception):
    """The code has 9,999 versions; what comes next needs a code of its own."""


@dataclass(frozen=True, slots=True)
class PriceKind[P: (Plan, AddonPrice)]:
    """What is versioned: its name in keys, and how it is stored."""

    name: str
    document: Callable[[P], Mapping[str, Any]]
    read: Callable[[Any], P]


def _stored_addon_json(addon: AddonPrice) -> Mapping[str, Any]:
    return {"code": addon.code, "name": addon.name, "price": str(addon.price)}


def _read_addon(document: Any) -> AddonPrice:
    return AddonPrice(document["code"], document["name"], Decimal(document["price"]))


PLANS: PriceKind[Plan] = PriceKind("plan", plan_json, parse_plan)
ADDONS: PriceKind[AddonPrice] = PriceKind("addon", _stored_addon_json, _read_addon)


class PriceVersions[P: (Plan, AddonPrice)]:
    """The versions of plans, or of add-ons."""

    def __init__(self, table_name: str, kind: PriceKind[P]) -> None:
        self._name = table_name
        self._items = bound(AccountItem, table_name)
        self._kind: PriceKind[P] = kind

    def newest(self, code: str) -> Stored[P] | None:
        """The newest version of a code, if it has any; consistent."""
        found = self._items.query(
            price_key(self._kind.name, code, 1)[0],
            scan_index_forward=False,
            consistent_read=True,
            limit=1,
        )
        return next((self._stored(item.document, item.sk) for item in found), None)

    def get(self, code: str, version: int) -> Stored[P] | None:
        """A version of a code, if it is there; consistent."""
        try:
            item = self._items.get(
                *price_key(self._kind.name, code, version), consistent_read=True
            )
        except self._items.DoesNotExist:
            return None
        return self._stored(item.document, item.sk)

    def several(self, versions: Iterable[tuple[str, int]]) -> list[Stored[P]]:
        """These (code, version) as far as they are there, in order of code; consistent."""
        keys = (price_key(self._kind.name, *each) for each in versions)
        found = {
            item["pk"]["S"]: (item["document"]["S"], item["sk"]["S"])
            for item in read_keys(self._name, [{"pk": pk, "sk": sk} for pk, sk in keys])
        }
        return [self._stored(*found[pk]) for pk in sorted(found)]

    def codes(self, after: str | None, limit: int) -> list[tuple[str, int]]:
        """Codes in order after `after`, each with its newest version.

        An index is read, which may lag a second behind: it says what there is, never at which
        price.
        """
        condition = AccountItem.pk > f"{self._kind.name}#{after}" if after is not None else None
        newest: dict[str, int] = {}
        for item in self._items.by_kind.query(self._kind.name, condition):
            code, version = item.pk.partition("#")[2], int(item.sk.removeprefix("v"))
            if code not in newest and len(newest) == limit:
                break
            newest[code] = max(version, newest.get(code, 0))
        return list(newest.items())

    def write(self, price: P, before: Stored[P] | None) -> int:
        """Adds the version after `before`, and returns it.

        Raises VersionChanged when that version is there already, and TooManyVersions.
        """
        version = before.version + 1 if before else 1
        if version > MOST_VERSIONS:
            raise TooManyVersions(f"{self._kind.name} {price.code} has {MOST_VERSIONS} versions")
        try:
            self._item(price, version).save(AccountItem.pk.does_not_exist())
        except PutError as error:
            if not lost_race(error):
                raise
            raise VersionChanged(f"{self._kind.name} {price.code} version {version}") from error
        return version

    def put(self, price: P, version: int) -> None:
        """Adds this very version; the same again is a no-op, another raises VersionExists."""
        item = self._item(price, version)
        try:
            item.save(AccountItem.pk.does_not_exist())
        except PutError as error:
            if not refused(error):
                raise
            if self._items.get(item.pk, item.sk, consistent_read=True).document != item.document:
                text = f"{item.pk} {item.sk} has other prices already"
                raise VersionExists(text) from error

    def _item(self, price: P, version: int) -> AccountItem:
        kind = self._kind
        text = json.dumps(kind.document(price), sort_keys=True)
        return self._items(
            *price_key(kind.name, price.code, version), kind=kind.name, document=text
        )

    def _stored(self, document: str, sort_key: str) -> Stored[P]:
        return Stored(self._kind.read(json.loads(document)), int(sort_key.removeprefix("v")))
