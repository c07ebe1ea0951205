"""Whatever a client sends or leaves unread, it is bounded in bytes and in time, and nobody else waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import pytest
from starlette.types import Receive, Scope, Send

from gateway.http import protocol, unsent
from gateway.http.bounds import Bounds
from gateway.http.protocol import HEAD_BYTES
from gateway.http.serving import bound, listening
from gateway.settings.settings import Settings

BOUNDS = Bounds(head_seconds=0.3, send_seconds=0.3, linger_seconds=0.3)
LARGE = 4_000_000
POST = b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
ASK = b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n"
GET = b"GET /headers HTTP/1.1\r\nhost: x\r\n\r\n"
LIMIT = 10.0
"""seconds that nothing here may take, however slow the machine is."""


class App:
    """Answers by path, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused: list[str] = []
        """why, of each connection for which there was no room."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope["state"][protocol.CONNECTIONS_REFUSED] = self.refused.append
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.asked.append(scope["path"])
        match scope["path"]:
            case "/headers":
                await read(receive)
                body = b"\n".join(name + b"=" + value for name, value in scope["headers"])
                await answer(send, 200, body)
            case "/large":
                await answer(send, 200, b"x" * LARGE)
            case "/slow":
                await asyncio.sleep(0.6)
                await answer(send, 200, b"slow")
            case _:
                await answer(send, 401, b"no token")


async def read(receive: Receive) -> None:
    while (message := await receive()).get("more_body"):
        assert message["type"] == "http.request"


async def answer(send: Send, status: int, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(bounds: Bounds = BOUNDS) -> AsyncIterator[tuple[int, App]]:
    app = App()
    sock = bound(Settings(listen="127.0.0.1:0"))
    port = sock.getsockname()[1]
    async with listening(app, sock, bounds):
        yield port, app


class Client:
    """A client that says and reads only what it is told to."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self.sock.settimeout(0)
        self.port = port

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self.sock, ("127.0.0.1", self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.sock.close()

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.sock, data), LIMIT)

    async def take(self) -> bytes:
        """What comes next; nothing at the end."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, 65_536), LIMIT)
        except ConnectionError:
            return b""

    async def take_about(self, size: int) -> None:
        """Take so many bytes, or fewer where no more come for a while."""
        while size > 0:
            try:
                size -= len(
                    await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, min(size, 65_536)), 0.2)
                )
            except TimeoutError:
                return

    def is_ended(self) -> bool:
        """Tell whether the other side has cut the connection off, without reading."""
        return bool(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    async def rest(self) -> bytes:
        found = b""
        while part := await self.take():
            found += part
        return found


def drain(sock: socket.socket) -> None:
    """Take what is there, up to the end."""
    while sock.recv(65_536):
        pass


async def sent(port: int, data: bytes) -> bytes:
    async with Client(port) as client:
        with contextlib.suppress(ConnectionError):
            await client.send(data)
        return await client.rest()


async def closed_after(drip: Callable[[], Awaitable[None]]) -> float:
    """Seconds until a client that goes on like this is cut off."""
    begun = time.monotonic()
    while time.monotonic() < begun + LIMIT:
        try:
            await drip()
        except ConnectionError:
            return time.monotonic() - begun
        await asyncio.sleep(0.02)
    raise AssertionError("it is still open")


class TestTrailers:
    """RFC 9110, section 6.5.1."""

    @pytest.mark.parametrize("name", [b"authorization", b"x-acts-for", b"content-type", b"x-request-id", b"host"])
    async def test_a_field_of_one_is_none_of_the_request(self, name: bytes) -> None:
        trailer = name + b": from the trailer\r\n"
        whole = (
            POST % b"/headers"
            + b"2\r\n{}\r\n0\r\n"
            + trailer
            + b"\r\n"
            + GET.replace(b"host", b"connection: close\r\nhost")
        )
        async with serving() as (port, app):
            found = await sent(port, whole)
        assert found.count(b"HTTP/1.1 200 ") == 2
        assert b"from the trailer" not in found
        assert app.asked == ["/headers", "/headers"], "the connection goes on behind a trailer"

    @pytest.mark.parametrize("path", [b"/headers", b"/refused"])
    @pytest.mark.parametrize(
        "endless",
        [
            pytest.param(b"0\r\n" + b"a:b\r\n" * 200_000, id="fields"),
            pytest.param(b"0\r\n" + b"a" * 1_000_000, id="a name"),
            pytest.param(b"0\r\na:" + b"b" * 1_000_000, id="a value"),
            pytest.param(b"2;" + b"a" * 1_000_000, id="an extension of a chunk"),
        ],
    )
    async def test_one_without_an_end_ends_the_connection(self, path: bytes, endless: bytes) -> None:
        async with serving(replace(BOUNDS, linger_seconds=LIMIT)) as (port, _):
            found = await asyncio.wait_for(sent(port, POST % path + b"2\r\n{}\r\n" + endless), LIMIT)
        assert found == b"" or found.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 401 "))
        assert b" 200 " not in found

    async def test_nothing_of_one_is_kept(self) -> None:
        """What the parser gives of a trailer goes nowhere: the list of headers is as the head has left it."""
        seen: list[int] = []

        class Watched(App):
            async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
                await super().__call__(scope, receive, send)
                if scope["type"] == "http":
                    seen.append(len(scope["headers"]))

        sock = bound(Settings(listen="127.0.0.1:0"))
        port = sock.getsockname()[1]
        async with listening(Watched(), sock, BOUNDS):
            await sent(port, POST % b"/headers" + b"2\r\n{}\r\n0\r\n" + b"a:b\r\n" * 1_000 + b"\r\n")
        assert seen == [2]


class TestHeads:
    """Before there is a request."""

    @pytest.mark.parametrize("endless", [b"x: " + b"y" * 200_000, b"x: y\r\n" * 40_000])
    async def test_it_has_an_end(self, endless: bytes) -> None:
        async with serving() as (port, app):
            found = await sent(port, b"POST /headers HTTP/1.1\r\n" + endless)
        assert found == b"" or found.startswith(b"HTTP/1.1 400 ")
        assert not app.asked

    @pytest.mark.parametrize(
        ("first", "drip"),
        [
            pytest.param(b"", b"", id="nothing"),
            pytest.param(b"", b"\r\n", id="empty lines"),
            pytest.param(b"POST / HTTP/1.1\r\n", b"a: b\r\n", id="fields"),
            pytest.param(GET, b"\r\n", id="empty lines behind a request"),
            pytest.param(GET + b"GET / HTTP/1.1\r\n", b"a: b\r\n", id="the fields of a second request"),
        ],
    )
    async def test_it_comes_in_time(self, first: bytes, drip: bytes) -> None:
        async with serving() as (port, app), Client(port) as client:
            await client.send(first)

            async def next_part() -> None:
                await client.send(drip)
                with contextlib.suppress(TimeoutError):
                    if not await asyncio.wait_for(client.take(), 0.01):
                        raise ConnectionResetError

            assert await closed_after(next_part) < LIMIT / 2
        assert len(app.asked) == first.count(b"/headers")

    async def test_one_of_many_parts_is_taken(self) -> None:
        async with serving() as (port, _), Client(port) as client:
            for each in (b"GET /headers HTTP/1.1\r\n", *[b"x: y\r\n"] * 50, b"connection: close\r\n\r\n"):
                await client.send(each)
            assert (await client.rest()).count(b"x=y") == 50

    async def test_between_two_requests_it_has_the_same_time(self) -> None:
        """A connection that was kept is not closed earlier: by itself, the server does so after 5 seconds."""
        async with serving(replace(BOUNDS, head_seconds=LIMIT)) as (port, _), Client(port) as client:
            await client.send(GET)
            assert b" 200 " in await client.take()
            await asyncio.sleep(5.5)
            await client.send(GET)
            assert b" 200 " in await client.take()

    async def test_a_body_does_not_count(self) -> None:
        async with serving() as (port, _):
            chunk = b"1\r\nx\r\n"
            found = await sent(
                port, POST % b"/headers" + chunk * HEAD_BYTES + b"0\r\n\r\n" + GET[:-2] + b"connection: close\r\n\r\n"
            )
        assert found.count(b"HTTP/1.1 200 ") == 2


class TestEarlyAnswers:
    """The client still sends, and is not wanted any more."""

    HEAD = b"POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"

    async def test_it_says_that_we_close_and_so_it_is(self) -> None:
        async with serving() as (port, _), Client(port) as client:
            await client.send(self.HEAD)
            found = await client.rest()  # our side is over, though nobody has closed yet
            assert found.startswith(b"HTTP/1.1 401 ")
            assert b"connection: close" in found
            assert await closed_after(lambda: client.send(b"a")) < LIMIT / 2

    async def test_the_answer_is_seen_by_whoever_sends_all_the_same(self) -> None:
        async with serving(replace(BOUNDS, linger_seconds=LIMIT)) as (port, _), Client(port) as client:
            await client.send(self.HEAD.replace(b"100000", b"4000000"))
            await client.send(b"x" * 4_000_000)
            assert (await client.rest()).endswith(b"no token")

    async def test_without_an_end_it_ends_all_the_same(self) -> None:
        async with serving(replace(BOUNDS, linger_seconds=LIMIT)) as (port, _), Client(port) as client:
            await client.send(self.HEAD.replace(b"100000", b"40000000000"))
            with pytest.raises(ConnectionError):
                await client.send(b"x" * 40_000_000)

    async def test_a_whole_request_that_is_refused_leaves_the_connection_open(self) -> None:
        whole = b"POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
        async with serving() as (port, app), Client(port) as client:
            for _ in range(3):
                await client.send(whole)
                assert b"connection: close" not in await client.take()
        assert len(app.asked) == 3

    async def test_what_comes_behind_a_close_is_not_done(self) -> None:
        ended = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
        async with serving() as (port, app):
            found = await sent(port, ended + GET)
        assert found.count(b"HTTP/1.1 200 ") == 1
        assert len(app.asked) == 1

    async def test_too_many_requests_ahead_end_the_connection(self) -> None:
        async with serving() as (port, app):
            found = await sent(port, GET.replace(b"/headers", b"/slow") + GET * (protocol.PIPELINED + 1))
        assert found == b""
        assert app.asked == ["/slow"]


class TestUnread:
    """Answers that nobody reads."""

    @pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
    async def test_one_is_not_held_for_ever(self, version: bytes) -> None:
        async with serving() as (port, _), Client(port) as client:
            await client.send(b"GET /large " + version + b"\r\nhost: x\r\n\r\n")
            await asyncio.sleep(0.8)
            assert len(await client.rest()) < LARGE

    async def test_nor_does_the_kernel_keep_it(self) -> None:
        async with serving() as (port, _), Client(port) as client:
            await client.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            await asyncio.sleep(0.8)
            with pytest.raises(ConnectionResetError):
                drain(client.sock)

    async def test_nor_a_small_one_of_which_a_part_is_left(self) -> None:
        async with serving(replace(BOUNDS, head_seconds=0.1)) as (port, _), Client(port) as client:
            for _ in range(20):  # until the buffers of both kernels are full
                await client.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            await asyncio.sleep(0.8)
            assert len(await client.rest()) < LARGE

    async def test_one_that_is_read_slowly_arrives(self) -> None:
        bounds = replace(BOUNDS, send_seconds=0.3, head_seconds=0.2)
        async with serving(bounds) as (port, _), Client(port) as client:
            await client.send(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
            found, begun = 0, time.monotonic()
            while found < LARGE:
                part = await client.take()
                assert part, f"cut off after {found} bytes"
                found += len(part)
                await asyncio.sleep(0.015)
            assert time.monotonic() - begun > 2 * bounds.send_seconds

    async def test_all_together_are_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(unsent, "UNSENT_BYTES", 3 * LARGE)
        bounds = replace(BOUNDS, send_seconds=LIMIT, head_seconds=LIMIT)
        async with serving(bounds) as (port, _), contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(port)) for _ in range(5)]
            for each in clients:
                await each.send(b"GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                await asyncio.sleep(0.1)
            lengths = [len(await each.rest()) for each in clients]
        assert [each > LARGE for each in lengths] == [False, False, True, True, True], "who has waited longest goes"

    @pytest.mark.parametrize("left", [-LARGE, 1_500_000], ids=["read whole", "all but a rest"])
    async def test_so_are_those_that_follow_one_that_was_read(self, monkeypatch: pytest.MonkeyPatch, left: int) -> None:
        """Also where the next answer is made, and waits in the process for the rest of the first."""
        monkeypatch.setattr(unsent, "UNSENT_BYTES", 3 * LARGE)
        bounds = replace(BOUNDS, send_seconds=LIMIT, head_seconds=LIMIT)
        async with serving(bounds) as (port, app), contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(Client(port)) for _ in range(6)]
            for each in clients:
                await each.send(ASK)
                await each.take_about(LARGE - left)
            for each in clients:
                await each.send(ASK)
                await asyncio.sleep(0.1)
            ends = [each.is_ended() for each in clients]
        assert len(app.asked) == 2 * len(clients)
        assert ends[:3] == [True] * 3
        assert not ends[-1], "who asked last is not the one to go"

    async def test_a_rest_that_is_never_read_makes_nobody_young(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who has an old rest and asks again waits since the rest, and goes before who reads more."""
        monkeypatch.setattr(unsent, "UNSENT_BYTES", int(2.5 * LARGE))
        bounds = replace(BOUNDS, send_seconds=LIMIT, head_seconds=LIMIT)
        async with serving(bounds) as (port, _), Client(port) as old, Client(port) as young:
            await old.send(ASK)
            await asyncio.sleep(0.1)
            await young.send(ASK)
            await asyncio.sleep(0.1)
            await old.send(ASK)
            await asyncio.sleep(0.1)
            assert old.is_ended()
            assert not young.is_ended()

    async def test_the_time_of_a_second_answer_begins_with_it(self) -> None:
        """It is cut off when its own time has passed: not at the end of the first one's, nor at the end of the next."""
        seconds = 1.5
        bounds = replace(BOUNDS, send_seconds=seconds, head_seconds=LIMIT)
        async with serving(bounds) as (port, _), Client(port) as client:
            await client.send(ASK)
            await client.take_about(2 * LARGE)
            await client.send(ASK)

            async def look() -> None:
                if client.is_ended():
                    raise ConnectionResetError

            assert 0.9 * seconds < await closed_after(look) < 1.4 * seconds


class TestRoom:
    """How many connections there are."""

    async def test_one_address_has_so_many(self) -> None:
        bounds = replace(BOUNDS, connections_per_address=3, head_seconds=LIMIT)
        async with serving(bounds) as (port, app), contextlib.AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(Client(port))
            found = await sent(port, b"")
            assert app.refused == ["address"]
            assert found.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1\r\n" in found
            assert found.endswith(b"\r\n\r\nThere are too many connections")

    async def test_a_connection_that_ended_makes_room(self) -> None:
        async with serving(replace(BOUNDS, connections_per_address=1)) as (port, app):
            for _ in range(5):
                assert b" 200 " in await sent(port, GET[:-2] + b"connection: close\r\n\r\n")
                await asyncio.sleep(0.05)
        assert len(app.asked) == 5
        assert app.refused == []

    async def test_who_waits_longest_for_a_head_makes_room(self) -> None:
        bounds = replace(BOUNDS, connections=2, head_seconds=LIMIT)
        async with serving(bounds) as (port, app), Client(port) as first, Client(port) as second:
            await second.send(GET)
            await second.take()
            async with Client(port) as third:
                await third.send(GET)
                assert b" 200 " in await third.take()
                assert app.refused == ["idle"]
            assert await first.take() == b""
            await second.send(GET)
            assert b" 200 " in await second.take()

    async def test_whoever_is_being_answered_does_not(self) -> None:
        async with serving(replace(BOUNDS, connections=1)) as (port, app), Client(port) as client:
            await client.send(GET.replace(b"/headers", b"/slow"))
            await asyncio.sleep(0.1)
            assert (await sent(port, GET)).startswith(b"HTTP/1.1 503 ")
            assert app.refused == ["process"]
            assert (await client.take()).endswith(b"slow")
