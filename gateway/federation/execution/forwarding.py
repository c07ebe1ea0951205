"""Some headers of a client are for the subgraphs, and some of a subgraph for the client; all others must stay where they are.

The port to subgraphs knows no headers, and most subgraphs are none of HTTP. So `Forwarding`, ASGI middleware round the
endpoint, keeps those of a request that any rule names in a context variable. There remote.py finds them and sends on those
that the rule of its own subgraph names. What subgraphs send back that other rules name goes into the response. Headers that belong to one connection are never passed on,
whatever the rules say.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "accept",
        "accept-encoding",
    }
)
MOST_BYTES: Final = 16_384
"""of all headers that go back to a client."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Forwarded:
    """The headers of one request that go on, and those that came back."""

    onward: Pairs = ()
    pairs: list[tuple[str, str]] = field(default_factory=list)
    """what the client gets."""
    size: int = 0

    def give_back(self, pairs: Pairs) -> None:
        """Add to what the client gets."""
        for pair in pairs:
            self.size += len(pair[0]) + len(pair[1])
            if self.size <= MOST_BYTES and pair not in self.pairs:
                self.pairs.append(pair)

    def lines(self) -> list[tuple[bytes, bytes]]:
        """Give what the client gets as it is sent."""
        return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in self.pairs]


CURRENT: Final[ContextVar[Forwarded | None]] = ContextVar("forwarded", default=None)


def current() -> Forwarded:
    """Give the headers of the request that is being answered; none where it did not come over HTTP."""
    return CURRENT.get() or Forwarded()


class Forwarding:
    """Wrap an ASGI application."""

    def __init__(self, app: ASGIApp, onward: tuple[str, ...]) -> None:
        self._app = app
        self._onward = frozenset(each.lower() for each in onward) - HOP_BY_HOP

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, with its headers in reach."""
        kept = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        forwarded = Forwarded(onward=_combined(each for each in kept if each[0] in self._onward))

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start" and forwarded.pairs:
                message["headers"] = [*message["headers"], *forwarded.lines()]
            await send(message)

        token = CURRENT.set(forwarded)
        try:
            await self._app(scope, receive, adding)
        finally:
            CURRENT.reset(token)


def _combined(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Make one line of several of one name, as RFC 9110, 5.3 allows; of cookies as RFC 9113, 8.2.3 asks."""
    lines: dict[str, list[str]] = {}
    for name, value in pairs:
        lines.setdefault(name, []).append(value)
    return tuple((name, ("; " if name == "cookie" else ", ").join(values)) for name, values in lines.items())
