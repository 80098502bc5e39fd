"""A list is read to its end, and not for ever."""

import pytest

from cli.stack.pages import every_page
from invoicing.foundation.dynamodb import KeysNotRead


def test_every_page_is_read_once() -> None:
    pages = {None: ("a", "1"), "1": ("b", "2"), "2": ("c", None)}
    assert [*every_page(lambda after: pages[after])] == ["a", "b", "c"]


def test_a_page_after_itself_is_an_error() -> None:
    asked: list[str | None] = []

    def read(after: str | None) -> tuple[str, str]:
        asked.append(after)
        assert len(asked) < 10
        return "a", "1"

    with pytest.raises(KeysNotRead, match="the list goes round at 1"):
        list(every_page(read))
    assert asked == [None, "1"]
