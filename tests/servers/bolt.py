"""A cluster of Bolt servers (5.4) on free ports: one leader that takes writes, readers that are behind until they are told.

It speaks as much of Bolt as the driver needs: handshake, HELLO, LOGON, ROUTE, BEGIN, RUN, PULL, COMMIT, RESET. What it holds
is a number, the count of its commits, and a bookmark is that number. A reader that gets a bookmark catches up to it, as the
servers of Neo4j do; without one it answers what it has, however old that is.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_VERSION: Final = b"\x00\x00\x04\x05"
_SUCCESS, _RECORD = 0x70, 0x71
_HELLO, _GOODBYE, _RUN, _BEGIN, _COMMIT, _PULL, _ROUTE = 0x01, 0x02, 0x10, 0x11, 0x12, 0x3F, 0x66


@dataclass(slots=True, kw_only=True)
class Server:
    """One server of the cluster."""

    cluster: Cluster = field(repr=False)
    role: str
    port: int = 0
    applied: int = 0
    """how many commits it has."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """the bookmarks of each transaction that it was given."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"


@dataclass(slots=True, kw_only=True)
class Cluster:
    """A leader, and readers."""

    leader: Server = field(init=False)
    readers: list[Server] = field(default_factory=list)

    def commit(self) -> str:
        """Commit at the leader; give the bookmark."""
        self.leader.applied += 1
        return f"count:{self.leader.applied}"

    def routes(self) -> dict[str, Any]:
        """What each of them tells of all."""
        servers = [
            {"addresses": [self.leader.address], "role": "WRITE"},
            {"addresses": [each.address for each in self.readers], "role": "READ"},
            {"addresses": [self.leader.address], "role": "ROUTE"},
        ]
        return {"ttl": 300, "db": "neo4j", "servers": servers}


@asynccontextmanager
async def cluster(readers: int) -> AsyncIterator[Cluster]:
    """Run a cluster while the block runs."""
    made = Cluster()
    made.leader = Server(cluster=made, role="WRITE")
    made.readers = [Server(cluster=made, role="READ") for _ in range(readers)]
    async with AsyncExitStack() as stack:
        for each in (made.leader, *made.readers):
            listening = await asyncio.start_server(_Session(server=each).run, "127.0.0.1", 0)
            each.port = listening.sockets[0].getsockname()[1]
            stack.callback(listening.close)
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    server: Server

    async def run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(20)
            writer.write(_VERSION)
            explicit = False
            while (message := await _message(reader))[0] != _GOODBYE:
                kind, fields = message
                explicit = (explicit or kind == _BEGIN) and kind != _COMMIT
                for answer in self._answers(kind, fields, explicit=explicit):
                    writer.write(_chunk(answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answers(self, kind: int, fields: list[Any], *, explicit: bool) -> list[bytes]:
        if kind == _HELLO:
            return [_success({"server": "Neo4j/5.26.0", "connection_id": "bolt-1"})]
        if kind == _ROUTE:
            return [_success({"rt": self.server.cluster.routes()})]
        if kind == _BEGIN or (kind == _RUN and not explicit):
            self._begin(fields[-1])
        if kind == _RUN:
            return [_success({"fields": ["count"]})]
        if kind == _PULL:
            end = {} if explicit else {"bookmark": f"count:{self.server.applied}"}
            return [_structure(_RECORD, [self.server.applied]), _success({"type": "r", **end})]
        if kind == _COMMIT:
            assert self.server.role == "WRITE", "a reader takes no writes"
            return [_success({"bookmark": self.server.cluster.commit()})]
        return [_success({})]

    def _begin(self, extra: Mapping[str, Any]) -> None:
        bookmarks = tuple(extra.get("bookmarks", ()))
        self.server.asked.append(bookmarks)
        self.server.applied = max([self.server.applied, *(int(each.split(":")[1]) for each in bookmarks)])


# PackStream, as far as it is used ------------------------------------------------------------------------------------


async def _message(reader: asyncio.StreamReader) -> tuple[int, list[Any]]:
    data = b""
    while size := struct.unpack(">H", await reader.readexactly(2))[0]:
        data += await reader.readexactly(size)
    if not data:
        return await _message(reader)  # the driver's sign of life
    values, at = [], 2
    for _ in range(data[0] & 0x0F):
        value, at = _unpacked(data, at)
        values.append(value)
    return data[1], values


def _chunk(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data + b"\x00\x00"


def _success(metadata: Mapping[str, Any]) -> bytes:
    return _structure(_SUCCESS, metadata)


def _structure(kind: int, value: Any) -> bytes:
    return bytes([0xB1, kind]) + _packed(value)


def _packed(value: Any) -> bytes:
    match value:
        case int():
            return b"\xcb" + struct.pack(">q", value)
        case str():
            text = value.encode()
            return b"\xd1" + struct.pack(">H", len(text)) + text
        case list():
            return b"\xd5" + struct.pack(">H", len(value)) + b"".join(map(_packed, value))
        case dict():
            items = (_packed(each) for pair in value.items() for each in pair)
            return b"\xd9" + struct.pack(">H", len(value)) + b"".join(items)
        case _:
            raise TypeError(value)


_SIZES: Final = {0xD0: 1, 0xD1: 2, 0xD4: 1, 0xD5: 2, 0xD8: 1, 0xD9: 2}
_INTEGERS: Final = {0xC8: 1, 0xC9: 2, 0xCA: 4, 0xCB: 8}


def _unpacked(data: bytes, at: int) -> tuple[Any, int]:
    mark = data[at]
    at += 1
    if mark in {0xC0, 0xC2, 0xC3}:
        return {0xC0: None, 0xC2: False, 0xC3: True}[mark], at
    if mark in _INTEGERS:
        end = at + _INTEGERS[mark]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if mark < 0x80 or mark >= 0xF0:
        return mark - (256 if mark >= 0xF0 else 0), at
    if mark in _SIZES:
        size, at = int.from_bytes(data[at : at + _SIZES[mark]], "big"), at + _SIZES[mark]
    else:
        size = mark & 0x0F
    if mark in {0xD0, 0xD1} or mark >> 4 == 0x8:
        return data[at : at + size].decode(), at + size
    return _collection(data, at, size, is_map=mark in {0xD8, 0xD9} or mark >> 4 == 0xA)


def _collection(data: bytes, at: int, size: int, *, is_map: bool) -> tuple[Any, int]:
    values = []
    for _ in range(size * (2 if is_map else 1)):
        value, at = _unpacked(data, at)
        values.append(value)
    return (dict(zip(values[::2], values[1::2], strict=True)) if is_map else values), at
