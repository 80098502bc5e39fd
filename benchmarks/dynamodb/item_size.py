"""The size of a DynamoDB item, by the rules of its developer guide ("item sizes and formats").

Names and texts count their UTF-8 bytes. A number counts a byte for every two significant digits
and one more; zeros at both ends do not count. The guide is silent on a minus sign: 1 byte, to be
safe. Null and boolean: 1 byte. Lists and maps: 3 bytes, and 1 for each member. Capacity is
counted on this size alone, without the 100 bytes that storage bills for each item.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

type Item = Mapping[str, Mapping[str, Any]]

CONTAINER_BYTES, MEMBER_BYTES = 3, 1


def item_bytes(item: Item) -> int:
    """Returns the bytes of all attributes, names and values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """Returns the bytes of a value such as `{"N": "12.5"}`; KeyError for an unknown type."""
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def number_bytes(text: str) -> int:
    """Returns half the significant digits, rounded up, plus 1, and 1 more below zero."""
    sign, digits, _ = Decimal(text).as_tuple()
    significant = "".join(map(str, digits)).strip("0")
    return (len(significant) + 1) // 2 + 1 + sign


def _list_bytes(members: Iterable[Mapping[str, Any]]) -> int:
    return CONTAINER_BYTES + sum(value_bytes(member) + MEMBER_BYTES for member in members)


def _map_bytes(members: Item) -> int:
    return CONTAINER_BYTES + MEMBER_BYTES * len(members) + item_bytes(members)


def _text_bytes(text: str) -> int:
    return len(text.encode())


def _binary_bytes(base64: str) -> int:
    return len(b64decode(base64))


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_bytes,
    "N": number_bytes,
    "B": _binary_bytes,
    "NULL": lambda _: 1,
    "BOOL": lambda _: 1,
    "SS": lambda members: sum(map(_text_bytes, members)),
    "NS": lambda members: sum(map(number_bytes, members)),
    "BS": lambda members: sum(map(_binary_bytes, members)),
    "L": _list_bytes,
    "M": _map_bytes,
}
