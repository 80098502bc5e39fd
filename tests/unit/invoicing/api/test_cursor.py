"""A cursor is good for the list it was made for, and for nothing else."""

import base64

import pytest

from invoicing.api.cursor import InvalidCursor, open_cursor, seal_cursor


def test_a_cursor_comes_back_as_its_position() -> None:
    cursor = seal_cursor("key", "acme", "2026-04-01")
    assert open_cursor("key", "acme", cursor) == "2026-04-01"
    assert "2026" not in cursor


def test_every_changed_character_is_refused() -> None:
    cursor = seal_cursor("key", "acme", "2026-04-01")
    for place, character in enumerate(cursor):
        replacement = "B" if character == "A" else "A"
        changed = cursor[:place] + replacement + cursor[place + 1 :]
        with pytest.raises(InvalidCursor):
            open_cursor("key", "acme", changed)


@pytest.mark.parametrize(
    ("key", "scope"), [("other key", "acme"), ("key", "pilot"), ("key", "acme, issued")]
)
def test_a_foreign_cursor_is_refused(key: str, scope: str) -> None:
    with pytest.raises(InvalidCursor):
        open_cursor(key, scope, seal_cursor("key", "acme", "2026-04-01"))


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "????", "AAAA", "ü", "a" * 5000, base64.urlsafe_b64encode(b"\xff" * 40).decode()],
)
def test_junk_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        open_cursor("key", "acme", cursor)
