"""The subscribers, in a process of their own: thousands of WebSockets that say the least and note when each event comes.

`python -m benchmarks.stream_client` reads a line of JSON from its input for each thing that it is to do, and answers with one:

    {"do": "open", "port": ..., "address": "127.0.0.2", "query": ..., "tokens": [...], "each": 50}    -> {"open": n}
    {"do": "take", "expected": n, "seconds": s}      -> {"latencies": [ms, ...]}, of all events since the last time
    {"do": "close"}                                  -> {}

The WebSocket is made by hand: a client of a library would take more of the machine than the server that is measured. An event's
latency is from its `at`, which the database's clock gave it before it was committed, to when its frame is whole here.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import struct
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

_AT: Final = re.compile(rb'"at":"([^"]+)"')
_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_OPENING: Final = 100
"""sockets that are opened at a time."""


@lru_cache(maxsize=10_000)
def _epoch_ms(at: bytes) -> float:
    return datetime.fromisoformat(at.decode()).timestamp() * 1_000


def _frame(opcode: int, payload: bytes) -> bytes:
    """Write a frame as a client does, with a mask of nothing."""
    size = len(payload)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes((opcode,)) + length + bytes(4) + payload


class Subscriber(asyncio.Protocol):
    """One socket with one subscription."""

    def __init__(self, owner: Subscribers, token: str) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = owner
        self._token = token
        self._buffer = b""
        self._is_upgraded = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self._owner.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n"
        )
        transport.write(head.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server has ended it."""
        self._owner.lost += 1
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(f"The server has closed: {self._buffer[:300]!r}"))

    def data_received(self, data: bytes) -> None:
        """Take frames."""
        self._buffer += data
        if not self._is_upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.ready.set_exception(ConnectionError(head.decode()))
                return
            self._is_upgraded, self._buffer = True, rest
            self._say({"type": "connection_init"})
        while (frame := self._next()) is not None:
            self._take(*frame)

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, begin = buffer[1], 2
        if size == 126:
            size, begin = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < begin + size:
            return None
        self._buffer = buffer[begin + size :]
        return buffer[0], buffer[begin : begin + size]

    def _take(self, opcode: int, payload: bytes) -> None:
        match opcode:
            case 0x89:
                self._transport.write(_frame(_PONG, payload))
            case 0x81 if b'"type":"next"' in payload:
                found = _AT.search(payload)
                assert found is not None, payload
                self._owner.heard(time.time() * 1_000 - _epoch_ms(found[1]))
            case 0x81 if b'"connection_ack"' in payload:
                self._say({"type": "subscribe", "id": "1", "payload": {"query": self._owner.query}})
            case 0x81 if b'"type":"ping"' in payload:
                if not self.ready.done():
                    self.ready.set_result(None)
            case 0x81:
                self._owner.wrong.append(payload.decode()[:300])
            case _:
                pass

    def _say(self, message: dict[str, Any]) -> None:
        self._transport.write(_frame(_TEXT, orjson.dumps(message)))

    def close(self) -> None:
        """Leave."""
        self._transport.abort()


class Subscribers:
    """All of this process."""

    def __init__(self) -> None:
        self.port = 0
        self.query = ""
        self.lost = 0
        self.wrong: list[str] = []
        self._all: list[Subscriber] = []
        self._latencies: list[float] = []
        self._news = asyncio.Event()

    def heard(self, latency: float) -> None:
        """Note an event."""
        self._latencies.append(latency)
        self._news.set()

    async def open(self, given: dict[str, Any]) -> dict[str, Any]:
        """Open so many sockets for each token, and wait until all have subscribed."""
        self.port, self.query = given["port"], given["query"]
        places = asyncio.Semaphore(_OPENING)

        async def one(token: str) -> None:
            async with places:
                loop = asyncio.get_running_loop()
                _, made = await loop.create_connection(
                    lambda: Subscriber(self, token), "127.0.0.1", self.port, local_addr=(given["address"], 0)
                )
                self._all.append(made)
                await made.ready

        tokens: Sequence[str] = given["tokens"]
        await asyncio.gather(*(one(token) for token in tokens for _ in range(given["each"])))
        return {"open": len(self._all)}

    async def take(self, given: dict[str, Any]) -> dict[str, Any]:
        """Wait until so many events have come, and give how late each was."""
        end = time.monotonic() + given["seconds"]
        while len(self._latencies) < given["expected"] and time.monotonic() < end:
            self._news.clear()
            await asyncio.wait({asyncio.ensure_future(self._news.wait())}, timeout=0.5)
        taken, self._latencies = self._latencies, []
        return {"latencies": [round(each, 2) for each in taken], "lost": self.lost, "wrong": self.wrong[:3]}

    async def close(self, _: dict[str, Any]) -> dict[str, Any]:
        """Leave with all."""
        for each in self._all:
            each.close()
        self._all = []
        await asyncio.sleep(0)
        self.lost = 0
        return {}


async def main() -> None:
    """Do what the input says until it ends."""
    subscribers = Subscribers()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        given = orjson.loads(line)
        done = await {"open": subscribers.open, "take": subscribers.take, "close": subscribers.close}[given["do"]](
            given
        )
        sys.stdout.buffer.write(orjson.dumps(done) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
