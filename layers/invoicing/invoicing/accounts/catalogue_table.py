"""Plans and add-ons of the accounts table: a change is a new version; no version ever changes.

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
from invoicing.foundation.versioned_records import Stored, VersionChanged
from quote_engine import Plan, parse_plan, plan_json

MOST_VERSIONS = 9999


class TooManyVersions(Exception):
    """The code has 9,999 versions; further changes need a new code."""


@dataclass(frozen=True, slots=True)
class PriceKind[P: (Plan, AddonPrice)]:
    """A kind of price, plan or add-on: its name in keys, and how it is stored and read."""

    name: str
    to_json: Callable[[P], Mapping[str, Any]]
    read: Callable[[Any], P]


def _stored_addon_json(addon: AddonPrice) -> Mapping[str, Any]:
    return {"code": addon.code, "name": addon.name, "price": str(addon.price)}


def _read_addon(stored: Any) -> AddonPrice:
    return AddonPrice(stored["code"], stored["name"], Decimal(stored["price"]))


PLANS: PriceKind[Plan] = PriceKind("plan", plan_json, parse_plan)
ADDONS: PriceKind[AddonPrice] = PriceKind("addon", _stored_addon_json, _read_addon)


class PriceVersions[P: (Plan, AddonPrice)]:
    """The versions of plans, or of add-ons."""

    def __init__(self, table_name: str, kind: PriceKind[P]) -> None:
        self._name = table_name
        self._items = bound(AccountItem, table_name)
        self._kind: PriceKind[P] = kind

    def newest(self, code: str) -> Stored[P] | None:
        """Reads the newest version of a code; None without any. Consistent."""
        items = self._items.query(
            price_key(self._kind.name, code, 1)[0],
            scan_index_forward=False,
            consistent_read=True,
            limit=1,
        )
        return next((self._stored(item.document, item.sk) for item in items), None)

    def get(self, code: str, version: int) -> Stored[P] | None:
        """Reads a version of a code; None if it does not exist. Consistent."""
        try:
            item = self._items.get(
                *price_key(self._kind.name, code, version), consistent_read=True
            )
        except self._items.DoesNotExist:
            return None
        return self._stored(item.document, item.sk)

    def several(self, versions: Iterable[tuple[str, int]]) -> list[Stored[P]]:
        """Reads those of these (code, version) that exist, in order of code. Consistent."""
        keys = (price_key(self._kind.name, code, version) for code, version in versions)
        stored = {
            item["pk"]["S"]: (item["document"]["S"], item["sk"]["S"])
            for item in read_keys(self._name, [{"pk": pk, "sk": sk} for pk, sk in keys])
        }
        return [self._stored(*stored[pk]) for pk in sorted(stored)]

    def codes(self, after: str | None, limit: int) -> list[tuple[str, int]]:
        """Lists codes in order, starting after `after`, each with its newest version.

        They come from an index, which may lag a second behind. It decides what is listed, never a
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
        """Adds the version after `before`, and returns its number.

        Raises VersionChanged when that version already exists, and TooManyVersions.
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
        """Adds this very version. Repeating does nothing; other content raises VersionExists."""
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
        text = json.dumps(kind.to_json(price), sort_keys=True)
        return self._items(
            *price_key(kind.name, price.code, version), kind=kind.name, document=text
        )

    def _stored(self, text: str, sort_key: str) -> Stored[P]:
        return Stored(self._kind.read(json.loads(text)), int(sort_key.removeprefix("v")))
