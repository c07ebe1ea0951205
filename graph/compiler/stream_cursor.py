"""Where a subscriber has come to, sealed: it can be kept, and given to any replica, and tells nobody anything.

The plain text is the position of an event and its time. It is authenticated with the subscription's field and the caller's
scope, so that a cursor of another field, or of somebody who may see something else, is refused; the selection is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from graph.compiler.cursor import CursorKey
from graph.errors import Refused
from graph.model.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An event's place in the sequence."""

    position: int
    at: int
    """epoch milliseconds by the database's clock."""


@dataclass(frozen=True, slots=True)
class StreamCursors:
    """The cursors of one field for one scope."""

    key: CursorKey
    field: str
    scope: Scope

    def seal(self, place: Place) -> str:
        """Make the cursor of a place."""
        return self.key.seal([place.position, place.at], self._context)

    def open(self, text: str) -> Place:
        """Give the place back; raises Refused for what was never a cursor of this field and scope."""
        try:
            position, at = self.key.open(text, self._context)
        except Refused as refused:
            raise Refused(
                f"That cursor does not belong to the subscription {self.field}.",
                code="BAD_USER_INPUT",
                hint="Give a cursor that this subscription gave you, or begin without one.",
            ) from refused
        return Place(position=position, at=at)

    @property
    def _context(self) -> str:
        scope = [self.scope.kind.value, *sorted(self.scope.customers)]
        return f"subscription {self.field} {orjson.dumps(scope).decode()}"
