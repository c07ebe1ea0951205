"""A WebSocket lives for hours: what its client sends too much of, or does not read, must not stay in memory meanwhile.

uvicorn's WebSocket over the sans-IO protocol of `websockets`, bounded like any connection (gateway/http/unsent.py):

1. A message has at most `message_bytes` and MOST_FRAGMENTS; a larger one closes the socket with 1009.
2. Messages that are not read are watched as answers are. A client that does not even answer a ping in half of `send_seconds` is
   cut off: it is released within `send_seconds`, whether anything is sent to it or not.
3. While a client does not read, its pings are not read either: each would be answered.
"""

from __future__ import annotations

import asyncio
from asyncio.transports import BaseTransport, Transport
from typing import Any, Final, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame

from gateway.http.bounds import BoundedConfig
from gateway.http.unsent import Bounded, Unsent

MOST_FRAGMENTS: Final = 1_000


class BoundedSocket(WebSocketsSansIOProtocol, Bounded):
    """A WebSocket over one connection, bounded."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.answers = Unsent(self.loop, config.bounds.send_seconds, self.connections, config.tally)
        self._pings_wait = False

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to watch."""
        super().connection_made(transport)
        self.answers.transport = cast("Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch no more."""
        self.answers.end()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Read on, now that the client reads."""
        super().resume_writing()
        if self._pings_wait:
            self._pings_wait = False
            if not self.read_paused:
                self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        """Take a further fragment of a message."""
        if len(self.frames) < MOST_FRAGMENTS:
            super().handle_cont(event)
            return
        self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer a ping, and read no more of them while the answers are not taken."""
        super().handle_ping()
        if not (self.writable.is_set() or self._pings_wait):
            self._pings_wait = True
            self.transport.pause_reading()

    def keepalive_timeout(self) -> None:
        """Cut a client off that does not answer a ping: it would not read a close frame either."""
        self.pong_timer = None
        if not self.transport.is_closing():
            self.answers.cut()

    async def send(self, message: ASGISendEvent) -> None:
        """Send an event, once what was sent before is out of the way."""
        text = message.get("text")
        data = text.encode() if isinstance(text, str) else b""
        if not self.writable.is_set():
            with self.answers.holding(len(data)):
                await self.writable.wait()
        begins = not self.disconnected and not self.answers.bytes
        size = 0
        if data and self.handshake_complete and not (self.disconnected or self.close_sent):
            size = self._send_text(data)
        else:
            await super().send(message)
        if not self.disconnected:
            self.answers.note(size, begins=begins)

    def _send_text(self, data: bytes) -> int:
        """Send a text as uvicorn does; give the bytes that this takes, with the head of the frame."""
        try:
            self.conn.send_text(data)
        except InvalidState:
            raise ClientDisconnected from None
        output = b"".join(self.conn.data_to_send())
        self.transport.write(output)
        return len(output)
