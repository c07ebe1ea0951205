"""Between two systems lies a network, which delays, cuts and swallows: a TCP proxy that does so on purpose.

It stands before the ticketing system. While it is told to trouble, each piece that comes through may be late, cut in the
middle with its connection, held without an end (half open: one side believes in a connection, and nothing comes through any
more), or answered with a reset. What is held or cut is never passed on later: what a client has given up must not
happen after the time that its settings allow for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Final, assert_never
from urllib.parse import urlsplit, urlunsplit

_PIECE: Final = 65_536
_LATEST_SECONDS: Final = 1.5
"""well within the time for which a request that was given up may still act."""
_HELD_SECONDS: Final = 8.0
_RESET: Final = struct.pack("ii", 1, 0)


class Trouble(enum.StrEnum):
    """What may happen to a piece."""

    DELAY = "delay"
    CUT = "cut"
    HOLD = "hold"
    RESET = "reset"


@dataclass(slots=True)
class Wire:
    """The proxy."""

    target: tuple[str, int]
    address: str = ""
    chance: Random = field(default_factory=lambda: Random(0))
    probability: float = 0.0
    """that a piece meets trouble."""
    kinds: tuple[Trouble, ...] = tuple(Trouble)
    met: Counter[str] = field(default_factory=Counter)
    _ways: set[asyncio.Task[None]] = field(default_factory=set)

    def trouble(self, probability: float, seed: int, kinds: tuple[Trouble, ...] = tuple(Trouble)) -> None:
        """Make trouble from now on; with probability 0: none."""
        self.probability, self.chance, self.kinds = probability, Random(seed), kinds

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            _reset(writer)
            return
        pumps = [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]
        self._ways.update(pumps)
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._ways.difference_update(pumps)
            writer.transport.abort()
            back.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                if not await self._passed(piece, writer):
                    return

    async def _passed(self, piece: bytes, writer: asyncio.StreamWriter) -> bool:
        """Pass a piece on; tell whether the connection is still any good."""
        trouble = self._drawn()
        match trouble:
            case None:
                pass
            case Trouble.DELAY:
                await asyncio.sleep(self.chance.uniform(0.05, _LATEST_SECONDS))
            case Trouble.CUT:
                piece = piece[: len(piece) // 2]
            case Trouble.HOLD:
                await asyncio.sleep(_HELD_SECONDS)
                return False
            case Trouble.RESET:
                _reset(writer)
                return False
            case never:
                assert_never(never)
        writer.write(piece)
        await writer.drain()
        return trouble is not Trouble.CUT

    def _drawn(self) -> Trouble | None:
        if self.chance.random() >= self.probability:
            return None
        found = self.chance.choice(self.kinds)
        self.met[found.value] += 1
        return found


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@asynccontextmanager
async def wired(address: str) -> AsyncIterator[Wire]:
    """Stand before the system at this address while the block runs; `Wire.address` is that of the way through."""
    parts = urlsplit(address)
    assert parts.hostname, "it has a host"
    assert parts.port, "it has a port"
    wire = Wire((parts.hostname, parts.port))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire.address = urlunsplit((parts.scheme, f"127.0.0.1:{port}", parts.path, "", ""))
    try:
        yield wire
    finally:
        server.close()
        for each in [*wire._ways]:
            each.cancel()
        await asyncio.sleep(0)
