"""A program has to know whether it can go on, with what, and who can mend it; each error says so by its class.

Exception
└── TrunklineError            everything that the client raises by itself
    ├── InvalidDocument       the document is wrong; it was not sent
    ├── RequestRefused        the gateway will not answer this: `code`, `hint`, `errors`
    │   ├── CursorExpired     the cursor is too old: `cursor` is where to go on, `snapshot` what to ask before
    │   └── TokenRefused      no token that it was given is believed
    ├── EventUnreadable       one event could not be shown: `cursor`; the stream goes on when it is asked again
    ├── GatewayUnavailable    a query or a mutation was not answered; it may have been carried out
    └── ProtocolError         what answers does not speak as a gateway does
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

ErrorData: TypeAlias = Mapping[str, Any]
"""An error as the GraphQL response format has it: `message`, `extensions`, perhaps `locations` and `path`."""


class TrunklineError(Exception):
    """Everything that the client raises by itself."""


class InvalidDocument(TrunklineError):
    """The document cannot be parsed, or is not one subscription; the message says where."""


class RequestRefused(TrunklineError):
    """The gateway answers with errors, and would do so again."""

    def __init__(self, errors: Sequence[ErrorData], data: Mapping[str, Any] | None = None) -> None:
        self.errors = tuple(errors)
        self.data = data
        """what there is of an answer in spite of them."""
        extensions = self.errors[0].get("extensions") or {}
        self.code = str(extensions.get("code", ""))
        self.hint = str(extensions.get("hint", ""))
        super().__init__(" ".join(each for each in (str(self.errors[0].get("message")), self.hint) if each))


class CursorExpired(RequestRefused):
    """The gateway has no longer what came after the cursor: ask `snapshot`, then subscribe after `cursor`."""

    def __init__(self, errors: Sequence[ErrorData]) -> None:
        super().__init__(errors)
        extensions = self.errors[0].get("extensions") or {}
        self.cursor = str(extensions.get("cursor", ""))
        """where the sequence is now."""
        self.snapshot = str(extensions.get("snapshot", ""))
        """the query that tells what was missed."""


class TokenRefused(RequestRefused):
    """No token that the client was given is believed, or the last has expired."""


class EventUnreadable(TrunklineError):
    """The gateway could not show one event, or not in the shape that the client knows; the stream goes on."""

    def __init__(self, message: str, cursor: str, errors: Sequence[ErrorData]) -> None:
        super().__init__(message)
        self.cursor = cursor
        self.errors = tuple(errors)


class GatewayUnavailable(TrunklineError):
    """A query or a mutation was not answered. A mutation with the same idempotency key may be repeated."""


class ProtocolError(TrunklineError):
    """What answers at the address does not speak as a gateway does."""
