"""Reads all pages of a list."""

from collections.abc import Callable, Iterator

from invoicing.foundation.dynamodb import KeysNotRead

type Read[P] = Callable[[str | None], tuple[P, str | None]]
"""Returns the page after a position (None is the beginning), and the position of the next one."""


def every_page[P](read: Read[P]) -> Iterator[P]:
    """Yields each page; raises KeysNotRead if a page is said to come after itself."""
    after: str | None = None
    while True:
        page, position = read(after)
        yield page
        if position is None:
            return
        if position == after:
            raise KeysNotRead(f"the list goes round at {after}")
        after = position
