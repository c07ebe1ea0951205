"""What the end of a connection means decides whether a program goes on, waits, or has to be told: one place decides it.

Sans-IO: how a connection has ended goes in; the seconds to wait before the next come out, or an error is raised where coming back
would not help. Nothing here waits or knows a socket.

1. Full jitter, so that those who were cut off together do not come back together; it grows to MOST_SECONDS with each attempt, and
   begins anew with an event, or a heartbeat of a connection that has lasted: each begins with one, and may fail right after it.
2. The cursor is that of what was taken last, or the one to go on with that the gateway names where it ends a stream (LAGGED): by
   then all that it had sent was taken.
3. A token that is refused is asked for again where it came from a function; MOST_REFUSED_TOKENS refusals in a row end it.

>>> resuming = Resuming(after=None, can_renew_token=False)
>>> resuming.take("c-1")
>>> 0 <= resuming.cut(Closed(code=1012, reason="Service Restart")) <= 1
True
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never

from trunkline.client.errors import CursorExpired, ErrorData, ProtocolError, RequestRefused, TokenRefused

FIRST_SECONDS: Final = 0.5
MOST_SECONDS: Final = 30.0
LASTING_SECONDS: Final = 10.0
"""A connection that gives a heartbeat after that is good."""
MOST_REFUSED_TOKENS: Final = 3
_DOUBLINGS: Final = 10
"""more do not matter, and a number that grows for a week is too large at last."""
_FORBIDDEN: Final = 4403
_UNAUTHENTICATED: Final = "UNAUTHENTICATED"
PASSING: Final = frozenset(
    {
        "DEADLINE_EXCEEDED",
        "INTERNAL_SERVER_ERROR",
        "ISSUER_UNAVAILABLE",
        "LAGGED",
        "OVERLOADED",
        "STORE_UNAVAILABLE",
        "SUBGRAPH_FAILED",
        "SUBGRAPH_UNAVAILABLE",
        "TOO_MANY_NEW_DOCUMENTS",
        "TOO_MANY_REQUESTS",
        "TOO_MANY_STREAMS",
    }
)
"""The codes after which one can go on: what is over after a while."""
_REFUSING: Final = frozenset({1002, 1003, 1007, 1009, 1010, 4400, 4401, 4406, 4409, 4429})
"""The codes of a socket whose other side would close the next one too."""
_PASSING_STATUS: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The socket is closed, or could not be opened."""

    code: int | None
    """None: nobody has said why, as where nobody listens."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAccepted:
    """The handshake was answered with a status."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The subscription has ended with errors."""

    errors: Sequence[ErrorData]


Ending: TypeAlias = Closed | NotAccepted | Failed


class Resuming:
    """How far a subscription has come, and how it goes on."""

    def __init__(self, *, after: str | None, can_renew_token: bool) -> None:
        self.after = after
        """where to go on."""
        self._can_renew_token = can_renew_token
        self._attempts = 0
        self._refused_tokens = 0

    def hear(self, *, is_event: bool, seconds: float) -> None:
        """Note a sign of life, so many seconds after the connection began: the token is good, and perhaps the connection is."""
        self._refused_tokens = 0
        if is_event or seconds >= LASTING_SECONDS:
            self._attempts = 0

    def take(self, cursor: str) -> None:
        """Note that all up to a cursor is dealt with."""
        self.after = cursor

    def cut(self, ending: Ending) -> float:
        """Give the seconds to wait; raises a TrunklineError where coming back would not help."""
        match ending:
            case Closed(code=code, reason=reason):
                self._check_closed(code, reason)
            case NotAccepted(status=status):
                if status < _SERVER_ERROR and status not in _PASSING_STATUS:
                    raise ProtocolError(f"The address does not take WebSockets: it answers with status {status}.")
            case Failed(errors=errors):
                self._check_failed(errors)
            case _:
                assert_never(ending)
        return self._pause()

    def _check_closed(self, code: int | None, reason: str) -> None:
        if code == _FORBIDDEN:
            self._refuse_token([_error(reason, _UNAUTHENTICATED)])
        elif code in _REFUSING:
            raise ProtocolError(f"The gateway has closed the socket with code {code}: {reason}")

    def _check_failed(self, errors: Sequence[ErrorData]) -> None:
        extensions = errors[0].get("extensions") or {}
        code = extensions.get("code")
        if code == _UNAUTHENTICATED:
            self._refuse_token(errors)
        elif code == "CURSOR_EXPIRED":
            raise CursorExpired(errors)
        elif code not in PASSING:
            raise RequestRefused(errors)
        self.after = extensions.get("from") or self.after

    def _refuse_token(self, errors: Sequence[ErrorData]) -> None:
        self._refused_tokens += 1
        if not self._can_renew_token or self._refused_tokens >= MOST_REFUSED_TOKENS:
            raise TokenRefused(errors)

    def _pause(self) -> float:
        self._attempts += 1
        most = min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(self._attempts, _DOUBLINGS))
        return random.uniform(0, most)  # noqa: S311 - nobody must guess it


def _error(message: str, code: str) -> dict[str, Any]:
    return {"message": message or "The token is refused.", "extensions": {"code": code}}
