"""Cursors: a place in a list that tells nobody anything.

A cursor holds the order keys of a row, so it is stable under writes; it is encrypted, because the keys of a row are not
the caller's to see or to choose, and deterministically (AES-SIV, RFC 5297), so that every replica gives the same cursor
for the same row. The list and order that it belongs to are authenticated with it: a cursor of one list is refused by
every other. Lengths are padded to multiples of 32 bytes. The key comes from settings, or is made once and kept with the
store.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from graph.errors import Refused

KEY_BYTES: Final = 32
_CLASS: Final = 32


class CursorKey:
    """Seals and opens cursors; raises Refused for one that was not sealed here for this list."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        """Take a key of 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a cursor key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESSIV(key)

    def __repr__(self) -> str:
        return "CursorKey(...)"

    def seal(self, keys: list[Any], context: str) -> str:
        """Make the cursor of a row's order keys in a list."""
        plain = orjson.dumps(keys)
        padded = plain + b" " * (-len(plain) % _CLASS)
        return base64.urlsafe_b64encode(self._cipher.encrypt(padded, [context.encode()])).decode().rstrip("=")

    def open(self, text: str, context: str) -> list[Any]:
        """Give the order keys back."""
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            keys: list[Any] = orjson.loads(self._cipher.decrypt(sealed, [context.encode()]))
        except (ValueError, InvalidTag) as exc:
            raise Refused(
                "That cursor does not belong to this list.",
                code="BAD_USER_INPUT",
                hint="Use a cursor that this field gave with the same orderBy, or start without one.",
            ) from exc
        return keys
