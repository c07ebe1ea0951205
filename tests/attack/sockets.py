"""What costs by its connection: answers that nobody reads, bodies that drip, trailers without end, sockets that only stand.

An attack holds a number of connections at a time and begins anew with each that the gateway ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import orjson

Held: TypeAlias = Callable[[int, str, float], Awaitable[None]]
"""(port, token, until): hold one connection; return when the gateway has ended it, or at that time of the loop."""

_LARGE: Final = orjson.dumps(
    {
        "query": "{ services(first: 500) { nodes { id name kind state working { nodes { id name } } ports { nodes { id name } } } } }"
    }
)
_DRIP_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.05


def _head(token: str, *more: str) -> bytes:
    lines = ["POST /graphql HTTP/1.1", "Host: localhost", "Content-Type: application/json", *more]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


async def unread_answers(port: int, token: str, until: float) -> None:
    """Ask for a large answer again and again, and read nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    with contextlib.closing(writer):
        for _ in range(20):
            writer.write(_head(token, f"Content-Length: {len(_LARGE)}") + _LARGE)
        await _until_closed(reader, writer, until)


async def dripped_bodies(port: int, token: str, until: float) -> None:
    """Send the body of a refused request a byte at a time."""
    del token
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(_head("", "Content-Length: 100000"))
        await _drip(writer, b"{", until)


async def endless_trailers(port: int, token: str, until: float) -> None:
    """Send a chunked body and then trailers without end."""
    del token
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(_head("", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n")
        await _drip(writer, b"a:b\r\n" * 200, until, pause=_PAUSE_SECONDS)


async def idle_sockets(port: int, token: str, until: float) -> None:
    """Connect and say nothing."""
    del token
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        await _until_closed(reader, writer, until)


async def _until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, until: float) -> None:
    """Wait for the end of a connection without taking what came by it."""
    loop = asyncio.get_running_loop()
    while loop.time() < until and not (writer.is_closing() or reader.exception() or reader.at_eof()):  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(_DRIP_SECONDS)


async def _drip(writer: asyncio.StreamWriter, piece: bytes, until: float, pause: float = _DRIP_SECONDS) -> None:
    loop = asyncio.get_running_loop()
    while loop.time() < until and not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


SOCKETS: Final[Mapping[str, tuple[Held, int]]] = MappingProxyType(
    {
        "unread answers": (unread_answers, 20),
        "dripped bodies": (dripped_bodies, 20),
        "endless trailers": (endless_trailers, 4),
        "idle sockets": (idle_sockets, 100),
    }
)
"""Name -> how, and how many at a time."""
