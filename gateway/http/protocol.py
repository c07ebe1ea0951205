"""A request that never gets past its headers reaches none of our limits: it must be stopped where bytes arrive.

uvicorn bounds neither how long nor how large the head of a request may be. This protocol does both: a connection that
has not sent a whole head in HEAD_SECONDS is closed, one that sends more than HEAD_BYTES is told 400 and closed. The
body is bounded further up.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10.0
HEAD_BYTES: Final = 65_536


class BoundedHeads(HttpToolsProtocol):
    """HTTP/1.1 whose heads are bounded in time and bytes."""

    _waiting: asyncio.TimerHandle | None = None
    """runs while a head is awaited."""
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Await the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Await nothing any more."""
        self._have_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Await the rest of a head."""
        super().on_message_begin()
        self._size = 0
        if self._waiting is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Take the head."""
        self._have_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head that is not complete yet."""
        super().data_received(data)
        if self._waiting is not None:
            self._size += len(data)
            if self._size > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def _await_head(self) -> None:
        self._waiting = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _have_head(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
