"""A client that sends too much, too slowly, or does not read its answer reaches none of our limits: it is stopped here.

uvicorn bounds neither heads nor trailers, waits for ever for a client that does not read, and takes any number of
connections. This protocol bounds each of them (`Bounds`):

1. A head is whole in `head_seconds`, and has at most HEAD_BYTES; so have a trailer and the extensions of a chunk.
2. A trailer is not part of the request (RFC 9110, section 6.5.1): it is read and thrown away.
3. An answer that comes before the end of the body says `Connection: close`. What the client is still sending is read
   for `linger_seconds`, so that it sees the answer and not a reset (RFC 9112, section 9.6).
4. Of an answer, LEAST_TAKEN bytes or all that is left are taken in every `send_seconds`. All unsent answers of a
   process together have at most UNSENT_BYTES: whoever has not read for longest is cut off. An answer that is made and waits
   behind another is unsent too.
   A WebSocket's messages are answers too.
5. There are at most `connections` in a process and `connections_per_address` of one address. When all are in use, the
   connection that has waited longest for a head makes room. Each that is refused, or makes room, is counted
   (`CONNECTIONS_REFUSED` in the lifespan's state).

The body itself is bounded further up.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    HTTPResponseStartEvent,
    Scope,
)
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.http.bounded_socket import BoundedSocket
from gateway.http.bounds import BoundedConfig
from gateway.http.unsent import Bounded, Unsent

HEAD_BYTES: Final = 65_536
LINGER_BYTES: Final = 16_777_216
PIPELINED: Final = 100
"""requests that a client may send ahead of the answer."""
CONNECTIONS_REFUSED: Final = "trunkline.connections_refused"
"""Under it, the lifespan's state has a function that takes a reason."""
IDLE: Final = "idle"
"""The reason of a connection that made room for another."""
FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: 30\r\n\r\nThere are too many connections"
)


class BoundedConnection(HttpToolsProtocol, Bounded):
    """HTTP/1.1 over one connection, bounded."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._bounds = config.bounds
        self._head_timer: asyncio.TimerHandle | None = None
        """runs while a head is awaited."""
        self._in_head = True
        self._is_lingering = False
        self._overhead = 0
        """bytes since the last that belonged to a body, or ended a head."""
        self.answers = Unsent(self.loop, config.bounds.send_seconds, self.connections, config.tally)
        self.waiting_since = 0.0
        """by the loop's clock: when it began to wait for a head."""

    @property
    def is_awaiting_head(self) -> bool:
        """Tell whether nothing but the head of a request is awaited."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first head, whatever its type says
        return self._head_timer is not None and (cycle is None or cycle.response_complete)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Await the first head, or refuse the connection."""
        super().connection_made(transport)
        self.answers.transport = transport
        if self._has_room():
            self._await_head()
        else:
            self.transport.write(FULL)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing any more."""
        self._have_head()
        self.answers.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes that belong to no body."""
        self._overhead += len(data)
        if self._is_lingering:
            if self._overhead > LINGER_BYTES:
                self.transport.abort()
            return
        super().data_received(data)
        if self._overhead > HEAD_BYTES and not self.transport.is_closing():
            self._refuse("The head of the request, or what stands between parts of its body, is too large.")

    def on_message_begin(self) -> None:
        """Await the rest of a head."""
        super().on_message_begin()
        self._in_head = True
        if self._head_timer is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of the head; one of a trailer is none of the request's."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Take the head, unless the connection ends: what would be done could not be answered."""
        self._have_head()
        self._in_head = False
        self._overhead = 0
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        if len(self.pipeline) > PIPELINED:
            self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._overhead = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Await the next head, where it has not come."""
        has_next = bool(self.pipeline)
        super().on_response_complete()
        self._unset_keepalive_if_required()  # uvicorn's own timer: `head_seconds` says how long
        if not (has_next or self._head_timer or self.transport.is_closing()):
            self._await_head()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to a WebSocket, unless a request before it is still being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        if self.transport.is_closing():
            return
        if cycle is not None and not cycle.response_complete:
            self._refuse("A WebSocket is opened on a connection of its own.")
            return
        self._have_head()
        self.answers.end()
        super().handle_websocket_upgrade()
        socket = self.transport.get_protocol()
        if isinstance(socket, BoundedSocket) and not socket.handshake_initiated:
            self.send_400_response("The head of the WebSocket's request cannot be read.")

    def shutdown(self) -> None:
        """End an idle connection now, and one with an answer after that; a stream of events has no end to wait for."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.chunked_encoding and not cycle.response_complete:
            self.transport.close()
        super().shutdown()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        async def answering(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            await app(scope, receive, _Answer(self, cycle, send))

        super()._start_asgi_task(cycle, answering)

    def _refuse(self, reason: str) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()  # another answer is on its way, and must not be mixed with this one
        else:
            self.send_400_response(reason)

    # Room

    def _has_room(self) -> bool:
        """Tell whether this connection may stay; another may have to go for that. Whoever goes is counted."""
        reason = self._reason()
        if reason:
            self.app_state.get(CONNECTIONS_REFUSED, _uncounted)(reason)
        return reason in {"", IDLE}

    def _reason(self) -> str:
        bounded: list[Bounded] = [each for each in self.connections if isinstance(each, Bounded)]
        others = [each for each in bounded if each is not self]
        address = _address(self)
        if sum(1 for each in others if _address(each) == address) >= self._bounds.connections_per_address:
            return "address"
        if len(others) < self._bounds.connections:
            return ""
        requests = [each for each in others if isinstance(each, BoundedConnection)]
        idle = [each for each in requests if each.is_awaiting_head and not each.transport.is_closing()]
        if idle:
            min(idle, key=_waiting_since).transport.abort()
        return IDLE if idle else "process"

    # Heads

    def _await_head(self) -> None:
        self.waiting_since = self.loop.time()
        self._head_timer = self.loop.call_later(self._bounds.head_seconds, self.transport.close)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    # Answers

    async def all_taken(self, size: int) -> bool:
        """Wait until bytes of an answer may be given to the transport; tell whether all before them was taken."""
        if self.flow.write_paused:
            with self.answers.holding(size):
                await self.flow.drain()
        return not self.answers.bytes

    def linger(self) -> None:
        """End the connection from our side, and read what the client still sends for a while."""
        self._unset_keepalive_if_required()
        self._have_head()
        if self.transport.is_closing():
            return
        self._is_lingering, self._overhead = True, 0
        self.transport.write_eof()
        self._head_timer = self.loop.call_later(self._bounds.linger_seconds, self.transport.abort)


class _Answer:
    """Sends the events of one answer."""

    def __init__(self, connection: BoundedConnection, cycle: RequestResponseCycle, send: ASGISendCallable) -> None:
        self._connection = connection
        self._cycle = cycle
        self._send = send
        self._is_early = False

    async def __call__(self, message: ASGISendEvent) -> None:
        """Send an event."""
        if message["type"] == "http.response.start":
            self._is_early = self._cycle.more_body
            if self._is_early:
                self._cycle.keep_alive = False
            await self._pass(message, 0, _length(message))
            return
        body = message.get("body", b"")
        ends = not message.get("more_body", False)
        if ends and self._is_early:
            self._cycle.keep_alive = (
                True  # it was said that we close; uvicorn would do so at once, and cut the answer off
            )
        size = len(body) if isinstance(body, bytes) else 0
        await self._pass(message, size, size)
        if ends and self._is_early and not self._cycle.disconnected:
            self._connection.linger()

    async def _pass(self, message: ASGISendEvent, size: int, made: int) -> None:
        """Send a part; of the answer so many bytes are made already."""
        begins = not self._cycle.disconnected and await self._connection.all_taken(made)
        await self._send(message)
        if not self._cycle.disconnected:
            self._connection.answers.note(size, begins=begins)


def _length(message: HTTPResponseStartEvent) -> int:
    """Give the bytes of the body to come, or 0 where its head does not say."""
    return next((int(value) for name, value in message["headers"] if name.lower() == b"content-length"), 0)


def _uncounted(_: str) -> None:
    """Count nothing: the application brings no counter."""


def _address(connection: Bounded) -> str:
    return connection.client[0] if connection.client else ""


def _waiting_since(connection: BoundedConnection) -> float:
    return connection.waiting_since
