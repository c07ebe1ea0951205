"""Cursors: a place in a list that tells nobody anything.

A cursor holds the order keys of a row, so it is stable under writes; it is encrypted, because the keys of a row are not
the caller's to see or to choose, and deterministically (AES-SIV, RFC 5297), so that every replica gives the same cursor
for the same row. Lengths are padded to multiples of 32 bytes. The key comes from settings, or is made once and kept with the
store.

A cursor of one list is refused by every other. Which list it is, is its field, order and filter, known before the statement
runs and authenticated with the cursor; and the object that has the list, which only the answer names: its id is in the cursor,
and is compared when the page is shaped.

A cursor of a subscription is the position of an event, its time, and a mark of which event it was: after a restore the position may be
another's. It is authenticated with the subscription's field and the caller's scope, so that one of another field, or of somebody who
may see something else, is refused; the selection is no part of it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from graph.errors import Refused
from graph.model.scope import Scope

KEY_BYTES: Final = 32
_CLASS: Final = 32
_MARK: Final = 12


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

    def seal(self, keys: list[Any], context: str, owner: str | None = None) -> str:
        """Make the cursor of a row's order keys in a list of an object; `owner` is None for a list of the root."""
        plain = orjson.dumps([owner, *keys])
        padded = plain + b" " * (-len(plain) % _CLASS)
        return base64.urlsafe_b64encode(self._cipher.encrypt(padded, [context.encode()])).decode().rstrip("=")

    def open(self, text: str, context: str) -> list[Any]:
        """Give the order keys back."""
        return self._opened(text, context)[1:]

    def check_owner(self, text: str, context: str, owner: str | None) -> None:
        """Raise Refused for a cursor of another object's list."""
        if self._opened(text, context)[0] != owner:
            raise _refused()

    def _opened(self, text: str, context: str) -> list[Any]:
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            opened: list[Any] = orjson.loads(self._cipher.decrypt(sealed, [context.encode()]))
        except (ValueError, InvalidTag) as exc:
            raise _refused() from exc
        return opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An event's place in the sequence."""

    position: int
    at: int
    """epoch milliseconds by the database's clock."""
    mark: str
    """of the event at the position, as `mark_of` makes it; empty where none is known."""


def mark_of(event: str) -> str:
    """Make the mark of an event from its id, whose end is of chance.

    >>> mark_of("event-0199e2a5-7c33-7b60-9f3e-8a3f51c2d9e4")
    '8a3f51c2d9e4'
    """
    return event[-_MARK:]


@dataclass(frozen=True, slots=True)
class StreamCursors:
    """The cursors of one field for one scope."""

    key: CursorKey
    field: str
    scope: Scope

    def seal(self, place: Place) -> str:
        """Make the cursor of a place."""
        # Of one length, with a mark or without: whether the last event of all is still there is nobody's to see.
        return self.key.seal([place.position, place.at, place.mark.ljust(_MARK)], self._context)

    def open(self, text: str) -> Place:
        """Give the place back; raises Refused for what was never a cursor of this field and scope."""
        try:
            position, at, *rest = self.key.open(text, self._context)
        except Refused as refused:
            raise Refused(
                f"That cursor does not belong to the subscription {self.field}.",
                code="BAD_USER_INPUT",
                hint="Give a cursor that this subscription gave you, or begin without one.",
            ) from refused
        mark = rest[0].strip() if rest else ""  # cursors once had none, and clients keep theirs
        return Place(position=position, at=at, mark=mark)

    @property
    def _context(self) -> str:
        scope = [self.scope.kind.value, *sorted(self.scope.customers)]
        return f"subscription {self.field} {orjson.dumps(scope).decode()}"


def list_context(named: str, arguments: Mapping[str, Any]) -> str:
    """Give what a list's cursors are authenticated with: its field and order, as named, and its filter."""
    given = arguments.get("filter")
    return f"{named} {json.dumps(given, sort_keys=True, default=str)}" if given else named


def _refused() -> Refused:
    return Refused(
        "That cursor does not belong to this list.",
        code="BAD_USER_INPUT",
        hint="Use a cursor that this field of this object gave with the same filter and orderBy, or start without one.",
    )
