"""A stream comes over a WebSocket or as server-sent events; here is the least that a client of either has to know.

Nothing of the product's own client is used: what is proven of the one here holds for anybody's. Each transport is an iterator
over what the server says on one connection, and ends by `Over`, whoever ended it.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

PROTOCOL: Final = "graphql-transport-ws"
EXPIRED: Final = "the token has expired"
CUT: Final = "the connection was cut"
AGAIN: Final = frozenset(
    {"LAGGED", "STORE_UNAVAILABLE", "DEADLINE_EXCEEDED", "OVERLOADED", "TOO_MANY_REQUESTS", "TOO_MANY_NEW_DOCUMENTS"}
)
"""The codes after which one comes back."""
_AGAIN_STATUS: Final = frozenset({401, 429, 500, 502, 503, 504})
_SILENT_SECONDS: Final = 20.0
"""without even a comment or a ping: nobody is there."""
_CONNECT_SECONDS: Final = 5.0


class Transport(enum.StrEnum):
    """How a stream comes."""

    WEBSOCKET = "websocket"
    EVENTS = "sse"


class Over(Exception):
    """A connection is over: why, whether there may be more over another one, and the cursor that the server names."""

    def __init__(self, reason: str, *, again: bool, after: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing that the server has said."""

    cursor: str
    answer: Mapping[str, Any] | None
    """None: only how far it has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for over one connection."""

    document: str
    """with a variable `$after`."""
    token: str
    after: str | None


def listened(transport: Transport, address: str, asked: Asked) -> AsyncGenerator[Said, None]:
    """Give what the server at an address says; raises Over."""
    return _over_socket(address, asked) if transport is Transport.WEBSOCKET else _over_events(address, asked)


def _said(answer: Mapping[str, Any]) -> Said:
    """Take an answer; raises Over for the last one, which has no cursor."""
    cursor = answer.get("extensions", {}).get("cursor")
    if cursor is None:
        raise _refusal(answer["errors"])
    return Said(cursor=cursor, answer=answer)


def _refusal(errors: list[Mapping[str, Any]]) -> Over:
    extensions = errors[0].get("extensions", {})
    code = extensions.get("code", "")
    if code == "UNAUTHENTICATED":
        return Over(EXPIRED, again=True)
    return Over(f"{code}: {errors[0]['message']}", again=code in AGAIN, after=extensions.get("from"))


# Server-sent events --------------------------------------------------------------------------------------------------


async def _over_events(address: str, asked: Asked) -> AsyncGenerator[Said, None]:
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {asked.token}"}
    if asked.after is not None:
        headers["Last-Event-ID"] = asked.after
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{address}/graphql", json={"query": asked.document}, headers=headers) as response,
        ):
            if response.status != 200:
                raise Over(f"{response.status} {await response.text()}", again=response.status in _AGAIN_STATUS)
            async for each in _blocks(aiter(response.content)):
                if each.get("event") == "complete":
                    raise Over("complete", again=False)
                if "data" in each:
                    yield _said(orjson.loads(each["data"]))
                elif "id" in each:
                    yield Said(cursor=each["id"], answer=None)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Over(CUT, again=True) from error
    raise Over(CUT, again=True)


async def _blocks(lines: AsyncIterator[bytes]) -> AsyncGenerator[dict[str, str], None]:
    """Give each block that is whole, by the names of its fields (HTML Living Standard, 9.2.6)."""
    block: dict[str, str] = {}
    async for line in lines:
        if not line.endswith(b"\n"):
            return  # it was cut in the middle
        name, _, value = line.decode().rstrip("\n").partition(":")
        if name:
            block[name] = value.removeprefix(" ")
        elif line == b"\n":
            yield block
            block = {}


# WebSocket -----------------------------------------------------------------------------------------------------------


async def _over_socket(address: str, asked: Asked) -> AsyncGenerator[Said, None]:
    try:
        async with connect(
            address.replace("http:", "ws:", 1) + "/graphql",
            subprotocols=[PROTOCOL],  # type: ignore[list-item]
            open_timeout=_CONNECT_SECONDS,
            close_timeout=0.2,
            ping_interval=None,
            proxy=None,
        ) as socket:
            await _send(socket, {"type": "connection_init", "payload": {"Authorization": f"Bearer {asked.token}"}})
            while True:
                async with asyncio.timeout(60.0):
                    message = orjson.loads(await socket.recv())
                async for each in _taken(socket, message, asked):
                    yield each
    except ConnectionClosed as error:
        code = error.rcvd.code if error.rcvd else 0
        if code == 4403:
            raise Over(EXPIRED, again=True) from error
        raise Over(f"{code} {error.rcvd.reason}" if error.rcvd else CUT, again=code in {0, 1011, 1012, 1013}) from error
    except (InvalidHandshake, OSError, TimeoutError, EOFError) as error:
        raise Over(CUT, again=True) from error


async def _taken(socket: ClientConnection, message: Mapping[str, Any], asked: Asked) -> AsyncGenerator[Said, None]:
    """Take a message."""
    match message["type"]:
        case "connection_ack":
            request = {"query": asked.document, "variables": {"after": asked.after}}
            await _send(socket, {"type": "subscribe", "id": "1", "payload": request})
        case "ping":
            await _send(socket, {"type": "pong"})
            if "cursor" in message.get("payload", {}):
                yield Said(cursor=message["payload"]["cursor"], answer=None)
        case "next":
            yield _said(message["payload"])
        case "error":
            raise _refusal(message["payload"])
        case _:
            raise Over(message["type"], again=False)


async def _send(socket: ClientConnection, message: Mapping[str, Any]) -> None:
    await socket.send(orjson.dumps(message).decode())
