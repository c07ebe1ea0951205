"""A stream over a real server that goes away, forgets, hurries and comes back: each event once, in order."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from gateway.auth.tokens import LEEWAY
from gateway.http.serving import bound, bounds_of, listening
from gateway.settings.settings import Settings
from tests.gateway.conftest import Mint, application
from tests.gateway.http.test_socket import until
from tests.gateway.streaming import StreamSubgraph
from trunkline.client import (
    Client,
    CursorExpired,
    EventUnreadable,
    GatewayUnavailable,
    InvalidDocument,
    ProtocolError,
    RequestRefused,
    TokenRefused,
    connection,
    resuming,
)

ALERTS: Final = "subscription { alerts { number } }"
SECONDS: Final = 60.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits out a pause here."""
    monkeypatch.setattr(resuming, "FIRST_SECONDS", 0.02)
    monkeypatch.setattr(resuming, "MOST_SECONDS", 0.1)


@asynccontextmanager
async def serving(subgraph: StreamSubgraph, settings: Settings, port: int = 0) -> AsyncIterator[int]:
    sock = bound(settings.model_copy(update={"listen": f"127.0.0.1:{port}"}))
    found: int = sock.getsockname()[1]
    async with listening(application(subgraph, settings), sock, bounds_of(settings)):
        yield found


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/graphql"


async def taken(stream: Any, count: int) -> list[Any]:
    async with asyncio.timeout(SECONDS):
        return [(await anext(stream)).data["alerts"]["number"] for _ in range(count)]


async def test_it_goes_on_without_a_gap_where_the_server_was_away(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    async with serving(subgraph, settings) as port:
        stream = Client(address(port), token=mint.token()).subscribe(ALERTS)
        first = asyncio.create_task(taken(stream, 1))
        await until(lambda: subgraph.open)
        await subgraph.publish()
        assert await first == [1]
    for _ in range(2):
        await subgraph.publish()
    away = asyncio.create_task(taken(stream, 3))
    await asyncio.sleep(0.2)  # it is refused meanwhile
    async with serving(subgraph, settings, port):
        await until(lambda: subgraph.open)
        await subgraph.publish()
        assert await away == [2, 3, 4]
        await stream.aclose()
        await until(lambda: not subgraph.open)
    assert subgraph.asked_after == [None, "1"]


async def test_waiting_can_be_given_up_and_taken_up_again(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=mint.token()).subscribe(ALERTS, after="0") as stream,
    ):
        await subgraph.publish()
        assert await taken(stream, 1) == [1]
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(stream)
        for _ in range(2):
            await subgraph.publish()
        assert await taken(stream, 2) == [2, 3]
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert subgraph.asked_after[-1] == "1"


async def test_who_gives_up_in_a_pause_does_not_cut_it_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming.Resuming, "cut", lambda *_: SECONDS)
    tried: list[Any] = []

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(writer)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        stream = Client(address(server.sockets[0].getsockname()[1])).subscribe(ALERTS)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await anext(stream)
        await stream.aclose()
    assert len(tried) == 1


async def test_its_cursor_is_of_what_is_dealt_with(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=mint.token()).subscribe(ALERTS, after="0") as stream,
    ):
        for _ in range(3):
            await subgraph.publish()
        assert await taken(stream, 2) == [1, 2]
        assert stream.cursor == "1", "the second is in hand"
        assert await taken(stream, 1) == [3]
        assert stream.cursor == "2"


async def test_it_follows_heartbeats_and_what_a_stream_says_that_lagged(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    async with serving(subgraph, settings) as port:
        stream = Client(address(port), token=mint.token()).subscribe("subscription { quiet { number } }")
        events = [each async for each in stream]
    assert [(each.data, each.cursor) for each in events] == [({"quiet": {"number": 8}}, "8")]
    assert subgraph.asked_after == [None, "0", "7"]
    assert stream.cursor == "8"


@pytest.mark.parametrize(
    ("document", "error", "said"),
    [
        ("subscription { refused { number } }", CursorExpired, "too old"),
        ("subscription { nothing { number } }", RequestRefused, "Cannot query field"),
        ("subscription { alerts { number }", InvalidDocument, "Syntax Error"),
        ("{ hello }", InvalidDocument, "`execute`"),
    ],
)
async def test_it_ends_with_an_error_of_its_own_where_coming_back_would_not_help(
    settings: Settings, mint: Mint, document: str, error: type[Exception], said: str
) -> None:
    async with serving(StreamSubgraph(), settings) as port:
        client = Client(address(port), token=mint.token())
        with pytest.raises(error, match=said) as found:
            await anext(client.subscribe(document))
    assert type(found.value) is error


async def test_a_token_that_expires_is_asked_for_again(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    given: list[str] = []

    async def token() -> str:
        seconds = 300 if given else 2.5 - LEEWAY
        given.append(mint.token(exp=time.time() + seconds))
        return given[-1]

    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=token).subscribe(ALERTS, after="0") as stream,
    ):
        await subgraph.publish()
        assert await taken(stream, 1) == [1]
        second = asyncio.create_task(taken(stream, 1))
        await until(lambda: len(given) == 2)
        await subgraph.publish()
        assert await second == [2]
    assert subgraph.asked_after == ["0", "1"]


@pytest.mark.parametrize("make", [lambda token: token, lambda token: lambda: token], ids=["text", "function"])
async def test_tokens_that_are_refused_end_it(settings: Settings, make: Callable[[str], Any]) -> None:
    async with serving(StreamSubgraph(), settings) as port:
        with pytest.raises(TokenRefused):
            await anext(Client(address(port), token=make("x.y.z")).subscribe(ALERTS))


async def test_a_program_that_is_slow_reads_no_more_than_a_few_ahead(
    settings: Settings, mint: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "AHEAD", 2)
    subgraph = StreamSubgraph()
    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=mint.token()).subscribe(ALERTS, after="0") as stream,
    ):
        for _ in range(50):
            await subgraph.publish()
        assert await taken(stream, 1) == [1]
        await until(lambda: subgraph.given == 50)
        [task] = [each for each in asyncio.all_tasks() if "_receive_data_loop" in repr(each)]
        assert await taken(stream, 49) == list(range(2, 51))
    assert task.done()


async def test_an_event_that_cannot_be_shown_is_an_error_and_the_stream_goes_on(settings: Settings, mint: Mint) -> None:
    subgraph = StreamSubgraph()
    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=mint.token()).subscribe(
            "subscription { alerts { number broken } }", after="0"
        ) as one,
    ):
        await subgraph.publish()
        event = await asyncio.wait_for(anext(one), SECONDS)
        assert event.data == {"alerts": {"number": 1, "broken": None}}
        assert [each["path"] for each in event.errors] == [["alerts", "broken"]]
        typed = Client(address(port), token=mint.token()).subscribe(ALERTS, after="0")
        typed._read = lambda event: event.data["alerts"]["kind"]  # type: ignore[index]  # a shape that the gateway does not have
        for cursor in ("1", "2"):
            with pytest.raises(EventUnreadable) as found:
                await asyncio.wait_for(anext(typed), SECONDS)
            assert found.value.cursor == cursor
            await subgraph.publish()
        await typed.aclose()


async def test_a_connection_that_says_nothing_is_given_up(
    settings: Settings, mint: Mint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "SILENT_SECONDS", 0.3)
    subgraph = StreamSubgraph()
    async with (
        serving(subgraph, settings) as port,
        Client(address(port), token=mint.token()).subscribe(ALERTS, after="0") as stream,
    ):
        first = asyncio.create_task(taken(stream, 1))
        await until(lambda: len(subgraph.asked_after) >= 2)
        await subgraph.publish()
        assert await first == [1]
    assert "The connection is cut: no answer came in time; again in" in caplog.text


async def test_what_is_no_gateway_is_said(settings: Settings, mint: Mint) -> None:
    async with serving(StreamSubgraph(), settings) as port:
        with pytest.raises(ProtocolError, match=r"status 40[34]"):
            await anext(Client(f"http://127.0.0.1:{port}/nothing", token=mint.token()).subscribe(ALERTS))


@pytest.mark.parametrize(
    ("url", "secured", "said"),
    [
        ("gateway.example/graphql", False, "begins with"),
        ("http://gateway.example/graphql", True, "ssl_context"),
        ("ws://gateway.example/graphql", True, "ssl_context"),
        ("http://gateway.example:port/graphql", False, "Port could not be cast"),
        ("http://gateway.example:65536/graphql", False, "Port out of range"),
        ("http://gateway.example:0/graphql", False, "port 0"),
        ("https:///graphql", True, "lacks a host"),
        ("http://[::1/graphql", False, "cannot be read"),
        ("https://gateway.example/graphql#token", False, "after #"),
    ],
)
def test_an_address_that_cannot_be_is_refused_at_once(url: str, secured: bool, said: str) -> None:  # noqa: FBT001
    with pytest.raises(ValueError, match=said):
        Client(url, ssl_context=ssl.create_default_context() if secured else None)


@pytest.mark.parametrize("url", ["https://gateway.example/graphql", "wss://[::1]:8443/graphql?a=b"])
def test_an_address_with_tls_takes_a_context(url: str) -> None:
    context = ssl.create_default_context()
    assert Client(url, ssl_context=context)._gateway.ssl is context


def test_an_empty_cursor_is_refused_for_it_would_begin_now() -> None:
    client = Client("http://gateway.example/graphql")
    for subscribe in (client.alerts, client.service_events, client.topology_changes, client.deliveries):
        with pytest.raises(ValueError, match="`after` is empty"):
            subscribe(after="")


async def test_queries_are_asked_once_and_their_errors_are_the_same(settings: Settings, mint: Mint) -> None:
    async with serving(StreamSubgraph(), settings) as port:
        client = Client(address(port), token=mint.token())
        assert await client.execute("{ hello }") == {"hello": "hello world"}
        with pytest.raises(RequestRefused, match="Cannot query field"):
            await client.execute("{ nothing }")
        with pytest.raises(InvalidDocument):
            await client.execute("{")
        with pytest.raises(RequestRefused, match="token"):
            await Client(address(port)).execute("{ hello }")
    with pytest.raises(GatewayUnavailable):
        await client.execute("{ hello }")


async def test_where_nobody_answers_it_can_be_given_up_from_outside() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        stream = Client(address(sock.getsockname()[1])).subscribe(ALERTS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(stream)
        await stream.aclose()
