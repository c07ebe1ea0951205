"""A stand-in runs in the loop of whoever needs it, beside other servers, and must be able to hang up.

uvicorn takes over the signals of its process, which belong to someone else here; and no ASGI application can cut a
connection. Both are put right: signals are left alone, and the scope of each request holds a way to close its
connection, as `hang_up` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_CONNECTION: Final = "simulator.connection"
_END_SECONDS: Final = 1


class _Cuttable(HttpToolsProtocol):
    """HTTP/1.1 with the way to end it in each scope."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {_CONNECTION: {"close": self.transport.close}}


class _Server(uvicorn.Server):
    """Says when it has begun."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve in the running loop while the block runs; gives the address, with the port that was free."""
    config = uvicorn.Config(
        app, http=_Cuttable, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=_END_SECONDS,
    )  # fmt: skip
    server = _Server(config)
    with _bound(host, port) as sock:
        serving = asyncio.create_task(server.serve(sockets=[sock]))  # a TaskGroup would wrap what the block raises
        await server.up.wait()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named, as socket.create_server does not: only then asyncio turns Nagle's algorithm off, which
    # else holds the body of each answer back for 40 ms.
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except BaseException:
        sock.close()
        raise
    return sock


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection of a request; what was written before still goes out."""
    close = cast("Callable[[], None]", scope["extensions"][_CONNECTION]["close"])
    close()
    while (await receive())["type"] != "http.disconnect":
        pass
