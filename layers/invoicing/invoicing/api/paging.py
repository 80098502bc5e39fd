"""Paged lists: their `limit`, and a cursor that is sealed for one list."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from invoicing.api.cursor import InvalidCursor, open_cursor, seal_cursor
from invoicing.api.http import bad_request
from invoicing.foundation.settings import settings

LIMIT, MAX_LIMIT = 25, 100
PARAMETERS = frozenset(("limit", "cursor"))


type Page[E] = tuple[Sequence[E], str | None]
"""Entries, and the position after which the next page begins, if there is one."""


def page_limit(text: str) -> int:
    """Reads how many entries a page has; raises ValueError."""
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT))
    if not digits or not 1 <= int(text) <= MAX_LIMIT:
        raise ValueError(f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def page_after(query: Mapping[str, str], scope: str) -> str | None:
    """Returns the position that a page starts after; a foreign or changed cursor raises a 400."""
    if "cursor" not in query:
        return None
    try:
        return open_cursor(settings().cursor_key, scope, query["cursor"])
    except InvalidCursor as error:
        raise bad_request({"cursor": str(error)}) from error


def next_cursor(position: str | None, scope: str) -> str | None:
    """Returns the cursor that asks for the next page; None if this is the last."""
    return seal_cursor(settings().cursor_key, scope, position) if position else None


def page_json[E](
    query: Mapping[str, str],
    scope: str,
    name: str,
    read: Callable[[str | None, int], Page[E]],
    show: Callable[[E], Mapping[str, Any]],
) -> dict[str, Any]:
    """Returns `{name: [entry...], "next_cursor": str|null}`, read with `read(after, limit)`."""
    try:
        limit = page_limit(query.get("limit", str(LIMIT)))
    except ValueError as error:
        raise bad_request({"limit": str(error)}) from error
    entries, position = read(page_after(query, scope), limit)
    shown = [show(entry) for entry in entries]
    return {name: shown, "next_cursor": next_cursor(position, scope)}
