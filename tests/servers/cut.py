"""A network that fails to order: a forwarder between a client and a database, to be cut at a chosen moment.

A lost connection is only interesting at certain points of a conversation, and those cannot be met by killing servers.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

COMMIT: Final = b"\x00\x02\xb0\x12\x00\x00"
"""Bolt's COMMIT: a chunk of two bytes, a structure without fields with the signature 0x12, and the end of the message."""
BEGIN: Final = b"\xb1\x11"
"""Bolt's BEGIN: a structure with one field and the signature 0x11."""


class Cut:
    """Forwards a port on loopback to a database."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._trap: bytes | None = None
        self._forward_first = False
        self.port = 0
        self.sprung = 0
        """how often a trap has cut a connection."""

    async def open(self) -> None:
        """Forward connections, at the same port as before."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all connections and refuse new ones."""
        assert self._server is not None
        self._server.close()
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def trap(self, message: bytes, *, forward_first: bool = False) -> None:
        """Cut the next connection whose client says this: before, or after, the database has heard of it."""
        self._trap, self._forward_first = message, forward_first

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            there, onward = await asyncio.open_connection("127.0.0.1", self._target)
            try:
                await self._forward(reader, onward, there, writer)
            finally:
                onward.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _forward(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
    ) -> None:
        ways = {asyncio.create_task(self._outward(client, to_server)), asyncio.create_task(_copy(server, to_client))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _outward(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await client.read(65536):
            caught = self._trap is not None and self._trap in data
            if not caught or self._forward_first:
                server.write(data)
                await server.drain()
            if caught:
                self._trap = None
                self.sprung += 1
                return


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
