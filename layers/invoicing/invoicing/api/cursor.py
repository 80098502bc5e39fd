"""The opaque cursor of a list: a position, sealed together with the scope it belongs to.

The seal keeps a cursor from being edited, or used for another scope or other filters. It grants
no access: someone who breaks it still reads only their own scope, which every page checks again.
"""

import base64
import binascii
import hashlib
import hmac

SEAL_BYTES = 16


class InvalidCursor(Exception):
    """The cursor was changed, or was made for another scope or other filters."""


def _seal(key: str, scope: str, position: bytes) -> bytes:
    text = scope.encode() + b"\0" + position
    return hmac.digest(key.encode(), text, hashlib.sha256)[:SEAL_BYTES]


def seal_cursor(key: str, scope: str, position: str) -> str:
    """Returns an opaque, URL-safe cursor for this position, valid for this scope only."""
    raw = position.encode()
    return base64.urlsafe_b64encode(_seal(key, scope, raw) + raw).decode().rstrip("=")


def open_cursor(key: str, scope: str, cursor: str) -> str:
    """Returns the cursor's position; raises InvalidCursor unless it was sealed for this scope."""
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("not a cursor") from error
    seal, position = sealed[:SEAL_BYTES], sealed[SEAL_BYTES:]
    if not position or not hmac.compare_digest(seal, _seal(key, scope, position)):
        raise InvalidCursor("changed, or made for another list")
    if seal_cursor(key, scope, position.decode()) != cursor:
        raise InvalidCursor("changed")
    return position.decode()
