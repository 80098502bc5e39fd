"""Tables in memory, as the template describes them: items by key, indexes, and reads that lag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from tests.simulation.aws.expressions import Item

type Key = tuple[str, str]
type Partitions = dict[str, dict[str, Item]]


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item before and after a write; None where there is no item."""

    table: str
    key: Key
    before: Item | None
    after: Item | None


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index; `attributes` are those that it copies (None: all)."""

    hash_key: str
    range_key: str
    attributes: frozenset[str] | None


def _keys(schema: Iterable[Mapping[str, str]]) -> tuple[str, str]:
    names = {key["KeyType"]: key["AttributeName"] for key in schema}
    return names["HASH"], names["RANGE"]


def _index(definition: Mapping[str, Any], table_keys: tuple[str, str]) -> Index:
    keys = _keys(definition["KeySchema"])
    projection = definition["Projection"]
    copied = {*keys, *table_keys, *projection.get("NonKeyAttributes", ())}
    everything = projection["ProjectionType"] == "ALL"
    return Index(*keys, None if everything else frozenset(copied))


class Table:
    """Items by partition and sort key. An item is never changed, only replaced."""

    def __init__(self, name: str, definition: Mapping[str, Any], page_items: int) -> None:
        self.name, self._definition = name, definition
        self.keys = self.hash_key, self.range_key = _keys(definition["KeySchema"])
        self.indexes = {
            index["IndexName"]: _index(index, self.keys)
            for index in definition.get("GlobalSecondaryIndexes", ())
        }
        # DynamoDB ends a page at 1 MB; a model of a small month needs small pages.
        self.page_items = page_items
        self.partitions: Partitions = {}
        self._behind: Partitions | None = None

    def copy(self) -> "Table":
        """Returns an independent table with the same items, where nothing lags."""
        twin = Table(self.name, self._definition, self.page_items)
        twin.partitions = {name: dict(items) for name, items in self.partitions.items()}
        return twin

    def key_of(self, item: Item) -> Key:
        """Returns the item's key."""
        return item[self.hash_key]["S"], item[self.range_key]["S"]

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        """Returns the item, or None."""
        return self._seen(consistent).get(key[0], {}).get(key[1])

    def put(self, key: Key, item: Item | None) -> ItemChange:
        """Replaces the item, or removes it (None); returns the change."""
        partition = self.partitions.setdefault(key[0], {})
        before = partition.pop(key[1], None)
        if item is not None:
            partition[key[1]] = item
        return ItemChange(self.name, key, before, item)

    def items(self) -> Iterator[Item]:
        """Yields every item."""
        for partition in self.partitions.values():
            yield from partition.values()

    @property
    def lags(self) -> bool:
        """Whether indexes and eventually consistent reads show the past."""
        return self._behind is not None

    def lag(self, behind: bool) -> None:
        """From now on, indexes and eventually consistent reads stay behind; or they catch up."""
        self._behind = (
            {name: dict(items) for name, items in self.partitions.items()} if behind else None
        )

    def _seen(self, consistent: bool) -> Partitions:
        return self.partitions if consistent or self._behind is None else self._behind

    def rows(self, hash_value: str, *, consistent: bool) -> list[tuple[Any, Item]]:
        """Returns a partition in order: the place of each item, and the item."""
        partition = self._seen(consistent).get(hash_value, {})
        return [((sort_key,), partition[sort_key]) for sort_key in sorted(partition)]

    def index_rows(self, name: str, hash_value: str | None) -> list[tuple[Any, Item]]:
        """Returns a partition of an index in order; for None all of it, in no useful order."""
        index = self.indexes[name]
        rows = []
        for partition in self._seen(False).values():
            for item in partition.values():
                place = self.place(index, item, scanned=hash_value is None)
                if place is not None and hash_value in (None, item[index.hash_key]["S"]):
                    rows.append((place, item))
        return sorted(rows, key=lambda row: row[0])

    def place(self, index: Index | None, item: Item, *, scanned: bool = False) -> Any:
        """Returns where an item or start key stands in a query; None if it is not in the index."""
        if index is None:
            return (item[self.range_key]["S"],)
        if index.hash_key not in item or index.range_key not in item:
            return None
        place = (item[index.range_key]["S"], *self.key_of(item))
        hash_value = item[index.hash_key]["S"]
        return (crc32(hash_value.encode()), hash_value, *place) if scanned else place

    def start_key(self, index: Index | None, item: Item) -> Item:
        """Returns the key that the next page starts after."""
        names = {*self.keys, *((index.hash_key, index.range_key) if index else ())}
        return {name: item[name] for name in sorted(names)}
